"""PNG files of every kind the standard allows, written from scratch, since Pillow does not write them all."""

import itertools
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))

Samples = npt.NDArray[np.int64]


class Colour(IntEnum):
    """PNG's colour types."""

    GRAY = 0
    RGB = 2
    PALETTE = 3
    GRAY_ALPHA = 4
    RGBA = 6

    @property
    def channels(self) -> int:
        return {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[self]

    @property
    def depths(self) -> tuple[int, ...]:
        return {0: (1, 2, 4, 8, 16), 3: (1, 2, 4, 8)}.get(self, (8, 16))


@dataclass(frozen=True)
class Kind:
    """One combination of what a PNG's header and transparency chunk may say."""

    colour: Colour
    depth: int
    interlaced: bool
    transparency: bool

    def __str__(self) -> str:
        marks = ("-interlaced" if self.interlaced else "") + ("-transparency" if self.transparency else "")
        return f"{self.colour.name.lower()}-{self.depth}{marks}"


def kinds() -> Iterator[Kind]:
    for colour in Colour:
        for depth, interlaced in itertools.product(colour.depths, (False, True)):
            yield Kind(colour, depth, interlaced, False)
            if colour not in (Colour.GRAY_ALPHA, Colour.RGBA):
                yield Kind(colour, depth, interlaced, True)


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def header(width: int, height: int, kind: Kind) -> bytes:
    fields = (width, height, kind.depth, kind.colour, 0, 0, kind.interlaced)
    return chunk(b"IHDR", struct.pack(">IIBBBBB", *fields))


def gradient(width: int, height: int, kind: Kind) -> Samples:
    """Samples [height, width, channels] that use the whole range of the depth."""
    rows, columns = np.mgrid[0:height, 0:width]
    largest = (1 << kind.depth) - 1
    planes = [largest * part // (whole - 1) for part, whole in ((columns, width), (rows, height))]
    planes += [largest - planes[0], np.maximum(planes[0], planes[1])]
    return np.stack(planes[: kind.colour.channels], 2)


def png(samples: Samples, kind: Kind) -> bytes:
    """A PNG file; its transparency chunk makes the colour of the last pixel transparent; its palette is a ramp."""
    height, width = samples.shape[:2]
    parts = [SIGNATURE, header(width, height, kind)]
    if kind.colour == Colour.PALETTE:
        ramp = np.linspace(0, 255, 1 << kind.depth).astype(np.uint8)
        parts.append(chunk(b"PLTE", np.stack([ramp, ramp[::-1], ramp], 1).tobytes()))
    if kind.transparency:
        last = [int(number) for number in samples[-1, -1]]
        is_palette = kind.colour == Colour.PALETTE
        parts.append(chunk(b"tRNS", b"\xff" * last[0] + b"\0" if is_palette else struct.pack(f">{len(last)}H", *last)))
    return b"".join([*parts, chunk(b"IDAT", zlib.compress(_scanlines(samples, kind))), chunk(b"IEND", b"")])


def _scanlines(samples: Samples, kind: Kind) -> bytes:
    passes = _ADAM7 if kind.interlaced else ((0, 0, 1, 1),)
    parts = (samples[top::down, left::right] for top, left, down, right in passes)
    return b"".join(b"\0" + _pack(row.ravel(), kind.depth) for part in parts if part.size for row in part)


def _pack(row: Samples, depth: int) -> bytes:
    if depth == 16:
        return row.astype(">u2").tobytes()
    bits = row[:, None] >> np.arange(depth - 1, -1, -1) & 1
    return np.packbits(bits.astype(np.uint8).ravel()).tobytes()
