"""Patches of a picture that overlap: what is added up where they meet has no seams (Malvar's lapped transforms).

A synthesis that gives each 8 x 8 patch by itself shows the grid of patches in smooth areas, since nothing but its loss
tells it that neighbours have to meet.
"""

import torch
from torch import Tensor, nn

PATCH = 8
OVERLAP = 2  # samples by which a patch reaches into its neighbours
SIDE = PATCH + 2 * OVERLAP


class OverlappingPatches(nn.ConvTranspose2d):
    """[B, channels, H/8, W/8] -> [B, 3, H, W]: each place adds a patch of 12 x 12 samples around its own 8 x 8.

    The outermost places are repeated beyond the edges, whose samples would lack what neighbours add.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 3, SIDE, PATCH, PATCH + OVERLAP)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        # torch.compile (2.13) computes a wrong layout for the gradient of F.pad's "replicate".
        x = torch.cat([x[:, :, :1], x, x[:, :, -1:]], 2)
        return super().forward(torch.cat([x[..., :1], x, x[..., -1:]], 3), output_size)


def overlapped(patches: Tensor) -> Tensor:
    """Weights of overlapping patches [C, 3, 12, 12] that begin as those of 8 x 8 ones, [192, C].

    The patches are continued as mirrors, as the cosines of a DCT are, and faded into each other.
    """
    square = patches.reshape(3, PATCH, PATCH, -1).permute(3, 0, 1, 2)
    places = torch.arange(-OVERLAP, PATCH + OVERLAP)
    mirrored = torch.where(places < 0, -1 - places, torch.where(places < PATCH, places, 2 * PATCH - 1 - places))
    rise = torch.sin((torch.arange(2 * OVERLAP) + 0.5) / (2 * OVERLAP) * (torch.pi / 2)) ** 2
    window = torch.cat([rise, torch.ones(SIDE - 4 * OVERLAP), rise.flip(0)]).to(patches.dtype)
    return square[:, :, mirrored][..., mirrored] * window[:, None] * window
