"""The rate-distortion loss."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..format.quality import LAMBDA_MAX, LAMBDA_MIN, QUALITY_MAX
from .codec import Coded

GENERATED_WEIGHT = 0.2


def medium_weight(quality: Tensor) -> Tensor:
    """Weight of the medium picture's error for stored qualities: 0.7 at quality 0, soon falling to 0.2.

    At the lowest rates nearly all bits are base bits, and medium must still be clearly better than high.
    """
    return 0.2 + 0.5 * (1 - quality / QUALITY_MAX) ** 4


@dataclass(frozen=True)
class Terms:
    """Per sample of a batch: rates in bits per pixel, mean squared errors in units of 255^2, the quality's weights."""

    base_bpp: Tensor
    enhancement_bpp: Tensor
    high_mse: Tensor
    medium_mse: Tensor
    weight: Tensor
    medium_weight: Tensor

    @property
    def bpp(self) -> Tensor:
        return self.base_bpp + self.enhancement_bpp

    def cost(self, generated: Tensor | None = None) -> Tensor:
        """Rate + lambda * distortion, [B]; the high picture counts little where it was `generated` from base alone."""
        high = self.high_mse
        if generated is not None:
            high = torch.where(generated, GENERATED_WEIGHT * high, high)
        return self.bpp + self.weight * (high + self.medium_weight * self.medium_mse)

    def loss(self, generated: Tensor) -> Tensor:
        """Scalar for gradient descent; lambda^-0.5 so that no quality drowns the others."""
        return (self.cost(generated) * (self.weight / LAMBDA_MIN) ** -0.5).mean()


def measure(coded: Coded, picture: Tensor, quality: Tensor) -> Terms:
    """The terms of the loss for pictures [B, 3, H, W] in 0..1 and stored qualities [B]."""
    pixels = picture.shape[2] * picture.shape[3]
    half_size = F.avg_pool2d(picture, 2, ceil_mode=True)
    return Terms(
        base_bpp=coded.base_bits / pixels,
        enhancement_bpp=coded.enhancement_bits / pixels,
        high_mse=(coded.high - picture).square().mean((1, 2, 3)) * 255**2,
        medium_mse=(coded.medium - half_size).square().mean((1, 2, 3)) * 255**2,
        weight=LAMBDA_MIN * (LAMBDA_MAX / LAMBDA_MIN) ** (quality / QUALITY_MAX),
        medium_weight=medium_weight(quality),
    )


def psnr(mse: Tensor) -> Tensor:
    """PSNR in dB of mean squared errors in units of 255^2."""
    return 10 * torch.log10(255**2 / mse.clamp_min(1e-9))
