"""Errors of colour, which SSIMULACRA2 hardly sees and eyes do: of chroma, and of the mean of an area."""

import torch
from torch import Tensor
from torch.nn import functional as F

CHROMA_WEIGHT = 1.5
MEANS_WEIGHT = 16.0
_AREA, _STRIDE = 16, 8
_CHROMA = ((-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))  # Cb, Cr


def colour_error(picture: Tensor, shown: Tensor) -> Tensor:
    """Weighted squared errors of chroma (JPEG's Cb and Cr) and of the means of areas of 16 x 16, [B], in units of 1.

    What is a whole area's error costs bits for one number, yet squared error counts it no more than grain of the same
    size, and a purple floor turns pink.

    Args:
        picture: the originals, [B, 3, H, W] in 0..1.
        shown: what is shown of them, alike.
    """
    error = shown - picture
    chroma = torch.einsum("kc,bchw->bkhw", error.new_tensor(_CHROMA), error)
    sides = [min(_AREA, side) for side in error.shape[2:]]
    means = F.avg_pool2d(error, sides, _STRIDE)
    return CHROMA_WEIGHT * chroma.square().sum(1).mean((1, 2)) + MEANS_WEIGHT * means.square().mean((1, 2, 3))
