"""TIFF files of one gray plane, written from scratch, since Pillow writes few kinds of them."""

import struct
import zlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

ByteOrder = Literal["<", ">"]
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
WHITE_IS_ZERO, BLACK_IS_ZERO = 0, 1
_TYPES = {1: "B", 3: "H", 4: "L", 9: "l", 11: "f"}


@dataclass(frozen=True)
class Kind:
    """What a file says of its samples."""

    bits: int
    photometric: int = BLACK_IS_ZERO
    sample_format: int = UNSIGNED
    order: ByteOrder = "<"
    deflated: bool = False


def tiff(samples: npt.NDArray[np.generic], kind: Kind, *tags: tuple[int, int, float]) -> bytes:
    """A file of samples [height, width]; further tags as name, type and value."""
    height, width = samples.shape
    data = _pack(samples, kind)
    if kind.deflated:
        data = zlib.compress(data)
    fields = [
        *((256, 4, width), (257, 4, height), (258, 3, kind.bits), (259, 3, 8 if kind.deflated else 1)),
        *((262, 3, kind.photometric), (273, 4, 8), (277, 3, 1), (278, 4, height), (279, 4, len(data))),
        *((339, 3, kind.sample_format), *tags),
    ]
    data += bytes(len(data) % 2)
    directory = struct.pack(f"{kind.order}H", len(fields)) + b"".join(
        struct.pack(f"{kind.order}HHL", tag, type, 1) + struct.pack(kind.order + _TYPES[type], value).ljust(4, b"\0")
        for tag, type, value in sorted(fields)
    )
    start = {"<": b"II*\0", ">": b"MM\0*"}[kind.order] + struct.pack(f"{kind.order}L", 8 + len(data))
    return start + data + directory + bytes(4)


def _pack(samples: npt.NDArray[np.generic], kind: Kind) -> bytes:
    if kind.bits % 8 == 0:
        letter = {UNSIGNED: "u", SIGNED: "i", FLOAT: "f"}[kind.sample_format]
        return samples.astype(f"{kind.order}{letter}{kind.bits // 8}").tobytes()
    places = np.arange(kind.bits - 1, -1, -1)
    bits = (samples.astype(np.int64)[..., None] >> places & 1).reshape(len(samples), -1)
    return np.packbits(bits.astype(np.uint8), axis=1).tobytes()
