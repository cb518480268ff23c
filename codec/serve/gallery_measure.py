"""Measures what JPEG and AVIF would need for what an .aez file shows: once, offline, against the original."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

from PIL import Image

from .. import api
from ..compare.codecs import ImageCodec, installed_codecs
from ..compare.comparison import medium_of
from ..compare.measure import nearest_fidelity
from ..errors import AezError
from ..metrics.fidelity import psnr
from ..model.registry import DEFAULT_MODEL
from ..picture.files.formats import READABLE
from ..picture.files.opening import plain_picture
from .folder import SUFFIX, Folder
from .gallery_facts import Facts, Measured, keep_facts, load_facts

_KEEP_SECONDS = 5.0
_BYTES_PER_PIXEL = 8  # more than any .aez has


def measure_folder(
    root: Path, originals: Path, threads: int, max_pixels: int
) -> Iterator[tuple[str, AezError | OSError | None]]:
    """Measure what is new in a folder of .aez files, and keep that beside them; yields names, with what went wrong.

    The original of `a/b.aez` is `a/b.png`, or another picture of that name, in the folder of originals.

    Raises:
        AezError, OSError: nothing can be measured, or nothing kept.
    """
    folder = Folder(root, max_bytes=_BYTES_PER_PIXEL * max_pixels)
    known: Mapping[str, Measured] = load_facts(root)
    found: dict[str, Measured] = {}
    codecs = installed_codecs(DEFAULT_MODEL, threads, max_pixels)
    avif = next((codec for codec in codecs.others if codec.name.startswith("AVIF")), None)
    kept = time.monotonic()
    for file_name in folder.names():
        name = file_name.removesuffix(SUFFIX)
        try:
            stored = folder.read(file_name)
            if stored is None:
                continue
            if name in known and known[name].bytes == len(stored.data):
                found[name] = known[name]
                continue
            original, _ = plain_picture(_original(originals, name).read_bytes(), max_pixels)
            found[name] = _measure(stored.data, original, codecs.jpeg, avif, threads, max_pixels)
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
    data: bytes, original: Image.Image, jpeg: ImageCodec, avif: ImageCodec | None, threads: int, max_pixels: int
) -> Measured:
    smaller, average = medium_of(original)
    options: api.DecodeOptions = {"threads": threads, "max_pixels": max_pixels}
    high = api.decode(data, "high", **options).convert(original.mode)
    medium = api.decode(data, "medium", **options).convert(original.mode)
    if high.size != original.size:
        raise AezError(f"the original has another size, {original.width} x {original.height}")
    return Measured(
        bytes=len(data),
        high=_facts(original, psnr(high, original), jpeg, avif),
        medium=_facts(smaller, psnr(medium, average), jpeg, avif),
    )


def _facts(image: Image.Image, decibels: float, jpeg: ImageCodec, avif: ImageCodec | None) -> Facts:
    avif_bytes = nearest_fidelity(avif, image, decibels, "psnr").bytes if avif else None
    return Facts(decibels, nearest_fidelity(jpeg, image, decibels, "psnr").bytes, avif_bytes)
