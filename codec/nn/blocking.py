"""Blocking: jumps of the error where two patches of a decoded picture meet, which eyes see first in smooth areas."""

from torch import Tensor
from torch.nn import functional as F

from .lapped import PATCH

_REACH = 4  # samples on either side that tell whether an area is smooth
_SMOOTH = 4 / 255  # differences of neighbouring samples up to which it is


def blocking(picture: Tensor, shown: Tensor) -> Tensor:
    """Mean squared jump of the error across the lines of the grid of patches, [B], in units of 1.

    Jumps count the less, the more the original itself changes nearby. SSIMULACRA2 hardly sees them at full size, and
    squared error has them cost no more than an error of equal size elsewhere.

    Args:
        picture: the originals, [B, 3, H, W] in 0..1; one patch has no neighbours and no jumps.
        shown: what is shown of them, alike.
    """
    return _across_columns(picture, shown) + _across_columns(picture.transpose(2, 3), shown.transpose(2, 3))


def _across_columns(picture: Tensor, shown: Tensor) -> Tensor:
    if picture.shape[3] <= PATCH:
        return picture.new_zeros(len(picture))
    jump = (shown - picture).diff(dim=3).mean(1)
    change = picture.diff(dim=3).mean(1).abs()
    largest = F.max_pool2d(change, 2 * _REACH + 1, 1, _REACH)
    smoothness = 1 / (1 + (largest / _SMOOTH) ** 2)
    lines = slice(PATCH - 1, None, PATCH)
    return (smoothness[..., lines] * jump[..., lines] ** 2).mean((1, 2))
