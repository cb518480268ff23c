"""How latents are quantized and counted while training, validating and refining."""

from collections.abc import Callable
from enum import Enum, auto

import torch
from torch import Tensor

from .gradients import round_through
from .rate import gaussian_bits, round_with_dead_zone, scale_of_index

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
    bits = gaussian_bits(perturb(residual) if rates is Rates.NOISE else rounded, scale)
    return rounded * (index > 0) + mean, bits


def perturb(x: Tensor) -> Tensor:
    """Uniform noise of unit width: rounding's stand-in for rates."""
    return x + torch.rand_like(x) - 0.5
