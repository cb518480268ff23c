"""What the benchmarks share: pictures, PSNR, curves and BD-rate, as defined in benchmarks/README.md."""

import io
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

JPEG_QUALITIES = (8, 15, 25, 40, 55, 70, 80, 88, 94, 97)
AEZ_QUALITIES = (0, 10, 25, 40, 55, 70, 85, 100)
BD_RANGE = (29.0, 39.0)


@dataclass(frozen=True)
class Point:
    """Mean over the pictures at one quality: bits per pixel and PSNR in dB."""

    quality: float
    bpp: float
    psnr: float


def load_pictures(folder: Path) -> list[Image.Image]:
    """All PNG pictures of a folder as RGB, in order of name."""
    paths = sorted(folder.glob("*.png"))
    if not paths:
        raise SystemExit(f"{folder}: no PNG pictures")
    return [Image.open(path).convert("RGB") for path in paths]


def psnr(image: Any, expected: Any) -> float:
    """PSNR over RGB in dB, 255 being the peak."""
    error = np.asarray(image, np.float64) - np.asarray(expected, np.float64)
    return 10 * math.log10(255**2 / max(float(np.square(error).mean()), 1e-9))


def pillow_encoder(format: str, **options: Any) -> Callable[[Image.Image], bytes]:
    """An encoder of one of Pillow's formats."""

    def encode(image: Image.Image) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, format, **options)
        return buffer.getvalue()

    return encode


def pillow_decode(data: bytes) -> Image.Image:
    """Decode whatever Pillow recognizes."""
    return Image.open(io.BytesIO(data)).convert("RGB")


def mean_point(quality: float, coded: Iterable[tuple[int, int, float]]) -> Point:
    """The point of a curve from (bytes, pixels, PSNR) of each picture."""
    rows = list(coded)
    return Point(
        quality,
        float(np.mean([8 * size / pixels for size, pixels, _ in rows])),
        float(np.mean([value for _, _, value in rows])),
    )


def bd_rate(anchor: list[Point], curve: list[Point]) -> float | None:
    """BD-rate in percent against the anchor over `BD_RANGE`; none where a curve does not span it."""
    import bjontegaard

    cut = [_cut(points) for points in (anchor, curve)]
    if cut[0] is None or cut[1] is None:
        return None
    (anchor_rates, anchor_values), (rates, values) = cut[0], cut[1]
    rate = bjontegaard.bd_rate(anchor_rates, anchor_values, rates, values, "akima", require_matching_points=False)
    return float(rate)


def _cut(points: list[Point]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
    """Rates and PSNRs within `BD_RANGE`, its ends interpolated (Akima, log rate over PSNR)."""
    from scipy.interpolate import Akima1DInterpolator

    ordered = sorted(points, key=lambda point: point.psnr)
    values = np.array([point.psnr for point in ordered])
    if values[0] > BD_RANGE[0] or values[-1] < BD_RANGE[1]:
        return None
    log_rate = Akima1DInterpolator(values, np.log([point.bpp for point in ordered]))
    inside = values[(values > BD_RANGE[0]) & (values < BD_RANGE[1])]
    cut = np.concatenate([[BD_RANGE[0]], inside, [BD_RANGE[1]]])
    return np.exp(log_rate(cut)), cut
