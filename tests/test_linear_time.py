"""No file takes longer than its size explains: what searches it looks at every byte a few times at most."""

import io
import struct
import time
import warnings
from contextlib import suppress

import pytest
from PIL import Image

from aez import AezError, AezWarning, encode
from aez.api import encode_bytes

SECONDS = 2  # each of these took longer, or minutes, when time grew with the square of the size
MANY = 300_000


def of_field(tag: int, type: int, count: int, value: int, times: int) -> bytes:
    """An EXIF block with the same field many times."""
    return b"II*\0\10\0\0\0" + struct.pack("<H", times) + struct.pack("<HHLL", tag, type, count, value) * times


XMP = {
    "blanks": b"<x>" + b" " * MANY + b"</x>",
    "blanks in a tag": b"<x gps='1'" + b" " * MANY + b"/>",
    "blanks in an attribute": b"<x xmpNote:HasExtendedXMP" + b" " * MANY + b"='1'/>",
    "names of positions": b"gps" * MANY,
    "a name of positions": b"<" + b"gps" * MANY + b"/>",
    "names in a tag": b"<x" + b" gps" * MANY + b"/>",
    "elements that are not closed": b"<xmpNote:HasExtendedXMP>" * (MANY // 10),
    "attributes that are not closed": b"<x xmpNote:HasExtendedXMP='" * (MANY // 10),
    "positions that are not closed": b"<exif:GPSLatitude>" * (MANY // 10),
    "orientations": b"tiff:Orientation = " * (MANY // 10),
    "blanks in orientations": (b"tiff:Orientation" + b" " * 1000) * 300,
}
EXIF = {
    "directories that are one": of_field(0x8769, 4, 1 << 20, 10, 20_000),
    "directories of exposures that overlap": b"II*\0\10\0\0\0\x20\x4e"
    + b"".join(struct.pack("<HHLL", 0x8769, 4, 1, 10 + 12 * place) for place in range(20_000)),
    "positions that overlap": of_field(0x8825, 4, 1, 8, 1) + of_field(2, 2, 1 << 24, 0, 10_000)[10:] + bytes(1 << 20),
    "XMP that overlaps": of_field(0x02BC, 2, 1 << 24, 0, 10_000) + bytes(1 << 20),
    "thumbnails that overlap": of_field(0x0201, 4, 1, 0, 10_000) + bytes(1 << 20),
}
RAW_PROFILES = {
    "newlines": "\n" * MANY,
    "blanks": " " * MANY + "\n" + " " * MANY,
    "digits": "\nexif\n" + "1" * MANY + "\n00",
    "blank digits": "\nexif\n" + " " * MANY + "9\n" + "0\n" * MANY,
}


def seconds_for(info: dict[str, object], *, strip_gps: bool) -> float:
    image = Image.new("RGB", (8, 8))
    image.info |= info
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AezWarning)
        encode(image, strip_gps=strip_gps)
    return time.process_time() - start


@pytest.mark.parametrize("strip_gps", [False, True])
@pytest.mark.parametrize("name", XMP)
def test_xmp(name: str, strip_gps: bool) -> None:
    assert seconds_for({"xmp": XMP[name]}, strip_gps=strip_gps) < SECONDS


@pytest.mark.parametrize("name", EXIF)
def test_exif(name: str) -> None:
    assert seconds_for({"exif": EXIF[name]}, strip_gps=True) < SECONDS


@pytest.mark.parametrize("kind", ["exif", "icc", "xmp", "APP1"])
@pytest.mark.parametrize("name", RAW_PROFILES)
def test_raw_profiles(name: str, kind: str) -> None:
    assert seconds_for({f"Raw profile type {kind}": RAW_PROFILES[name]}, strip_gps=False) < SECONDS


def jpeg_without_end() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "jpeg")
    return buffer.getvalue()[:-2]


def tiff_of(*fields: tuple[int, int, int, int], behind: bytes = b"") -> bytes:
    """A gray TIFF file of one pixel, with further fields of 12 bytes; what is behind begins at a known place."""
    usual = [
        (256, 3, 1, 1),
        (257, 3, 1, 1),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (279, 4, 1, 1),
    ]
    packed = [struct.pack("<HHLL", *field) for field in sorted([*usual, *fields])]
    return b"II*\0" + struct.pack("<LH", 8, len(packed)) + b"".join(packed) + behind


BLOCKS = b"8BIM\4\5\0\0\0\0\0\0" * MANY
BLOCKS_START = 10 + 12 * 8 + 4
DIRECTORIES_START = 10 + 12 * 7
DIRECTORIES = b"".join(
    struct.pack("<LHHHLL", DIRECTORIES_START + 4 + 18 * number, 1, 256, 3, 1, 1) for number in range(MANY // 10)
)


@pytest.mark.parametrize(
    "file",
    [
        tiff_of((34377, 7, len(BLOCKS), BLOCKS_START), behind=bytes(4) + BLOCKS),
        tiff_of(behind=DIRECTORIES + bytes(4)),
        b"P6 " + b"# " * MANY,
        b"\0\0\0\x20ftypavif" + b"infe\2\0\0\0\0\0" * MANY,
        jpeg_without_end() + b"\xff" * MANY,
        jpeg_without_end() + b"\xff\xfe\0\0" * MANY,
    ],
    ids=[
        "blocks of Photoshop in TIFF",
        "directories of TIFF",
        "comments of PPM",
        "items of AVIF",
        "fill bytes of JPEG",
        "segments of JPEG",
    ],
)
def test_files(file: bytes) -> None:
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AezWarning)
        with suppress(AezError):
            encode_bytes(file)
    assert time.process_time() - start < SECONDS
