"""A decoder of what .aez files store exactly, written from format_spec.md alone: slow, exact and short.

`decode_exactly` reads the container, decodes the symbols of both layers (rANS or zstd), runs the exact networks in
int64, and compares both layers with their CRC-32; it unpacks exact blocks and alpha. Samples are not made of latents.
The model id is not checked, as it covers arrays that are not used here.
"""

from __future__ import annotations

import io
import itertools
import struct
import sys
import zlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard
from PIL import Image

Arrays = Mapping[str, npt.NDArray[Any]]
Ints = npt.NDArray[np.int64]
Table = list[int]  # cumulative frequencies, from 0 to 2^24

MAX_PIXELS = 128_000_000  # larger pictures are refused
HAS_ENHANCEMENT, USES_ZSTD, ALL_CODED, HAS_ALPHA = 1, 2, 4, 16  # flags; 8, gray, concerns nothing here
SOME_EXACT, ALL_EXACT = 32, 64
ICC, EXACT, MEDIUM_ALPHA, BASE, ENHANCEMENT, ALPHA = 1, 2, 3, 4, 5, 6
SHEET_SIDE_MAX = 16383
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
PREFIX_TABLE: Table = [0, *itertools.accumulate([1 << (23 - p) for p in range(16)] + [1 << 8])]


@dataclass(frozen=True)
class Decoded:
    """The header's fields, and what a file stores exactly.

    Latents, int16 [C, h, w] in units of 1/16, go into the synthesis networks; there are none where all blocks are
    exact, and none of the enhancement layer where there is no such layer. The map of exact blocks is bool
    [rows, columns].
    """

    flags: int
    quality: int
    width: int
    height: int
    model_id: int
    medium_size: int
    base: npt.NDArray[np.int16] | None
    enhancement: npt.NDArray[np.int16] | None
    exact: npt.NDArray[np.bool_]
    sheet: npt.NDArray[np.uint8] | None
    alpha: npt.NDArray[np.uint8] | None


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


# ---- Container ----


def _read_header(data: bytes) -> tuple[int, int, int, int, int, int]:
    """Flags, quality, width, height, model id and size of the medium file."""
    _check(data[:4] == b"\x89AEZ", "not an aez file")
    _check(data[4:5] == b"\x02", "another version, or none")
    _check(len(data) >= 32, "file shorter than its header")
    fields = struct.unpack_from("<4sBBHIIIIBBBBI", data)
    _, _, flags, quality, width, height, model_id, medium_size, bits, _, _, zero, crc = fields
    _check(zlib.crc32(data[:28]) == crc, "header CRC-32 does not match")
    _check(flags < 128, f"unknown flags {flags:#x}")
    layered = flags & (HAS_ENHANCEMENT | USES_ZSTD | ALL_CODED | SOME_EXACT)
    _check(not (flags & ALL_EXACT and layered), f"contradictory flags {flags:#x}")
    _check(bits == 8, f"{bits} bits a sample")
    _check(zero == 0, f"byte 27 is {zero}")
    _check(quality <= 57344, f"quality {quality} is above 57344")
    _check(1 <= width <= 1 << 24 and 1 <= height <= 1 << 24, f"invalid picture size {width} x {height}")
    _check(width * height <= MAX_PIXELS, f"picture of {width} x {height} pixels is too large")
    _check(medium_size >= 32, f"the medium picture needs {medium_size} bytes, less than the header")
    return flags, quality, width, height, model_id, medium_size


def _read_front(data: bytes, medium_size: int, last: int) -> dict[int, bytes]:
    """The frames (still without their magic number) of the front part."""
    _check(len(data) >= medium_size, f"the medium picture needs {medium_size} bytes, the file has {len(data)}")
    frames: dict[int, bytes] = {}
    position = 32
    while position < medium_size:
        kind, start, position = _next_section(data, position, medium_size)
        if kind >= 130:
            continue
        _check(not 7 <= kind <= 127, f"section of type {kind}, of a newer format")
        _check(max(frames, default=0) < kind <= last, f"section {kind} is out of place")
        frames[kind] = data[start:position]
    return frames


def _read_rest(data: bytes, medium_size: int, last: int) -> tuple[dict[int, bytes], bool]:
    """The frames behind the front part, up to what is damaged or newer; and whether something is newer."""
    frames: dict[int, bytes] = {}
    position = medium_size
    while position < len(data):
        try:
            kind, start, position = _next_section(data, position, len(data))
        except ValueError:
            break
        if 7 <= kind <= 127:
            return frames, True
        if kind >= 130:
            continue
        if kind <= max(frames, default=last):
            break
        frames[kind] = data[start:position]
    return frames, False


def _next_section(data: bytes, position: int, end: int) -> tuple[int, int, int]:
    """The type of the section at a position, and where its frame begins and ends."""
    kind, length, shift = data[position], 0, 0
    while True:
        position += 1
        _check(position < end and shift < 35, f"invalid length of section {kind}")
        length |= (data[position] & 127) << shift
        shift += 7
        if data[position] < 128:
            break
    position += 1
    _check(length <= end - position, f"section {kind} is truncated")
    return kind, position, position + length


def _content(frames: dict[int, bytes], kind: int, most: int) -> bytes:
    """What a section that is needed holds, of a size within limits."""
    _check(kind in frames, f"section {kind} is missing")
    frame = ZSTD_MAGIC + frames[kind]
    try:
        parameters = zstandard.get_frame_parameters(frame)
        size = int(parameters.content_size)
        _check(parameters.has_checksum, f"section {kind} has no checksum")
        _check(size != zstandard.CONTENTSIZE_UNKNOWN, f"section {kind} has no content size")
        _check(1 <= size <= most, f"section {kind} has {size} bytes")
        content = zstandard.ZstdDecompressor().decompress(frame, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ValueError(f"section {kind} cannot be decompressed: {error}") from error
    _check(len(content) == size, f"section {kind} has not the size that it declares")
    return content


# ---- Exact blocks ----


def _read_exact(content: bytes, height: int, width: int) -> tuple[Any, Any]:
    """The map of exact blocks, and the sheet."""
    rows, columns = -(-height // 16), -(-width // 16)
    size = 1 + -(-rows * columns // 8)
    _check(len(content) >= size, "the map of exact blocks is truncated")
    bits = [content[1 + place // 8] >> (7 - place % 8) & 1 for place in range(rows * columns)]
    exact = np.array(bits, np.bool_).reshape(rows, columns)
    _check(bool(exact.any()), "the map of exact blocks is empty")
    down, across = (np.flatnonzero(exact.any(axis=axis)).tolist() for axis in (1, 0))
    bottom, right = min(16 * down[-1] + 16, height), min(16 * across[-1] + 16, width)
    return exact, _read_sheet(content[size:], bottom - 16 * down[0], right - 16 * across[0])


def _read_sheet(data: bytes, height: int, width: int) -> npt.NDArray[np.uint8]:
    sheet = np.empty((height, width, 3), np.uint8)
    position, crc = 0, 0
    for top, left in itertools.product(range(0, height, SHEET_SIDE_MAX), range(0, width, SHEET_SIDE_MAX)):
        part = sheet[top : top + SHEET_SIDE_MAX, left : left + SHEET_SIDE_MAX]
        _check(position + 4 <= len(data), "a sheet is truncated")
        stop = position + 4 + int.from_bytes(data[position : position + 4], "little")
        part[:] = _decode_vp8l(data[position + 4 : stop], *part.shape[:2])
        crc, position = zlib.crc32(part.tobytes(), crc), stop
    _check(data[position:] == crc.to_bytes(4, "little"), "the CRC-32 of a sheet does not match, or is not its end")
    return sheet


def _decode_vp8l(stream: bytes, height: int, width: int) -> npt.NDArray[np.uint8]:
    """The samples of a bitstream, by libwebp."""
    _check(stream[:1] == b"\x2f" and len(stream) >= 5, "not a VP8L bitstream")
    fields = int.from_bytes(stream[1:5], "little")
    _check((fields & 0x3FFF, fields >> 14 & 0x3FFF) == (width - 1, height - 1), "a VP8L bitstream of another size")
    _check(fields >> 28 == 0, "a VP8L bitstream with alpha or of another version")
    chunk = b"WEBPVP8L" + len(stream).to_bytes(4, "little") + stream + bytes(len(stream) % 2)
    try:
        with Image.open(io.BytesIO(b"RIFF" + len(chunk).to_bytes(4, "little") + chunk), formats=["WEBP"]) as image:
            return np.array(image.convert("RGB"))
    except OSError as error:
        raise ValueError(f"a VP8L bitstream is damaged: {error}") from error


def _read_alpha(frames: dict[int, bytes], kind: int, height: int, width: int) -> npt.NDArray[np.uint8]:
    content = _content(frames, kind, width * height)
    if len(content) == width * height:
        return np.frombuffer(content, np.uint8).reshape(height, width)
    return _read_sheet(content, height, width)[..., 1]


# ---- Symbols ----


class RansDecoder:
    """Decodes the symbols of a layer, coded by rANS, group by group."""

    def __init__(self, coded: bytes) -> None:
        _check(len(coded) % 4 == 0, "rANS data is not a whole number of words")
        self._words = [word for (word,) in struct.iter_unpack("<I", coded)]  # read by pop, from the last
        _check(not self._words or self._words[-1] != 0, "the last rANS word is 0")
        self._state = 0
        for _ in range(min(2, len(self._words))):
            self._state = (self._state << 32) + self._words.pop()

    def _advance(self, start: int, frequency: int) -> None:
        """Remove an entry, given by its cumulative frequency and its frequency, from the state."""
        self._state = frequency * (self._state >> 24) + (self._state & 0xFFFFFF) - start
        if self._state < 1 << 32 and self._words:
            self._state = (self._state << 32) + self._words.pop()

    def _entry(self, table: Table) -> int:
        entry = bisect_right(table, self._state & 0xFFFFFF) - 1
        self._advance(table[entry], table[entry + 1] - table[entry])
        return entry

    def _suffix(self, prefix: int) -> int:
        shift = 23 - prefix
        suffix = (self._state & 0xFFFFFF) >> shift
        self._advance(suffix << shift, 1 << shift)
        return suffix

    def group(self, indices: Ints, tables: Sequence[Table]) -> Ints:
        """The symbols of a group, in order; indices[i] names the table of symbol i."""
        symbols = np.zeros(len(indices), np.int64)
        for index in np.unique(indices).tolist():
            table = tables[index]
            limit = (len(table) - 1) // 2 - 1  # L
            escape = len(table) - 2  # the last entry
            places = np.flatnonzero(indices == index)
            entries = np.array([self._entry(table) for _ in places], np.int64)
            symbols[places] = entries - limit
            escaped = places[entries == escape]
            prefixes = [self._entry(PREFIX_TABLE) for _ in escaped]
            suffixes = [self._suffix(prefix) for prefix in prefixes]
            for place, prefix, suffix in zip(escaped, prefixes, suffixes, strict=True):
                magnitude = limit + (1 << prefix) + suffix // 2
                symbols[place] = -magnitude if suffix % 2 else magnitude
        return symbols

    def finish(self) -> None:
        """Check that everything has been decoded."""
        _check(not self._words and self._state == 0, "rANS data does not end with its last symbol")


class ZstdDecoder:
    """The same for symbols coded by zstd: signed bytes, with large ones apart; the compression is the section's."""

    def __init__(self, coded: bytes) -> None:
        _check(len(coded) >= 4, "symbols without the number of large ones")
        end = len(coded) - 4
        start = end - 4 * int.from_bytes(coded[end:], "little")
        _check(start >= 0, "fewer large symbols than declared")
        self._bytes = np.frombuffer(coded[:start], np.int8).astype(np.int64)
        self._large = np.frombuffer(coded[start:end], "<i4").astype(np.int64)
        within = (abs(self._large) > 127) & (abs(self._large) <= 1 << 17)
        _check(bool(within.all()), "a symbol is coded as a large one and is not, or is too large")

    def group(self, indices: Ints, tables: Sequence[Table]) -> Ints:
        _check(len(indices) <= len(self._bytes), "too few symbols")
        symbols, self._bytes = self._bytes[: len(indices)].copy(), self._bytes[len(indices) :]
        is_large = symbols == -128
        count = int(np.count_nonzero(is_large))
        _check(count <= len(self._large), "too few large symbols")
        symbols[is_large], self._large = self._large[:count], self._large[count:]
        return symbols

    def finish(self) -> None:
        _check(not len(self._bytes) and not len(self._large), "too many symbols")


def _cumulate(frequencies: npt.NDArray[Any]) -> Table:
    table: Table = [0, *itertools.accumulate(frequencies.tolist())]
    valid = table[-1] == 1 << 24 and len(table) % 2 == 1 and bool((frequencies >= 1).all())
    _check(valid, "invalid table of frequencies in the model")
    return table


# ---- Exact networks ----


def _convolve(x: Ints, arrays: Arrays, name: str) -> Ints:
    """A layer: convolution (or depthwise convolution) with zeros around, division by 2^shift, rounding half to even."""
    weight, bias, shift = (arrays[f"{name}.{part}"].astype(np.int64) for part in ("weight", "bias", "shift"))
    margin, (_, rows, columns) = weight.shape[2] // 2, x.shape
    padded = np.pad(x, ((0, 0), (margin, margin), (margin, margin)))
    total = np.zeros((len(weight), rows, columns), np.int64) + bias[:, None, None]
    for i, j in np.ndindex(weight.shape[2:]):
        window = padded[:, i : i + rows, j : j + columns]
        if weight.shape[1] == 1 and len(weight) > 1:
            total += weight[:, 0, i, j, None, None] * window
        else:
            total += np.tensordot(weight[:, :, i, j], window, 1)
    divisor: Ints = np.left_shift(1, shift)[:, None, None]
    floor, twice_rest = total // divisor, 2 * (total % divisor)
    rounded: Ints = floor + ((twice_rest > divisor) | ((twice_rest == divisor) & (floor % 2 == 1)))
    return rounded


def _shuffle(x: Ints) -> Ints:
    """Channel 4 c + 2 i + j of a cell becomes channel c at row i and column j of a cell twice as fine."""
    channels, rows, columns = x.shape
    cells: Ints = x.reshape(channels // 4, 2, 2, rows, columns).transpose(0, 3, 1, 4, 2)
    return cells.reshape(channels // 4, 2 * rows, 2 * columns)


def _features(hyper: Ints, quality: int, arrays: Arrays) -> Ints:
    """The features, [channels, 4 R, 4 S], from the hyper latents, [channels, R, S]."""
    x = _shuffle(_convolve(hyper, arrays, "hyper_synthesis.first").clip(0, 255))
    offsets = arrays["offsets"].astype(np.int64)
    k = min(quality // 4096, 13)
    t = quality - 4096 * k
    offset: Ints = ((4096 - t) * offsets[k] + t * offsets[k + 1] + 2048) // 4096
    features: Ints = _shuffle(_convolve(x, arrays, "hyper_synthesis.second")) + offset[:, None, None]
    return features.clip(0, 255)


def _context(step: int, features: Ints, known: Sequence[Ints], arrays: Arrays) -> tuple[Ints, Ints]:
    """Mean, in units of 1/16, and scale index of every latent of the step's layer."""
    x = np.concatenate([features, *(latents.clip(-128, 127) for latents in known)])
    x = _convolve(x, arrays, f"context_{step}.first").clip(0, 255)
    x = _convolve(x, arrays, f"context_{step}.depthwise").clip(0, 255)
    mean, index = np.split(_convolve(x, arrays, f"context_{step}.last"), 2)
    return mean.clip(-32768, 32767), (index + 24).clip(0, 63)


# ---- Layers ----


def _decode_hyper(symbols: RansDecoder | ZstdDecoder, quality: int, shape: tuple[int, int], arrays: Arrays) -> Ints:
    """The hyper latents, [channels, R, S]."""
    frequencies = arrays["hyper_frequencies"][(quality + 2048) // 4096]
    channels = np.repeat(np.arange(len(frequencies)), shape[0] * shape[1])
    hyper = symbols.group(channels, [_cumulate(channel) for channel in frequencies])
    _check(bool((abs(hyper) <= 127).all()), "hyper latent beyond -127..127")
    return hyper.reshape(len(frequencies), *shape)


def _decode_steps(
    first_step: int,
    lower: list[Ints],
    features: Ints,
    symbols: RansDecoder | ZstdDecoder,
    all_coded: bool,
    arrays: Arrays,
) -> Ints:
    """The latents of a layer, [C, h, w], by its two steps; lower are the layers below."""
    frequencies, ends = arrays["scale_frequencies"], np.cumsum(arrays["scale_lengths"])
    _check(int(ends[-1]) == len(frequencies), "scale tables of the model do not match their lengths")
    tables = [_cumulate(table) for table in np.split(frequencies, ends[:-1])]
    channels = len(arrays[f"context_{first_step}.last.weight"]) // 2
    latents = np.zeros((channels, *features.shape[1:]), np.int64)
    row, column = np.indices(features.shape[1:])
    odd = np.broadcast_to((row + column) % 2 == 1, latents.shape)
    for step, known, positions in ((first_step, lower, odd), (first_step + 1, [*lower, latents], ~odd)):
        mean, index = _context(step, features, known, arrays)
        coded = positions if all_coded else positions & (index != 0)
        latents[positions] = mean[positions]
        latents[coded] += 16 * symbols.group(index[coded], tables)
        _check(bool((latents == latents.clip(-32768, 32767)).all()), f"latent of step {step} beyond int16")
    symbols.finish()
    return latents


def _verify(latents: Ints, crc: int, layer: str) -> npt.NDArray[np.int16]:
    """The latents as int16, if they have the CRC-32 stored in the file."""
    _check(zlib.crc32(latents.astype("<i2").tobytes()) == crc, f"CRC-32 of the {layer} layer does not match")
    return latents.astype(np.int16)


def decode_exactly(data: bytes, arrays: Arrays, resolution: str = "high") -> Decoded:
    """Decode what a resolution needs, with the arrays of the file's model.

    Raises ValueError if anything that it needs is missing or invalid.
    """
    flags, quality, width, height, model_id, medium_size = _read_header(data)
    last = ALPHA if flags & ALL_EXACT else BASE
    frames = _read_front(data, medium_size, last)
    rest, newer = _read_rest(data, medium_size, last)
    high = resolution == "high"
    _check(not (high and newer), "high is written in a newer format")
    has_enhancement = high and bool(flags & HAS_ENHANCEMENT)

    shape = -(-height // 64), -(-width // 64)
    alpha = None
    if flags & HAS_ALPHA and flags & ALL_EXACT:
        alpha = _read_alpha(frames, ALPHA, height, width)
    elif flags & HAS_ALPHA and has_enhancement:
        alpha = _read_alpha(rest, ALPHA, height, width)
    elif flags & HAS_ALPHA:
        alpha = _read_alpha(frames, MEDIUM_ALPHA, -(-height // 2), -(-width // 2))
    if ICC in frames or data[25:27] == b"\x02\x02":
        _content(frames, ICC, 4 << 20)
    exact, sheet = np.full((-(-height // 16), -(-width // 16)), bool(flags & ALL_EXACT)), None
    if flags & (SOME_EXACT | ALL_EXACT):
        content = _content(frames, EXACT, 4 * width * height + 65536)
        if flags & ALL_EXACT:
            _check(len(content) > 0, "the section of exact blocks is empty")
            sheet = _read_sheet(content[1:], height, width)
            return Decoded(flags, quality, width, height, model_id, medium_size, None, None, exact, sheet, alpha)
        exact, sheet = _read_exact(content, height, width)

    symbol_decoder = ZstdDecoder if flags & USES_ZSTD else RansDecoder
    all_coded = bool(flags & ALL_CODED)
    blocks, hyper_channels = shape[0] * shape[1], arrays["hyper_frequencies"].shape[1]
    base_channels, enhancement_channels = (len(arrays[f"context_{step}.last.weight"]) // 2 for step in (0, 2))
    content = _content(frames, BASE, 8 * blocks * (16 * base_channels + hyper_channels) + 64)
    symbols, crc = symbol_decoder(content[:-4]), _crc(content)
    features = _features(_decode_hyper(symbols, quality, shape, arrays), quality, arrays)
    base = _decode_steps(0, [], features, symbols, all_coded, arrays)
    base16, enhancement16 = _verify(base, crc, "base"), None
    if has_enhancement:
        content = _content(rest, ENHANCEMENT, 8 * blocks * 16 * enhancement_channels + 64)
        symbols, crc = symbol_decoder(content[:-4]), _crc(content)
        enhancement = _decode_steps(2, [base], features, symbols, all_coded, arrays)
        enhancement16 = _verify(enhancement, crc, "enhancement")
    layers = base16, enhancement16
    return Decoded(flags, quality, width, height, model_id, medium_size, *layers, exact, sheet, alpha)


def _crc(content: bytes) -> int:
    """The CRC-32 in the last four bytes of a layer's content."""
    _check(len(content) >= 4, "a layer is too short for its CRC-32")
    return int.from_bytes(content[-4:], "little")


def main(model: str, *paths: str) -> None:
    """Check files with the model's entropy.npz."""
    with np.load(model) as archive:
        arrays = dict(archive)
    for path in paths:
        found = decode_exactly(Path(path).read_bytes(), arrays)
        layers = "no layers" if found.base is None else "base only" if found.enhancement is None else "both layers"
        print(f"{path}: {layers}, {found.exact.sum()} of {found.exact.size} blocks exact, CRC-32 match")


if __name__ == "__main__":
    main(*sys.argv[1:])
