"""The networks in PyTorch: analysis, synthesis, hyperprior and context, with quantization in the loop.

Shapes: pictures [B, 3, H, W] in 0..1 with H and W multiples of 64, latents [B, C, H/16, W/16], hyper latents
[B, C, H/64, W/64]. `knots` are interpolation weights over the quality knots, [B, KNOTS].
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from aez.quality import KNOT_DISTANCE, KNOTS, QUALITY_MAX, rate_distortion_lambda
from aez.train.gradients import round_through
from aez.train.integer import ACTIVATION_UNIT, IntegerConv2d, clip_signal, quantize_activation
from aez.train.rate import FactorizedPrior, gaussian_bits, round_index, round_with_dead_zone, scale_of_index

HYPER_LIMIT = 127
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
    blocks_eighth: int = 6
    blocks_sixteenth: int = 1
    blocks_medium: int = 5

    @property
    def latents(self) -> int:
        return self.base + self.enhancement


def knot_weights(quality: Tensor) -> Tensor:
    """Interpolation weights [B, KNOTS] of stored qualities [B]; exact multiples of 1 / KNOT_DISTANCE."""
    position = quality[:, None] / KNOT_DISTANCE
    return (1 - (position - torch.arange(KNOTS, device=quality.device)).abs()).clamp_min(0)


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
        self.eighth = Blocks(arch.eighth, arch.blocks_eighth)
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
        self.eighth = Blocks(arch.eighth, arch.blocks_eighth)
        self.last = nn.Conv2d(arch.eighth, 192, 1)

    def forward(self, latents: Tensor, knots: Tensor) -> Tensor:
        x = F.pixel_shuffle(self.up(self.sixteenth(latents, knots)), 2)
        return F.pixel_shuffle(self.last(self.eighth(x, knots)), 8) + 0.5


class MediumSynthesis(nn.Module):
    """Base latents, times the step sizes -> half-size picture."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.sixteenth = Blocks(arch.base, arch.blocks_medium)
        self.last = nn.Conv2d(arch.base, 192, 1)

    def forward(self, base: Tensor, knots: Tensor) -> Tensor:
        return F.pixel_shuffle(self.last(self.sixteenth(base, knots)), 8) + 0.5


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


Quantize = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""Latents, means and scale indices -> decoded latents and their bits, all of one shape."""


class Rates(Enum):
    """From what bits are counted."""

    NOISE = auto()
    """From latents with uniform noise, which has useful gradients for the analysis (Balle et al. 2017)."""
    ROUNDED = auto()
    """From latents rounded as an encoder does; certain zeros pay for what they drop, so the scales stay honest."""
    FILE = auto()
    """From latents rounded to the nearest, certain zeros free: a little more than a file takes."""


@dataclass(frozen=True)
class Coded:
    """What one pass through the codec gives, per sample of the batch."""

    high: Tensor
    medium: Tensor
    base_bits: Tensor
    enhancement_bits: Tensor


class Codec(nn.Module):
    """The whole codec as it is trained: both layers, all qualities."""

    def __init__(self, arch: Architecture | None = None) -> None:
        super().__init__()
        arch = arch or Architecture()
        self.arch = arch
        self.analysis = Analysis(arch)
        self.synthesis = Synthesis(arch)
        self.medium_synthesis = MediumSynthesis(arch)
        self.hyper_analysis = HyperAnalysis(arch)
        self.hyper_synthesis = HyperSynthesis(arch)
        self.prior = FactorizedPrior(arch.hyper)
        known = arch.features
        self.contexts = nn.ModuleList()
        for layer in (arch.base, arch.enhancement):
            self.contexts.append(Context(known, arch.context, layer))
            self.contexts.append(Context(known + layer, arch.context, layer))
            known += layer
        self.log_step = nn.Parameter(torch.zeros(KNOTS, arch.latents))
        with torch.no_grad():
            for knot in range(KNOTS):
                weight = rate_distortion_lambda(knot * KNOT_DISTANCE)
                self.log_step[knot] = 0.5 * math.log(26 / weight) - math.log(255)

    def grown(self) -> "Codec":
        """This codec with at least as many blocks as a new one has; added blocks are the identity."""
        new = Architecture()
        counts = {
            name: max(getattr(self.arch, name), getattr(new, name))
            for name in ("blocks_eighth", "blocks_sixteenth", "blocks_medium")
        }
        grown = Codec(replace(self.arch, **counts))
        grown.load_state_dict(self.state_dict(), strict=False)
        return grown

    def fix_encoder(self) -> None:
        """Exclude from training what only the encoder computes, and the step sizes."""
        self.log_step.requires_grad_(False)
        self.analysis.requires_grad_(False)
        self.hyper_analysis.requires_grad_(False)

    def forward(self, picture: Tensor, quality: Tensor, rates: Rates, generated: Tensor | None = None) -> Coded:
        """Code a batch and count its bits.

        Args:
            picture: [B, 3, H, W] in 0..1.
            quality: stored qualities [B], whole numbers as float32.
            rates: how to count.
            generated: [B] of bool; these samples get no enhancement symbols and no enhancement bits.
        """
        knots = knot_weights(quality)
        latents = self.analysis(picture, knots).float() / self.step(knots)
        z = self.hyper_analysis(latents).float()
        hyper = round_through(z).clamp(-HYPER_LIMIT, HYPER_LIMIT)
        with torch.autocast(picture.device.type, enabled=False):
            hyper_bits = self.prior.bits(_perturb(z) if rates is Rates.NOISE else hyper, knots).sum((1, 2, 3))
        in_file = partial(quantize_in_file, rounding=round_through)
        quantize = in_file if rates is Rates.FILE else partial(quantize_in_training, rates=rates)
        coded = self.code(latents, hyper, knots, quantize, generated)
        return Coded(coded.high, coded.medium, hyper_bits + coded.base_bits, coded.enhancement_bits)

    def step(self, knots: Tensor) -> Tensor:
        """Step sizes of the latents, [B, C, 1, 1], in full precision also within autocast."""
        with torch.autocast(knots.device.type, enabled=False):
            return torch.exp(knots @ self.log_step)[:, :, None, None]

    def code(
        self, latents: Tensor, hyper: Tensor, knots: Tensor, quantize: Quantize, generated: Tensor | None = None
    ) -> Coded:
        """Code latents, in units of their step sizes, for rounded hyper latents, whose own bits are not counted."""
        with torch.autocast(latents.device.type, enabled=False):
            features = self.hyper_synthesis(hyper, knots)
            decoded, bits = self._run_contexts(latents, features, quantize, generated)
        base, step = self.arch.base, self.step(knots)
        return Coded(
            high=self.synthesis(decoded * step, knots).float(),
            medium=self.medium_synthesis(decoded[:, :base] * step[:, :base], knots).float(),
            base_bits=bits[0] + bits[1],
            enhancement_bits=bits[2] + bits[3],
        )

    def _run_contexts(
        self, latents: Tensor, features: Tensor, quantize: Quantize, generated: Tensor | None
    ) -> tuple[Tensor, list[Tensor]]:
        """Run the four context steps; returns decoded latents and the bits of each step."""
        first_half = checkerboard(latents)
        known = features
        layers: list[Tensor] = []
        bits: list[Tensor] = []
        for layer, start in zip(torch.split(latents, [self.arch.base, self.arch.enhancement], 1), (0, 2), strict=True):
            drop = generated if layers else None
            mean, index = self.contexts[start](known)
            first, cost = _dropped(*quantize(layer, mean, index), mean, drop)
            first = first * first_half
            bits.append((cost * first_half).sum((1, 2, 3)))

            mean, index = self.contexts[start + 1](torch.cat([known, clip_signal(first)], 1))
            second, cost = _dropped(*quantize(layer, mean, index), mean, drop)
            bits.append((cost * (1 - first_half)).sum((1, 2, 3)))

            layers.append(first + second * (1 - first_half))
            known = torch.cat([known, clip_signal(layers[-1])], 1)
        return torch.cat(layers, 1), bits


def _dropped(decoded: Tensor, bits: Tensor, mean: Tensor, drop: Tensor | None) -> tuple[Tensor, Tensor]:
    """Means and no bits for those samples of the batch that get no symbols."""
    if drop is None:
        return decoded, bits
    dropped = drop[:, None, None, None]
    return torch.where(dropped, mean, decoded), bits * ~dropped


def quantize_in_file(
    latents: Tensor, mean: Tensor, index: Tensor, rounding: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """Decoded latents and bits; scale index 0 means certainly zero, which is free."""
    symbol = rounding(latents - mean) * (index > 0)
    return symbol + mean, gaussian_bits(symbol, scale_of_index(index)) * (index > 0)


def quantize_in_training(latents: Tensor, mean: Tensor, index: Tensor, rates: Rates) -> tuple[Tensor, Tensor]:
    """Decoded latents and bits; certain zeros cost what the latents that they replace would."""
    residual = latents - mean
    scale = scale_of_index(index)
    rounded = round_with_dead_zone(residual, scale) if rates is Rates.ROUNDED else round_through(residual)
    bits = gaussian_bits(_perturb(residual) if rates is Rates.NOISE else rounded, scale)
    return rounded * (index > 0) + mean, bits


def _perturb(x: Tensor) -> Tensor:
    """Uniform noise of unit width: rounding's stand-in for rates."""
    return x + torch.rand_like(x) - 0.5


def checkerboard(latents: Tensor) -> Tensor:
    """1 where row + column is odd (coded first), 0 elsewhere, [1, 1, H, W]."""
    rows = torch.arange(latents.shape[2], device=latents.device)[:, None]
    columns = torch.arange(latents.shape[3], device=latents.device)[None]
    return ((rows + columns) % 2).to(latents.dtype)[None, None]


def random_qualities(count: int, generator: torch.Generator) -> Tensor:
    """Stored qualities, one drawn uniformly from each of `count` equal ranges, as float32 [count]."""
    place = torch.rand(count, generator=generator, device=generator.device)
    ranges = torch.arange(count, device=generator.device)
    return ((ranges + place) / count * QUALITY_MAX).round()
