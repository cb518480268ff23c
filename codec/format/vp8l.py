"""WebP lossless: one still picture of RGB samples <-> a VP8L bitstream (RFC 9649, section 3), by libwebp in Pillow.

Files of aez hold the bare bitstream; libwebp wants the 20 bytes of a RIFF container before it.
"""

import io
import struct

import numpy as np
from PIL import Image

from ..arrays import Samples
from ..errors import DamagedError
from ..limits import raise_pillows_limit

SIDE_MAX = 16383
METHOD, EFFORT = 4, 80
_RIFF = struct.Struct("<4sI4s4sI")
_HEADER = struct.Struct("<BI")
_SIGNATURE, _SIDE_BITS = 0x2F, 14


def compress(rgb: Samples, method: int = METHOD, effort: int = EFFORT) -> bytes:
    """The bitstream of samples [H, W, 3], sides from 1 to `SIDE_MAX`; method and effort are libwebp's."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "WEBP", lossless=True, quality=effort, method=method, exact=True)
    *_, size = _RIFF.unpack_from(buffer.getbuffer())
    return buffer.getvalue()[_RIFF.size : _RIFF.size + size]


def decompress(stream: bytes, width: int, height: int) -> Samples:
    """Samples [H, W, 3]; nothing of another size is decoded.

    Raises:
        DamagedError: damaged, of another size, or with alpha.
    """
    if len(stream) < _HEADER.size:
        raise DamagedError("a sheet of exact samples is truncated")
    if _HEADER.unpack_from(stream) != (_SIGNATURE, (height - 1) << _SIDE_BITS | (width - 1)):
        raise DamagedError(f"a sheet of exact samples is not one of {width} x {height} pixels")
    even = stream + bytes(len(stream) % 2)
    riff = _RIFF.pack(b"RIFF", _RIFF.size - 8 + len(even), b"WEBP", b"VP8L", len(stream))
    raise_pillows_limit(width * height)
    try:
        with Image.open(io.BytesIO(riff + even), formats=["WEBP"]) as image:
            return np.ascontiguousarray(image.convert("RGB"))
    except (OSError, ValueError) as error:
        raise DamagedError("a sheet of exact samples is damaged") from error
