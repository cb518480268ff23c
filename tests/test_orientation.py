"""Pictures come out upright, whatever else is wrong with their EXIF, and EXIF stays as it was."""

import io
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from click.testing import Result
from conftest import psnr
from exif_blocks import LONG, ORIENTATION, UNWRITABLE, ByteOrder, Field, block, orientation
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from PIL.ExifTags import IFD

from aez import AezWarning, decode, encode
from aez.api import encode_bytes
from aez.picture.files.formats import PictureFormat
from aez.picture.files.saving import save_picture

Run = Callable[..., Result]
FORMATS = ["jpeg", "png", "webp"]


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    """A file; `exif` may be a block."""
    if isinstance(exif := options.get("exif"), bytes) and not exif.startswith(b"Exif"):
        options["exif"] = b"Exif\0\0" + exif
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def opened(file: bytes) -> Image.Image:
    return Image.open(io.BytesIO(file))


def xmp(number: int) -> bytes:
    return b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"/>' % number


@pytest.fixture(scope="module")
def picture(photograph: Image.Image) -> Image.Image:
    """Small, and twice as wide as high."""
    return photograph.resize((96, 48))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", UNWRITABLE)
def test_what_pillow_cannot_write_costs_neither_orientation_nor_exif(
    picture: Image.Image, format: str, kind: str
) -> None:
    exif = block(orientation(6), UNWRITABLE[kind])
    lying = picture.transpose(Image.Transpose.ROTATE_90)
    result = decode(encode_bytes(saved(lying, format, exif=exif), 90))
    assert psnr(result, picture) > 28
    assert result.info["exif"] == b"Exif\0\0" + block(orientation(1), UNWRITABLE[kind])


@pytest.mark.parametrize("kind", UNWRITABLE)
def test_exif_that_pillow_cannot_write_goes_into_every_format(picture: Image.Image, kind: str) -> None:
    exif = block(orientation(6), UNWRITABLE[kind])
    result = decode(encode_bytes(saved(picture, "png", exif=exif)))
    for format in get_args(PictureFormat):
        with opened(save_picture(result, format)) as image:
            assert image.size == (48, 96)
            assert image.getexif().get(ORIENTATION, 1) == 1
            assert UNWRITABLE[kind].tag in image.getexif()


def test_the_command_line_turns_too(run: Run, picture: Image.Image, tmp_path: Path) -> None:
    exif = block(orientation(6), UNWRITABLE["unit beyond its range"])
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(saved(picture, "jpeg", exif=exif))
    for command in (("encode", "a.jpg"), ("batch", ".", "../out"), ("decode", "a.aez"), ("decode", "../out/a.aez")):
        result = run(command[0], *(folder / name for name in command[1:]))
        assert result.exit_code == 0
        assert "EXIF" not in result.stderr
    for name in ("in/a.png", "out/a.png"):
        with Image.open(tmp_path / name) as image:
            assert image.size == (48, 96)


@pytest.mark.parametrize("order", get_args(ByteOrder))
@pytest.mark.parametrize("number", range(10))
def test_every_orientation_in_both_byte_orders(picture: Image.Image, number: int, order: ByteOrder) -> None:
    file = saved(picture, "png", exif=block(orientation(number, order), order=order))
    result = decode(encode_bytes(file, 90))
    with opened(file) as image:
        assert psnr(result, ImageOps.exif_transpose(image)) > 28
    assert result.getexif()[ORIENTATION] == 1


@pytest.mark.parametrize("number", [1, 3, 6])
def test_avif_is_turned_by_its_own_header_if_pillow_cannot_write_its_exif(picture: Image.Image, number: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION], exif[0x0128] = number, 2
    file = saved(picture, "avif", exif=exif, quality=95)
    unit = struct.pack(">HHL", 0x0128, 3, 1)
    for kind in (2, 7, 10):
        changed = file.replace(unit, struct.pack(">HHL", 0x0128, kind, 1))
        with warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("always")
            result = decode(encode_bytes(changed, 90))
        assert {str(note.message) for note in notes if note.category is AezWarning} <= {"malformed EXIF is left out"}
        with opened(file) as image:
            assert psnr(result, ImageOps.exif_transpose(image)) > 28


def test_jpeg_xl_is_turned_by_its_own_header_alone(picture: Image.Image) -> None:
    pytest.importorskip("pillow_jxl")
    result = decode(encode_bytes(saved(picture, "jxl", exif=block(orientation(6))), 90))
    assert psnr(result, picture) > 28
    assert result.getexif()[ORIENTATION] == 1


@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0", b"Exif\0\0Exif\0\0"])
def test_a_long_orientation_and_prefixes_are_read(picture: Image.Image, prefix: bytes) -> None:
    image = picture.copy()
    image.info["exif"] = prefix + block(orientation(8, type=LONG))
    result = decode(encode(image))
    assert result.size == (48, 96)
    assert result.info["exif"] == b"Exif\0\0" + block(orientation(1, type=LONG))


def test_exif_that_ends_early_still_turns(picture: Image.Image) -> None:
    whole = block(orientation(6), Field(0x0131, 2, 4, b"abc\0"), Field(0x0132, 2, 4, b"abc\0"))
    image = picture.copy()
    for end in range(22, len(whole)):
        image.info["exif"] = whole[:end]
        assert decode(encode(image)).size == (48, 96)


@settings(max_examples=25, deadline=None)
@given(
    fields=st.lists(
        st.builds(
            Field,
            tag=st.integers(0, 0xFFFF).filter(lambda tag: tag != ORIENTATION),
            type=st.integers(0, 13),
            count=st.one_of(st.integers(0, 5), st.integers(0, (1 << 32) - 1)),
            value=st.binary(min_size=4, max_size=4),
        ),
        max_size=6,
    ),
    behind=st.binary(max_size=40),
)
def test_whatever_else_exif_says(fields: list[Field], behind: bytes) -> None:
    image = Image.new("RGB", (6, 3))
    image.info["exif"] = block(orientation(6), *fields, behind=behind)
    result = decode(encode(image))
    assert result.size == (3, 6)
    assert result.info["exif"] == b"Exif\0\0" + block(orientation(1), *fields, behind=behind)


@pytest.mark.parametrize("format", get_args(PictureFormat))
def test_thumbnail_and_maker_note_stay_where_they_are(picture: Image.Image, format: PictureFormat) -> None:
    thumbnail, note = saved(picture.resize((16, 8)), "jpeg"), b"camera's own notes" * 5
    place = len(block(orientation(6), Field(0x8769, LONG, 1, b"")))
    exif_fields = struct.pack("<HHHLL", 1, 0x927C, 7, len(note), place + 18) + bytes(4) + note
    first = place + len(exif_fields)
    thumbnail_fields = struct.pack("<HHHLLHHLL", 2, 0x0201, LONG, 1, first + 30, 0x0202, LONG, 1, len(thumbnail))
    behind = exif_fields + thumbnail_fields + bytes(4) + thumbnail
    exif = block(orientation(6), Field(0x8769, LONG, 1, struct.pack("<L", place)), behind=behind, next_directory=first)
    result = decode(encode_bytes(saved(picture, "jpeg", exif=exif)))
    with opened(save_picture(result, format)) as image:
        tags = image.getexif()
        assert tags.get_ifd(IFD.Exif)[0x927C] == note
        found = tags.get_ifd(IFD.IFD1)
        assert image.info["exif"].removeprefix(b"Exif\0\0")[found[0x0201] :][: found[0x0202]] == thumbnail


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "avif", "tiff"])
@pytest.mark.parametrize("exif", [None, 1])
def test_stale_orientation_in_xmp_turns_nothing(picture: Image.Image, format: str, exif: int | None) -> None:
    options = {} if exif is None else {"exif": block(orientation(exif))}
    if format == "png":
        written = {"xmp": xmp(6), **options}
        image = picture.copy()
        image.info["xmp"] = xmp(6)
        file = save_picture(image, "png") if exif is None else saved(image, "png", **options)
    else:
        written = {"xmp": xmp(6), **options}
        file = saved(picture, format, **written)
    with opened(file) as image:
        result = decode(encode(image, 90))
    assert psnr(result, picture) > 28
    assert result.info.get("xmp", xmp(1)) == xmp(1)
    assert ImageOps.exif_transpose(result).size == picture.size


@pytest.mark.parametrize("format", ["jpeg", "png", "tiff"])
def test_tags_that_were_looked_at_before_make_no_difference(picture: Image.Image, format: str) -> None:
    with opened(saved(picture, format, exif=block(orientation(6)))) as image:
        assert image.getexif()[ORIENTATION] == 6
        assert decode(encode(image)).size == (48, 96)


def test_every_page_of_a_tiff_is_turned_by_its_own_tag(picture: Image.Image) -> None:
    pages = [picture.copy() for _ in range(2)]
    for page, number in zip(pages, (6, 3), strict=True):
        page.encoderinfo = {"exif": block(orientation(number))}
    buffer = io.BytesIO()
    pages[0].save(buffer, "tiff", save_all=True, append_images=pages[1:])
    with opened(buffer.getvalue()) as image:
        for page, size in enumerate([(48, 96), (96, 48)]):
            image.seek(page)
            with pytest.warns(match="only frame"):
                assert decode(encode(image)).size == size


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "avif"])
@pytest.mark.parametrize("remove", [lambda image: image.info.pop("exif"), lambda image: image.info.clear()])
@pytest.mark.parametrize("looked", [False, True])
def test_exif_that_was_removed_stays_removed(
    picture: Image.Image, format: str, remove: Callable[[Image.Image], None], looked: bool
) -> None:
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (48.0, 1.0, 2.0)}
    with opened(saved(picture, format, exif=exif)) as image:
        if looked:
            assert image.getexif().get_ifd(0x8825)[1] == "N"
        remove(image)
        assert "exif" not in decode(encode(image)).info


def test_what_was_removed_from_the_tags_of_a_tiff_stays_removed(picture: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif[0x8825] = {1: "N", 2: (48.0, 1.0, 2.0)}
    with opened(saved(picture, "tiff", exif=exif.tobytes())) as image:
        del image.tag_v2[0x8825]
        tags = decode(encode(image)).getexif()
    assert tags[0x010F] == "a camera"
    assert not tags.get_ifd(0x8825)


def raw_profile(name: str, content: bytes, behind: str = "") -> str:
    return f"\n{name}\n{len(content):8}\n{content.hex()}{behind}\n"


@pytest.mark.parametrize(("name", "prefix"), [("exif", b"Exif\0\0"), ("exif", b""), ("APP1", b"Exif\0\0")])
@pytest.mark.parametrize("behind", ["", "\n", "00", "0123456789abcdef" * 4])
def test_exif_in_a_raw_profile(picture: Image.Image, name: str, prefix: bytes, behind: str) -> None:
    image = picture.copy()
    image.info[f"Raw profile type {name}"] = raw_profile(name, prefix + block(orientation(6)), behind)
    result = decode(encode(image))
    assert result.size == (48, 96)
    assert result.info["exif"] == b"Exif\0\0" + block(orientation(1))


@pytest.mark.parametrize(
    "text",
    ["", "\nexif\n", "\nexif\n      -5\n00", "\nexif\n    1000\n4578", "\nexif\n   4\nxyz!", "x\n1\n\u0660\u0660"]
    + [f"\nexif\n{length}\n00" for length in ("9" * 9, "9" * 5000, "\u0661", "\u00b2", "+1", "1_0", "")],
)
def test_a_malformed_raw_profile_costs_itself_only(picture: Image.Image, text: str) -> None:
    image = picture.copy()
    image.info["Raw profile type exif"] = text
    with pytest.warns(match="malformed profile exif is left out"):
        assert decode(encode(image)).size == picture.size
