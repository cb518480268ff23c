"""KLT start: linear layers set to the Karhunen-Loeve transform of training patches, so that training begins as a
transform codec instead of at noise."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..nn.codec import Codec
from ..nn.lapped import overlapped

Matrix = npt.NDArray[np.float64]


@torch.no_grad()
def initialize(codec: Codec, patches: Tensor) -> None:
    """Set the linear layers of `codec` from patches [N, 3, 16, 16] in 0..1.

    Base latents start as the principal components of the half-size patch, enhancement latents as those of what base
    leaves over, synthesis as the pseudo-inverse. Blocks are identities already.
    """
    arch = codec.arch
    centred = (patches.cpu() - 0.5).double()
    eighth = F.pixel_unshuffle(centred, 8)
    first = principal(eighth.permute(0, 2, 3, 1).reshape(-1, 192).numpy(), arch.eighth)
    hidden_planes = torch.einsum("cd,ndij->ncij", torch.from_numpy(first), eighth)
    hidden = F.pixel_unshuffle(hidden_planes, 2).flatten(1).numpy()

    half_size = F.pixel_unshuffle(F.avg_pool2d(centred, 2), 8).flatten(1).numpy()
    components = principal(half_size, arch.base)
    to_base = np.linalg.lstsq(hidden, 2 * half_size @ components.T)[0].T

    span = np.linalg.qr(to_base.T).Q
    rest = hidden - (hidden @ span) @ span.T
    down = np.concatenate([to_base, principal(rest, arch.enhancement)])

    _set(codec.analysis.first, first)
    _set(codec.analysis.down, down)
    _set(codec.synthesis.up, np.linalg.pinv(down))
    _set_patches(codec.synthesis.last, first.T)
    _set_patches(codec.medium_synthesis.last, components.T / 2)


def principal(samples: Matrix, count: int) -> Matrix:
    """The first principal components of centred samples [N, D], [count, D]."""
    _, vectors = np.linalg.eigh(samples.T @ samples / len(samples))
    return np.ascontiguousarray(vectors[:, ::-1][:, :count].T)


def _set_patches(layer: nn.ConvTranspose2d, matrix: Matrix) -> None:
    layer.weight.copy_(overlapped(torch.from_numpy(matrix.copy())))
    bias = layer.bias
    if bias is not None:
        bias.zero_()


def _set(layer: nn.Conv2d, matrix: Matrix) -> None:
    layer.weight.copy_(torch.from_numpy(matrix.copy())[:, :, None, None])
    bias = layer.bias
    if bias is not None:
        bias.zero_()
