"""The networks in PyTorch: analysis, synthesis, hyperprior and context.

Shapes: pictures [B, 3, H, W] in 0..1 with H and W multiples of 64, latents [B, C, H/16, W/16], hyper latents
[B, C, H/64, W/64]. `knots` are interpolation weights over the quality knots, [B, KNOTS].
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..format import quality as qualities
from ..format.quality import KNOTS
from .gradients import round_through
from .integer import ACTIVATION_UNIT, IntegerConv2d, quantize_activation
from .lapped import OverlappingPatches
from .rate import round_index

INDEX_GAIN, INDEX_OFFSET = 8, 24


@dataclass(frozen=True)
class Architecture:
    """Sizes of the networks; channels unless said otherwise."""

    base: int = 128
    enhancement: int = 256
    eighth: int = 128
    features: int = 128
    hyper: int = 64
    context: int = 160
    blocks_analysis: int = 6
    blocks_synthesis: int = 5
    blocks_sixteenth: int = 1
    blocks_medium: int = 5

    @property
    def latents(self) -> int:
        return self.base + self.enhancement


def knot_weights(quality: Tensor) -> Tensor:
    """Interpolation weights [B, KNOTS] of stored qualities [B]."""
    return qualities.knot_weights(quality[:, None], torch.arange(KNOTS, device=quality.device))


class Block(nn.Module):
    """x + gain(q) * W2 relu(W1 dw3x3(x)), hidden width twice the channels; starts as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.expand = nn.Conv2d(channels, 2 * channels, 1)
        self.project = nn.Conv2d(2 * channels, channels, 1)
        self.gain = nn.Parameter(torch.ones(KNOTS, channels))
        with torch.no_grad():
            for parameter in self.project.parameters():
                parameter.zero_()
            self.depthwise.weight[:, 0, 1, 1] += 1

    def forward(self, x: Tensor, knots: Tensor) -> Tensor:
        hidden = F.relu(self.expand(self.depthwise(x)))
        change: Tensor = self.project(hidden) * (knots @ self.gain)[:, :, None, None]
        return x + change


class Blocks(nn.Module):
    def __init__(self, channels: int, count: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(channels) for _ in range(count))

    def forward(self, x: Tensor, knots: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, knots)
        return x


class Analysis(nn.Module):
    """Picture -> latents, before division by the step sizes."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.first = nn.Conv2d(192, arch.eighth, 1)
        self.eighth = Blocks(arch.eighth, arch.blocks_analysis)
        self.down = nn.Conv2d(4 * arch.eighth, arch.latents, 1)
        self.sixteenth = Blocks(arch.latents, arch.blocks_sixteenth)

    def forward(self, picture: Tensor, knots: Tensor) -> Tensor:
        x = self.eighth(self.first(F.pixel_unshuffle(picture - 0.5, 8)), knots)
        latents: Tensor = self.sixteenth(self.down(F.pixel_unshuffle(x, 2)), knots)
        return latents


class Synthesis(nn.Module):
    """All latents, times the step sizes -> picture."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.sixteenth = Blocks(arch.latents, arch.blocks_sixteenth)
        self.up = nn.Conv2d(arch.latents, 4 * arch.eighth, 1)
        self.eighth = Blocks(arch.eighth, arch.blocks_synthesis)
        self.last = OverlappingPatches(arch.eighth)

    def forward(self, latents: Tensor, knots: Tensor) -> Tensor:
        x = F.pixel_shuffle(self.up(self.sixteenth(latents, knots)), 2)
        picture: Tensor = self.last(self.eighth(x, knots)).float() + 0.5
        return picture


class MediumSynthesis(nn.Module):
    """Base latents, times the step sizes -> half-size picture."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.sixteenth = Blocks(arch.base, arch.blocks_medium)
        self.last = OverlappingPatches(arch.base)

    def forward(self, base: Tensor, knots: Tensor) -> Tensor:
        picture: Tensor = self.last(self.sixteenth(base, knots)).float() + 0.5
        return picture


class HyperAnalysis(nn.Module):
    """Latents -> hyper latents, before rounding."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.first = nn.Conv2d(arch.latents, 96, 3, 2, 1)
        self.second = nn.Conv2d(96, arch.hyper, 3, 2, 1)

    def forward(self, latents: Tensor) -> Tensor:
        z: Tensor = self.second(F.relu(self.first(latents)))
        return z


class HyperSynthesis(nn.Module):
    """Rounded hyper latents -> features for the context networks; integer."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.first = IntegerConv2d(arch.hyper, 4 * 96, input_unit=1)
        self.second = IntegerConv2d(96, 4 * arch.features, 3)
        self.offset = nn.Parameter(torch.zeros(KNOTS, arch.features))

    def offset_units(self) -> Tensor:
        """The quality's offsets in units of 1/16, [KNOTS, features]."""
        return round_through((self.offset / ACTIVATION_UNIT).clamp(-2047, 2047))

    def forward(self, z: Tensor, knots: Tensor) -> Tensor:
        x = F.pixel_shuffle(quantize_activation(self.first(z)), 2)
        x = F.pixel_shuffle(self.second(x), 2)
        x = round_through(x / ACTIVATION_UNIT) * ACTIVATION_UNIT
        offset = round_half_up(knots @ self.offset_units()) * ACTIVATION_UNIT
        return quantize_activation(x + offset[:, :, None, None])


def round_half_up(x: Tensor) -> Tensor:
    return x + (torch.floor(x + 0.5) - x).detach()


class Context(nn.Module):
    """Features and decoded latents -> mean and scale index of each latent of a layer; integer."""

    def __init__(self, inputs: int, width: int, outputs: int) -> None:
        super().__init__()
        self.first = IntegerConv2d(inputs, width)
        self.depthwise = IntegerConv2d(width, width, 3, groups=width)
        self.last = IntegerConv2d(width, 2 * outputs)
        nn.init.normal_(self.last.weight, 0, 0.01)
        self.last.bias = nn.Parameter(torch.zeros(2 * outputs))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = quantize_activation(self.depthwise(quantize_activation(self.first(x))))
        mean, index = self.last(x).chunk(2, 1)
        return round_through(mean / ACTIVATION_UNIT) * ACTIVATION_UNIT, round_index(INDEX_GAIN * index + INDEX_OFFSET)
