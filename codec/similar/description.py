"""A picture as a vector, the inner products of which say how much two pictures are alike.

As perceptual hashes do (Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010), it takes
the lowest frequencies of the picture, however large that is. Unlike them it has colours, and numbers instead of their
signs.
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from ..api import latents
from ..arrays import Floats
from ..coding.scaled import CELL, analysed_latents, describing_model
from ..format.container import parse_header
from ..limits import MAX_PIXELS
from ..model.registry import load_model
from ..picture.convert import from_pillow
from ..picture.files.opening import open_picture
from .glance import glance

FREQUENCIES = 8
"""Of each plane, down and across."""
SIZE = 3 * FREQUENCIES**2
SAME, ALIKE = 0.6, 0.3
"""From these on two pictures are called the same, or alike; see docs/decisions.md."""
_CELLS_MIN = 6
"""Down and across. Of smaller pictures too little is seen: most are the same in some way to turn them."""
_NOISE = 3.0
"""Levels. Pictures with less structure than that are like nothing, not even themselves."""


@dataclass(frozen=True)
class Description:
    """Size of a picture and of its file, its vector, float32 [SIZE], of a length of up to 1, and the file's SHA-256."""

    width: int
    height: int
    bytes: int
    vector: Floats
    digest: str


def describe_file(data: bytes, threads: int = 0, max_pixels: int = MAX_PIXELS) -> Description:
    """Describe an .aez file.

    Raises:
        AezError: as `aez.latents`.
    """
    found = latents(data, threads=threads, max_pixels=max_pixels)
    header = parse_header(data)
    planes = glance(describing_model(header, threads=threads), found)
    return _description(data, planes, header.width, header.height)


def describe_picture(data: bytes, threads: int = 0, max_pixels: int = MAX_PIXELS) -> Description:
    """As `describe_file`, of a file of any format.

    Raises:
        PictureError: Pillow does not know the format, or it has more than `max_pixels`.
        ModelError: the default model does not work on this machine.
    """
    with open_picture(data, max_pixels) as image:
        rgb = from_pillow(image).seen
    model = load_model(threads=threads)
    return _description(data, glance(model, analysed_latents(model, rgb)), rgb.shape[1], rgb.shape[0])


def likeness(one: Floats, other: Floats) -> Floats:
    """How much pictures are alike, [N, M], of vectors [N, SIZE] and [M, SIZE], however these are turned or mirrored.

    Mirroring changes the sign of odd frequencies, and a quarter turn exchanges down and across besides. So the inner
    products of four parts, of even and odd frequencies, make those of all ways.
    """
    ways = []
    for vectors in (other, _planes(other).swapaxes(2, 3)):
        even, across, down, both = (a @ b.T for a, b in zip(_parts(one), _parts(vectors), strict=True))
        ways += [even + both + np.abs(down + across), even - both + np.abs(down - across)]
    most: Floats = np.max(ways, 0)
    return most


def _description(data: bytes, planes: Floats, width: int, height: int) -> Description:
    return Description(width, height, len(data), _vector(planes, width, height), sha256(data).hexdigest())


def _planes(vectors: Floats) -> Floats:
    return vectors.reshape(-1, 3, FREQUENCIES, FREQUENCIES)


def _parts(vectors: Floats) -> list[Floats]:
    """Of even frequencies, odd ones across, odd ones down, and odd ones both ways, each [N, SIZE / 4]."""
    planes = _planes(vectors)
    return [planes[:, :, down::2, across::2].reshape(-1, SIZE // 4) for down in (0, 1) for across in (0, 1)]


def _vector(planes: Floats, width: int, height: int) -> Floats:
    if min(planes.shape[1:]) < _CELLS_MIN:
        return np.zeros(SIZE, np.float32)
    down, across = _cosines(planes.shape[1], height), _cosines(planes.shape[2], width)
    amplitudes = down @ planes @ across.T
    amplitudes[:, 0, 0] = 0  # the mean colour, which tells the least
    order = np.arange(FREQUENCIES)
    # Amplitudes of natural pictures fall with the frequency (Field 1987), and few are much larger than all others:
    # horizons alone would make pictures alike. Square roots let them count less (Perronnin et al. 2010).
    weighted = amplitudes * np.maximum(np.hypot(order[:, None], order), 1)
    roots = np.sign(weighted) * np.sqrt(np.abs(weighted))
    vector: Floats = (roots / np.hypot(np.linalg.norm(roots), np.sqrt(_NOISE))).astype(np.float32).ravel()
    return vector


def _cosines(cells: int, length: int) -> Floats:
    """The first vectors of a DCT, [FREQUENCIES, cells], for means over cells, the last of which may be cut off."""
    edges = np.minimum(np.arange(cells + 1) * CELL, length) / length
    order = np.arange(FREQUENCIES)[:, None]
    cosines = np.cos(np.pi * order * (edges[1:] + edges[:-1]) / 2) * np.diff(edges)
    cosines[1:] *= np.sqrt(2)
    cosines[cells:] = 0  # which so few cells cannot tell from lower frequencies
    return cosines.astype(np.float32)
