"""The size of a JPEG XL picture, which its plugin decodes as a whole in order to open it."""

from .boxes import Content, boxes

_CODESTREAM = b"\xff\x0a"
_WHOLE, _PART, _PART_NUMBER = b"jxlc", b"jxlp", 4
_HEADER_BYTES = 12  # more than the signature and the longest size have
_SIDE_BITS = (9, 13, 18, 30)
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # of the width to the height


def picture_size(file: bytes) -> tuple[int, int]:
    """Width and height, not turned: SizeHeader of ISO/IEC 18181-1, in the boxes of ISO/IEC 18181-2 or without.

    Raises:
        ValueError, struct.error: there is no such codestream.
    """
    header = _codestream(Content(file))
    if not header.startswith(_CODESTREAM):
        raise ValueError("no JPEG XL codestream")
    bits = _Bits(header.removeprefix(_CODESTREAM))
    is_small = bool(bits.read(1))
    height = _side(bits, is_small)
    ratio = bits.read(3)
    if ratio == 0:
        return _side(bits, is_small), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


class _Bits:
    """Numbers of so many bits, the lowest first."""

    def __init__(self, data: bytes) -> None:
        self._rest = int.from_bytes(data, "little")

    def read(self, count: int) -> int:
        number = self._rest & ((1 << count) - 1)
        self._rest >>= count
        return number


def _side(bits: _Bits, is_small: bool) -> int:
    return 8 * (bits.read(5) + 1) if is_small else bits.read(_SIDE_BITS[bits.read(2)]) + 1


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
