"""Casts: errors of an area's mean, such as a purple floor that turns pink, which eyes see and SSIMULACRA2 does not."""

from torch import Tensor
from torch.nn import functional as F

_AREA, _STRIDE = 16, 8


def cast_error(picture: Tensor, shown: Tensor) -> Tensor:
    """Mean squared error of the means of areas of 16 x 16, [B], in units of 1.

    A cast costs bits for one number an area, yet squared error counts it no more than grain of the same size.

    Args:
        picture: the originals, [B, 3, H, W] in 0..1.
        shown: what is shown of them, alike.
    """
    error = shown - picture
    sides = [min(_AREA, side) for side in error.shape[2:]]
    return F.avg_pool2d(error, sides, _STRIDE).square().mean((1, 2, 3))
