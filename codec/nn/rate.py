"""Rate terms of the loss: bits of latents under a Gaussian and of hyper latents under a factorized prior."""

import math

import torch
from torch import Tensor, nn

from ..format.quality import DISTORTION_WEIGHT, KNOTS
from ..format.tables import SCALES
from .gradients import lower_bound, straight_through

SCALE_MIN, SCALE_MAX = 0.168, 134.4
PROBABILITY_MIN = 1e-9
_LOG_STEP = math.log(SCALE_MAX / SCALE_MIN) / (SCALES - 1)


def scale_of_index(index: Tensor) -> Tensor:
    """Standard deviation of a scale index 0..63 of the log-spaced table."""
    return SCALE_MIN * torch.exp(index * _LOG_STEP)


def round_index(index: Tensor) -> Tensor:
    """Round to a scale index 0..63; gradients pass the bounds where they lead back."""
    bounded = -lower_bound(-lower_bound(index, 0.0), -(SCALES - 1.0))
    return straight_through(bounded, torch.round(bounded))


def gaussian_bits(symbol: Tensor, scale: Tensor) -> Tensor:
    """Bits of symbols, whole numbers or with noise in place of rounding, under N(0, scale^2) (Balle et al. 2018)."""
    half = math.sqrt(0.5) / scale
    distance = symbol.abs()
    mass = 0.5 * (torch.erfc((distance - 0.5) * half) - torch.erfc((distance + 0.5) * half))
    return -torch.log2(lower_bound(mass, PROBABILITY_MIN))


def round_with_dead_zone(residual: Tensor, scale: Tensor) -> Tensor:
    """What `coding.dead_zone` makes of residuals, with a Gaussian's bits for a table's; gradient of the identity."""
    magnitude, scale = residual.detach().abs(), scale.detach()
    nearest = torch.round(magnitude)
    lower = (nearest - 1).clamp_min(0)
    saved = gaussian_bits(nearest, scale) - gaussian_bits(lower, scale)
    chosen = torch.where(nearest - magnitude > 0.5 - saved / (2 * DISTORTION_WEIGHT), lower, nearest)
    return straight_through(residual, chosen * residual.detach().sign())


class FactorizedPrior(nn.Module):
    """Mixture of three logistics per channel, its width depending on the quality (Balle et al. 2018, simplified)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.linspace(-1, 1, 3).repeat(channels, 1))
        self.log_scale = nn.Parameter(torch.zeros(channels, 3))
        self.weight = nn.Parameter(torch.zeros(channels, 3))
        self.quality = nn.Parameter(torch.zeros(KNOTS, channels))

    def mass(self, z: Tensor, knots: Tensor) -> Tensor:
        """Probability of unit bins around z [B, C, H, W] for interpolation weights knots [B, KNOTS]."""
        width = torch.exp(self.log_scale + (knots @ self.quality)[:, :, None])[:, :, :, None, None]
        mean = self.mean[None, :, :, None, None]
        weight = torch.softmax(self.weight, 1)[None, :, :, None, None]
        z = z[:, :, None]
        upper, lower = torch.sigmoid((z + 0.5 - mean) / width), torch.sigmoid((z - 0.5 - mean) / width)
        return ((upper - lower) * weight).sum(2)

    def bits(self, z: Tensor, knots: Tensor) -> Tensor:
        """Bits of each element of z [B, C, H, W]."""
        return -torch.log2(lower_bound(self.mass(z, knots), PROBABILITY_MIN))
