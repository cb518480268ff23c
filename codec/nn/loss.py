"""The rate-distortion loss: for eyes (SSIMULACRA2, squared error, casts, blocking), or for squared error alone."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ..format.quality import LAMBDA_MIN, QUALITY_MAX, rate_distortion_lambda
from .blocking import blocking
from .casts import cast_error
from .codec import Coded
from .ssimulacra2 import ssimulacra2_distance

LossName = Literal["eyes", "mse"]

GENERATED_WEIGHT = 0.2
# A network that is trained for one measure alone learns its gaps, so squared error stays in the loss.
EYES_SHARE = 0.45
# Bits per pixel that a point of SSIMULACRA2 is worth at the lowest and at the highest quality: what photographs take
# there for one more with a model that is trained for squared error.
POINT_MIN, POINT_MAX = 0.00236, 0.377
MEDIUM_EYES_WEIGHT = 0.25
BLOCKING_WEIGHT, CAST_WEIGHT = 4.0, 8.8  # at the price of squared error


def medium_weight(quality: Tensor) -> Tensor:
    """Weight of the medium picture's squared error for stored qualities: 0.7 at quality 0, soon falling to 0.2.

    At the lowest rates nearly all bits are base bits, and medium must still be clearly better than high.
    """
    return 0.2 + 0.5 * (1 - quality / QUALITY_MAX) ** 4


@dataclass(frozen=True)
class Terms:
    """Per sample of a batch, [B]: rates in bits per pixel, mean squared errors in units of 255^2, and the cost.

    `high_cost` and `medium_cost` are lambda * distortion of both pictures, in bits per pixel; `scale` is what keeps
    one quality from drowning the others.
    """

    base_bpp: Tensor
    enhancement_bpp: Tensor
    high_mse: Tensor
    medium_mse: Tensor
    high_cost: Tensor
    medium_cost: Tensor
    scale: Tensor

    @property
    def bpp(self) -> Tensor:
        return self.base_bpp + self.enhancement_bpp

    def cost(self, generated: Tensor | None = None) -> Tensor:
        """Rate + lambda * distortion, [B]; the high picture counts little where it was `generated` from base alone."""
        high = self.high_cost
        if generated is not None:
            high = torch.where(generated, GENERATED_WEIGHT * high, high)
        return self.bpp + high + self.medium_cost

    def loss(self, generated: Tensor) -> Tensor:
        """Scalar for gradient descent."""
        return (self.cost(generated) * self.scale).mean()


def measure(coded: Coded, picture: Tensor, quality: Tensor, name: LossName) -> Terms:
    """The terms of a loss for pictures [B, 3, H, W] in 0..1 and stored qualities [B].

    For eyes, pictures and their halves should have 128 pixels a side or more: below, scales of the measure are missing.
    """
    pixels = picture.shape[2] * picture.shape[3]
    half_size = F.avg_pool2d(picture, 2, ceil_mode=True)
    high_mse = (coded.high - picture).square().mean((1, 2, 3)) * 255**2
    medium_mse = (coded.medium - half_size).square().mean((1, 2, 3)) * 255**2
    weight = rate_distortion_lambda(quality)
    high_cost = weight * high_mse
    medium_cost = weight * medium_weight(quality) * medium_mse
    if name == "eyes":
        point = POINT_MIN * torch.exp(math.log(POINT_MAX / POINT_MIN) * quality / QUALITY_MAX)
        high_points = point * ssimulacra2_distance(picture, coded.high)
        medium_points = MEDIUM_EYES_WEIGHT * point * ssimulacra2_distance(half_size, coded.medium)
        high_seen = weight * 255**2 * _seen(picture, coded.high)
        medium_seen = weight * medium_weight(quality) * 255**2 * _seen(half_size, coded.medium)
        high_cost = (1 - EYES_SHARE) * high_cost + EYES_SHARE * high_points + high_seen
        medium_cost = (1 - EYES_SHARE) * medium_cost + EYES_SHARE * medium_points + medium_seen
    return Terms(
        base_bpp=coded.base_bits / pixels,
        enhancement_bpp=coded.enhancement_bits / pixels,
        high_mse=high_mse,
        medium_mse=medium_mse,
        high_cost=high_cost,
        medium_cost=medium_cost,
        scale=(weight / LAMBDA_MIN) ** -0.5,
    )


def _seen(picture: Tensor, shown: Tensor) -> Tensor:
    """What eyes see and neither SSIMULACRA2 nor squared error minds enough, [B], at the price of squared error."""
    return CAST_WEIGHT * cast_error(picture, shown) + BLOCKING_WEIGHT * blocking(picture, shown)
