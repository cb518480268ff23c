"""SSIMULACRA2 by the package of that name (aez[compare]), in strips, so that large pictures fit into memory.

Sneyers, "SSIMULACRA 2" (github.com/cloudinary/ssimulacra2): 90 is visually lossless, 70 high quality, 50 medium; very
bad pictures are below 0. The package takes files, and twenty planes of float64 at a time, which is 10 GB for 24
megapixels. Here its parts are applied to some rows after the other; the result is that of the package.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..arrays import Floats, Samples
from ..errors import PictureError, needs_extra

SIDE_MIN = 8
GRAY = "#808080"
_STRIP_PIXELS = 1 << 18
_HALO = 5  # rows that the package's blur sees on either side
Light = Samples | Floats
"""A picture [H, W, 3]: samples, or the linear light of a smaller scale."""


def has_ssimulacra2() -> bool:
    """Whether the package is installed."""
    return find_spec("ssimulacra2") is not None


def check_ssimulacra2(width: int = SIDE_MIN, height: int = SIDE_MIN) -> None:
    """Find out whether pictures, of a size if that is known, can be measured.

    Raises:
        AezError: the package is missing.
        PictureError: the picture is too small.
    """
    if not has_ssimulacra2():
        raise needs_extra("SSIMULACRA2", "ssimulacra2", "compare")
    if min(width, height) < SIDE_MIN:
        raise PictureError(f"SSIMULACRA2 needs {SIDE_MIN} x {SIDE_MIN} pixels or more")


def ssimulacra2(decoded: Image.Image, original: Image.Image) -> float:
    """SSIMULACRA2 of a picture, 100 for equal ones. Gray counts as RGB, alpha is put on the middle gray.

    Raises:
        AezError, PictureError: as from `check_ssimulacra2`.
    """
    check_ssimulacra2(*original.size)
    from ssimulacra2 import ssimulacra2 as package

    score = package.Msssim()
    pair: tuple[Light, Light] = (_opaque(original), _opaque(decoded))
    while len(score.scales) < package.kNumScales and min(pair[0].shape[:2]) >= SIDE_MIN:
        score.scales.append(_compare(package, *pair))
        pair = _halved(package, pair[0]), _halved(package, pair[1])
    return float(score.score())


def _opaque(image: Image.Image) -> Samples:
    if image.has_transparency_data:
        behind = Image.new("RGBA", image.size, GRAY)
        behind.alpha_composite(image.convert("RGBA"))
        image = behind
    return np.asarray(image.convert("RGB"))


def _compare(package: Any, original: Light, decoded: Light) -> Any:
    """What differs on one scale, as the package keeps it: a mean and a 4-norm by turns."""
    height = len(original)
    sums = np.zeros(18)
    powers = np.tile([1.0, 4.0], 9)
    for start, stop in _strips(original):
        top, bottom = max(start - _HALO, 0), min(stop + _HALO, height)
        inner = np.s_[:, start - top : stop - top]  # rows come second in what the package makes of linear light
        a, b = (
            package.make_positive_xyb(package.linear_rgb_to_xyb(_linear(package, light[top:bottom])))
            for light in (original, decoded)
        )
        mean_a, mean_b, *products = (package.blur_image(x)[inner] for x in (a, b, a * a, b * b, a * b))
        structure = package.ssim_map(mean_a, mean_b, *products)
        edges = package.edge_diff_map(a[inner], mean_a, b[inner], mean_b)
        sums += (stop - start) * np.concatenate([structure, edges]) ** powers
    means = (sums / height) ** (1 / powers)
    scale = package.MsssimScale()
    scale.avg_ssim, scale.avg_edgediff = means[:6], means[6:]
    return scale


def _halved(package: Any, light: Light) -> Light:
    """Linear light of half the size."""
    halves = [package.downsample(_linear(package, light[start:stop]), 2, 2) for start, stop in _strips(light)]
    return np.concatenate(halves, dtype=np.float32)


def _linear(package: Any, light: Light) -> npt.NDArray[np.float64]:
    """Linear light of samples, or of what is linear already."""
    linear: npt.NDArray[np.float64] = package.srgb_to_linear(light) if light.dtype == np.uint8 else light.astype(float)
    return linear


def _strips(light: Light) -> Iterator[tuple[int, int]]:
    """First row and end of strips of an even number of rows."""
    height, width = light.shape[:2]
    rows = max(_STRIP_PIXELS // width // 2 * 2, 2 * _HALO)
    return ((start, min(start + rows, height)) for start in range(0, height, rows))
