"""Measures what JPEG and AVIF would need for what an .aez file shows: once, offline, against the original."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

from PIL import Image, features

from .. import api
from ..arrays import AnyArray
from ..compare.codecs import ImageCodec, avif_codec, jpeg_codec
from ..compare.comparison import medium_of
from ..compare.measure import fidelity, nearest_fidelity
from ..errors import AezError, PictureError
from ..metrics.rate_distortion import Metric
from ..metrics.ssimulacra2 import SIDE_MIN
from ..picture.files.formats import READABLE
from ..picture.files.opening import plain_picture
from .folder import SUFFIX, Folder
from .gallery_facts import Facts, Measured, keep_facts, load_facts

_KEEP_SECONDS = 5.0
_BYTES_PER_PIXEL = 8  # more than any .aez has


def measure_folder(
    root: Path, originals: Path, metric: Metric, threads: int, max_pixels: int
) -> Iterator[tuple[str, AezError | OSError | None]]:
    """Measure what is new in a folder of .aez files, and keep that beside them; yields names, with what went wrong.

    The original of `a/b.aez` is `a/b.png`, or another picture of that name, in the folder of originals.

    Raises:
        AezError, OSError: nothing can be measured, or nothing kept.
    """
    folder = Folder(root, max_bytes=_BYTES_PER_PIXEL * max_pixels)
    known: Mapping[str, Measured] = load_facts(root)
    found: dict[str, Measured] = {}
    jpeg, avif = jpeg_codec(), avif_codec(metric) if features.check("avif") else None
    kept = time.monotonic()
    names = list(folder.names())
    if not names:
        raise AezError(f"{root}: nothing to do in this folder")
    for file_name in names:
        name = file_name.removesuffix(SUFFIX)
        try:
            stored = folder.read(file_name)
            if stored is None:
                continue
            if name in known and (known[name].bytes, known[name].metric) == (len(stored.data), metric):
                found[name] = known[name]
                continue
            original, _ = plain_picture(_original(originals, name).read_bytes(), max_pixels)
            found[name] = _measure(stored.data, original, metric, jpeg, avif, threads, max_pixels)
        except (AezError, OSError) as error:
            yield name, error
            continue
        yield name, None
        if time.monotonic() - kept > _KEEP_SECONDS:
            keep_facts(root, {**known, **found})
            kept = time.monotonic()
    keep_facts(root, found)


def _original(originals: Path, name: str) -> Path:
    itself = [name] if PurePath(name).suffix.lower() in READABLE else []  # of `aez batch --keep-extension`
    for candidate in [*itself, *(name + suffix for suffix in sorted(READABLE))]:
        if (path := originals / candidate).is_file():
            return path
    raise AezError(f"{originals} has no original of {name}")


def _measure(
    data: bytes,
    original: Image.Image,
    metric: Metric,
    jpeg: ImageCodec,
    avif: ImageCodec | None,
    threads: int,
    max_pixels: int,
) -> Measured:
    smaller, average = medium_of(original)
    if metric == "ssimulacra2" and min(smaller.size) < SIDE_MIN:
        raise PictureError(f"SSIMULACRA2 of medium needs {2 * SIDE_MIN - 1} pixels a side", "--metric psnr does not")
    options: api.DecodeOptions = {"threads": threads, "max_pixels": max_pixels}
    high = api.decode(data, "high", **options).convert(original.mode)
    medium = api.decode(data, "medium", **options).convert(original.mode)
    if high.size != original.size:
        raise AezError(f"the original has another size, {original.width} x {original.height}")

    def facts(shown: Image.Image, image: Image.Image, unrounded: AnyArray | None = None) -> Facts:
        wanted = fidelity(metric, shown, image, unrounded)
        avif_bytes = nearest_fidelity(avif, image, wanted, metric).bytes if avif else None
        return Facts(wanted, nearest_fidelity(jpeg, image, wanted, metric).bytes, avif_bytes)

    return Measured(len(data), metric, facts(high, original), facts(medium, smaller, average))
