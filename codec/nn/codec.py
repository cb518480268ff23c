"""The codec as it is trained: all networks, with quantization in the loop. Shapes are those of `aez.nn.networks`."""

import math
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from ..format.quality import KNOT_DISTANCE, KNOTS, QUALITY_MAX, rate_distortion_lambda
from ..format.tables import HYPER_MAX
from .gradients import round_through
from .integer import clip_signal
from .networks import (
    Analysis,
    Architecture,
    Context,
    HyperAnalysis,
    HyperSynthesis,
    MediumSynthesis,
    Synthesis,
    knot_weights,
)
from .quantize import Quantize, Rates, perturb, quantize_in_file, quantize_in_training
from .rate import FactorizedPrior


@dataclass(frozen=True)
class Coded:
    """What one pass through the codec gives.

    Pictures in 0..1, not clipped: `high` [B, 3, H, W], `medium` [B, 3, H/2, W/2]. Bits of whole pictures, [B]: those
    of the hyper latents are among `base_bits`.
    """

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
            for name in ("blocks_analysis", "blocks_synthesis", "blocks_sixteenth", "blocks_medium")
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

        Returns:
            The pictures that a decoder would show, and the bits of the file.
        """
        knots = knot_weights(quality)
        latents = self.analysis(picture, knots).float() / self.step(knots)
        z = self.hyper_analysis(latents).float()
        hyper = round_through(z).clamp(-HYPER_MAX, HYPER_MAX)
        with torch.autocast(picture.device.type, enabled=False):
            hyper_bits = self.prior.bits(perturb(z) if rates is Rates.NOISE else hyper, knots).sum((1, 2, 3))
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
        """Code latents for given hyper latents, whose own bits are not counted.

        Args:
            latents: [B, C, H/16, W/16], in units of their step sizes.
            hyper: rounded, [B, C, H/64, W/64].
            knots: interpolation weights of the qualities, [B, KNOTS].
            quantize: how to quantize and to count.
            generated: as in `forward`.
        """
        with torch.autocast(latents.device.type, enabled=False):
            features = self.hyper_synthesis(hyper, knots)
            decoded, bits = self._run_contexts(latents, features, quantize, generated)
        base, step = self.arch.base, self.step(knots)
        return Coded(
            high=self.synthesis(decoded * step, knots),
            medium=self.medium_synthesis(decoded[:, :base] * step[:, :base], knots),
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


def checkerboard(latents: Tensor) -> Tensor:
    """1 where row + column is odd (coded first), 0 elsewhere, [1, 1, H, W]."""
    rows = torch.arange(latents.shape[2], device=latents.device)[:, None]
    columns = torch.arange(latents.shape[3], device=latents.device)[None]
    return ((rows + columns) % 2).to(latents.dtype)[None, None]


def random_qualities(count: int) -> Tensor:
    """Stored qualities, one drawn uniformly from each of `count` equal ranges, as float32 [count]."""
    return ((torch.arange(count) + torch.rand(count)) / count * QUALITY_MAX).round()
