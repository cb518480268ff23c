"""JPEG files that lack nothing but their last marker."""

import io
import random
import re

from PIL import Image

_END = b"\xff\xd9"
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_WITHOUT_LENGTH, _SCAN = (0x01, 0xD8), 0xDA
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_RESTARTS = range(0xD0, 0xD8)


def with_end_marker(image: Image.Image) -> Image.Image | None:
    """The loaded image of a JPEG file that lacks its end marker, if all of its samples are there."""
    opened = getattr(image, "fp", None)
    if image.format != "JPEG" or opened is None:
        return None
    opened.seek(0)
    file = opened.read().removesuffix(_END[:1])
    if file.endswith(_END) or not _has_all_scans(file):
        return None
    complete, other = (Image.open(io.BytesIO(file + more + _END), formats=["JPEG"]) for more in (b"", _filler()))
    return complete if complete.tobytes() == other.tobytes() else None


def _has_all_scans(file: bytes) -> bool:
    """Whether there is a scan for every bit of every coefficient; the last one may end anywhere."""
    missing: dict[int, set[int]] = {}
    place = 0
    while found := _MARKER.search(file, place):
        kind, place = found[1][0], found.end()
        if kind in _WITHOUT_LENGTH:
            continue
        length = int.from_bytes(file[place : place + 2])
        segment = file[place + 2 : place + length]
        place += length
        if kind in _FRAMES:
            missing = {component: {*range(64)} for component in segment[6::3]}
        elif kind == _SCAN:
            end = 1 + 2 * segment[0]
            first, last, bits = segment[end : end + 3]
            for component in segment[1:end:2] if bits & 15 == 0 else b"":
                missing[component] -= {*range(first, last + 1)}
    return bool(missing) and not any(missing.values())


def _filler() -> bytes:
    """What decoders take for samples if some are missing, in whatever restart interval, and ignore otherwise."""
    samples = random.Random(1).randbytes(2000).replace(b"\xff", b"")
    return b"".join(samples + bytes([0xFF, restart]) for restart in _RESTARTS)
