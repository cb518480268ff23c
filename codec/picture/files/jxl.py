"""What a JPEG XL file says in its headers, of which its plugin passes on little.

The size has to be known before the plugin opens a file, for which it decodes the whole picture.
"""

from dataclasses import dataclass

from .boxes import Content, boxes

_CODESTREAM = b"\xff\x0a"
_WHOLE, _PART, _PART_NUMBER = b"jxlc", b"jxlp", 4
_HEADER_BYTES = 64  # more than the signature and the longest headers have up to the depth
_COMPRESSED, _XMP = b"brob", b"xml "
_SIDE_BITS = (9, 13, 18, 30)
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # of the width to the height


def picture_size(file: bytes) -> tuple[int, int]:
    """Width and height, not turned: SizeHeader of ISO/IEC 18181-1, in the boxes of ISO/IEC 18181-2 or without.

    Raises:
        ValueError, struct.error: there is no such codestream.
    """
    return _size(_headers(file))


def bits_per_sample(file: bytes) -> int:
    """Those of the picture that was encoded: BitDepth, in ImageMetadata of ISO/IEC 18181-1.

    Raises:
        ValueError, struct.error: there is no such codestream.
    """
    bits = _headers(file)
    _size(bits)
    if bits.flag():  # all is as usual
        return 8
    if bits.flag():
        _skip_what_is_not_about_samples(bits)
    if bits.flag():
        return bits.one_of(32, 16, 24, (6, 1))
    return bits.one_of(8, 10, 12, (6, 1))


@dataclass(frozen=True)
class FileMetadata:
    """An XMP packet; one that is compressed, by Brotli, can only be seen."""

    xmp: bytes
    has_compressed_xmp: bool


def metadata(file: bytes) -> FileMetadata:
    """What a file has in boxes beside the codestream, if it has boxes."""
    if file.startswith(_CODESTREAM):
        return FileMetadata(b"", has_compressed_xmp=False)
    found = [*boxes(Content(file))]
    xmp = next((bytes(content) for kind, content in found if kind == _XMP), b"")
    compressed = any(kind == _COMPRESSED and content[:4] == _XMP for kind, content in found)
    return FileMetadata(xmp, compressed)


class _Bits:
    """Numbers of so many bits, the lowest first."""

    def __init__(self, data: bytes) -> None:
        self._rest = int.from_bytes(data, "little")

    def read(self, count: int) -> int:
        number = self._rest & ((1 << count) - 1)
        self._rest >>= count
        return number

    def flag(self) -> bool:
        return bool(self.read(1))

    def one_of(self, *choices: int | tuple[int, int]) -> int:
        """U32: one of four numbers, or so many bits and what they begin with."""
        choice = choices[self.read(2)]
        return choice if isinstance(choice, int) else self.read(choice[0]) + choice[1]


def _headers(file: bytes) -> _Bits:
    header = _codestream(Content(file))
    if not header.startswith(_CODESTREAM):
        raise ValueError("no JPEG XL codestream")
    return _Bits(header.removeprefix(_CODESTREAM))


def _size(bits: _Bits) -> tuple[int, int]:
    """SizeHeader: width and height."""
    is_small = bits.flag()
    height = _side(bits, is_small)
    ratio = bits.read(3)
    if ratio == 0:
        return _side(bits, is_small), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def _side(bits: _Bits, is_small: bool) -> int:
    return 8 * (bits.read(5) + 1) if is_small else bits.read(_SIDE_BITS[bits.read(2)]) + 1


def _skip_what_is_not_about_samples(bits: _Bits) -> None:
    """Orientation, intrinsic size, PreviewHeader, AnimationHeader."""
    bits.read(3)
    if bits.flag():
        _size(bits)
    if bits.flag():
        sides = ((6, 1), (8, 65), (10, 321), (12, 1345)) if not bits.flag() else (16, 32, (5, 1), (9, 33))
        bits.one_of(*sides)
        if bits.read(3) == 0:
            bits.one_of(*sides)
    if bits.flag():
        bits.one_of(100, 1000, (10, 1), (30, 1))
        bits.one_of(1, 1001, (8, 1), (10, 1))
        bits.one_of(0, (3, 0), (16, 0), (32, 0))
        bits.flag()


def _codestream(file: Content) -> bytes:
    """Its first bytes, which may be spread over several boxes."""
    if bytes(file[:2]) == _CODESTREAM:
        return bytes(file[:_HEADER_BYTES])
    found = b""
    for kind, content in boxes(file):
        if kind in (_WHOLE, _PART):
            found += content[0 if kind == _WHOLE else _PART_NUMBER :][:_HEADER_BYTES]
        if len(found) >= _HEADER_BYTES:
            break
    return found
