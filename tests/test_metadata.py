"""Resolution, texts and what else files say is kept where .aez has room for it, or named in one note."""

import io
import struct
import warnings
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import icc_profiles
import numpy as np
import png_files
import pytest
from click.testing import Result
from exif_blocks import LONG, ByteOrder, Field, block, orientation
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from aez import AezWarning, decode, encode, info
from aez.api import encode_bytes
from aez.picture.files.formats import PictureFormat
from aez.picture.files.saving import save_picture
from aez.picture.metadata.exif import Exif

Run = Callable[..., Result]
ACROSS, DOWN, UNIT = 0x011A, 0x011B, 0x0128
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'


@pytest.fixture(scope="module")
def picture(photograph: Image.Image) -> Image.Image:
    return photograph.resize((40, 30))


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def noted(file: bytes) -> tuple[Image.Image, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AezWarning)
        result = decode(encode_bytes(file))
    return result, [str(warning.message) for warning in caught]


@pytest.mark.parametrize("format", ["jpeg", "png", "tiff", "bmp"])
@pytest.mark.parametrize("dpi", [(300, 300), (96, 96), (144, 144), (200, 100), (1200, 1200), (118.5, 118.5)])
def test_resolution_is_kept_as_exif(picture: Image.Image, format: str, dpi: tuple[float, float]) -> None:
    result, notes = noted(saved(picture, format, dpi=dpi))
    assert not notes
    exact = [round(number) if format == "jpeg" else number for number in dpi]
    assert result.info["dpi"] == pytest.approx(exact, abs=0.02)
    if all(number == round(number) for number in exact):
        tags = result.getexif()
        assert (tags[ACROSS], tags[DOWN], tags[UNIT]) == (*exact, 2)


@pytest.mark.parametrize("format", get_args(PictureFormat))
def test_resolution_is_written(picture: Image.Image, format: PictureFormat) -> None:
    result, _ = noted(saved(picture, "png", dpi=(300, 150)))
    with Image.open(io.BytesIO(save_picture(result, format))) as image:
        assert (image.getexif()[ACROSS], image.getexif()[DOWN]) == (300, 150)
        if format in ("png", "jpeg"):
            assert image.info["dpi"] == pytest.approx((300, 150), abs=0.02)


@pytest.mark.parametrize("format", ["jpeg", "png", "tiff", "webp", "avif", "gif"])
def test_where_no_resolution_is_said_none_is_kept(picture: Image.Image, format: str) -> None:
    result, notes = noted(saved(picture, format))
    assert not notes
    assert not {"dpi", "exif"} & result.info.keys()


@pytest.mark.parametrize(
    "dpi",
    [
        *((72, 72), (72.009, 72.009), (1, 1), (0, 0), (-5, 5), (float("nan"), 9), (float("inf"), 9), (1e9, 1e9)),
        *("300", (300,), None, ("a", "b"), 300),
    ],
)
def test_no_resolution_is_made_of_nonsense(picture: Image.Image, dpi: object) -> None:
    image = picture.copy()
    image.info["dpi"] = dpi
    assert "exif" not in decode(encode(image)).info


def test_resolution_in_exif_counts(picture: Image.Image) -> None:
    exif = Image.Exif()
    exif[ACROSS], exif[DOWN], exif[UNIT] = Fraction(100), Fraction(100), 3
    image = picture.copy()
    image.info.update(exif=exif.tobytes(), dpi=(96, 96))
    result = decode(encode(image))
    assert result.info["exif"] == exif.tobytes()
    assert result.info["dpi"] == pytest.approx((254, 254))


def test_a_turned_picture_has_its_resolution_turned(picture: Image.Image) -> None:
    image = picture.copy()
    image.info.update(exif=block(orientation(6)), dpi=(300, 150))
    assert decode(encode(image)).info["dpi"] == (150, 300)


def with_resolution(across: tuple[int, int], down: tuple[int, int], turn: int = 1, order: ByteOrder = "<") -> bytes:
    """In EXIF, as two fractions."""
    values = 8 + 2 + 4 * 12 + 4
    fields = [
        Field(tag, 5, 1, struct.pack(order + "L", place)) for tag, place in ((ACROSS, values), (DOWN, values + 8))
    ]
    behind = struct.pack(order + "LLLL", *across, *down)
    return block(
        orientation(turn, order),
        *fields,
        Field(UNIT, 3, 1, struct.pack(order + "HH", 2, 0)),
        order=order,
        behind=behind,
    )


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_a_turned_tiff_has_its_resolution_turned(picture: Image.Image, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    result, _ = noted(saved(picture, "tiff", exif=exif, dpi=(300, 150)))
    is_turned = turn > 4
    expected = (150, 300) if is_turned else (300, 150)
    assert result.size == (picture.size[::-1] if is_turned else picture.size)
    assert result.info["dpi"] == expected
    with Image.open(io.BytesIO(saved(picture, "tiff", exif=exif, dpi=(300, 150)))) as image:
        image.load()
        for _ in range(2):
            assert decode(encode(image)).info["dpi"] == expected


@pytest.mark.parametrize("text", ["plain", "Jörg", "\u65e5\u672c"])
def test_texts_of_tiff_keep_their_bytes(picture: Image.Image, text: str) -> None:
    written = text.encode() + b" by somebody"
    stand_in = "Q" * len(written)  # Pillow writes only ASCII
    exif = Image.Exif()
    exif[0x010E] = stand_in
    exif[0x8769] = {0xA430: stand_in}
    result, notes = noted(saved(picture, "tiff", exif=exif.tobytes()).replace(stand_in.encode(), written))
    tags = result.getexif()
    found = [tags[0x010E], tags.get_ifd(0x8769)[0xA430]]
    assert ([text.encode("latin-1") for text in found], notes) == ([written, written], [])


def jp2_with(file: bytes, uuid: bytes, content: bytes) -> bytes:
    return file + struct.pack(">L4s", 24 + len(content), b"uuid") + uuid + content


def gif_with_xmp(file: bytes) -> bytes:
    trailer = b"\1" + bytes(range(255, -1, -1)) + b"\0"
    return file[:-1] + b"\x21\xff\x0bXMP DataXMP" + XMP + trailer + file[-1:]


def test_xmp_and_exif_beside_what_pillow_reads_are_kept(picture: Image.Image) -> None:
    jp2, exif = saved(picture, "jpeg2000"), block(orientation(6))
    xmp = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
    gif = gif_with_xmp(saved(picture, "gif"))
    pytest.importorskip("pillow_jxl")
    jxl = saved(picture, "jxl", use_container=True, xmp=XMP)
    for file in (jp2_with(jp2, xmp, XMP), gif, jxl):
        result, notes = noted(file)
        assert (result.info["xmp"], notes) == (XMP, [])
    assert "xmp" not in noted(gif.replace(b"\1\xff\xfe\xfd", b"\1\xff\xfe\xfe"))[0].info
    turned, _ = noted(jp2_with(jp2, b"JpgTiffExif->JP2", exif))
    assert turned.size == picture.size[::-1]
    assert turned.getexif()[0x0112] == 1
    compressed = saved(picture, "jxl", use_container=True, xmp=XMP, compress_metadata=True)
    assert noted(compressed)[1] == ["left out: XMP, which is compressed"]


def test_the_profile_of_a_bitmap_is_kept(picture: Image.Image) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = saved(picture, "bmp")
    samples = plain[14 + 40 :]
    header = struct.pack("<L", 124) + plain[18 : 14 + 40]
    header += bytes(56 - len(header)) + b"DEBM"
    header += bytes(112 - len(header)) + struct.pack("<LL", 124 + len(samples), len(profile)) + bytes(4)
    front = plain[:10] + struct.pack("<L", 14 + 124)
    assert noted(front + header + samples + profile)[0].info["icc_profile"] == profile
    assert "icc_profile" not in noted(plain)[0].info


def test_a_file_that_is_cut_off_gives_half_the_size_with_a_note(picture: Image.Image) -> None:
    data = encode(picture)
    result, notes = noted(data[: info(data).medium_bytes])
    assert result.size == (20, 15)
    assert notes == ["left out: the high resolution, since the file is cut off"]
    assert not noted(data)[1]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_a_turned_picture_has_the_resolution_of_its_exif_turned(
    picture: Image.Image, turn: int, order: ByteOrder
) -> None:
    image = picture.copy()
    image.info["exif"] = with_resolution((300, 1), (200, 1), turn, order)
    result = decode(encode(image))
    expected = (200, 300) if turn >= 5 else (300, 200)
    assert result.info["dpi"] == expected
    assert (result.getexif()[ACROSS], result.getexif()[DOWN]) == expected
    assert len(result.info["exif"]) == len(image.info["exif"]) + len(b"Exif\0\0")


@pytest.mark.parametrize("format", get_args(PictureFormat))
@pytest.mark.parametrize(
    "fraction", [(0xFFFFFFFF, 1), (65_536, 1), (1, 1), (1, 0xFFFFFFFF), (0, 1), (1, 0), (0, 0)], ids=str
)
def test_absurd_resolutions_in_exif_stay_there(
    run: Run, picture: Image.Image, tmp_path: Path, fraction: tuple[int, int], format: PictureFormat
) -> None:
    exif = with_resolution(fraction, (300, 1))
    (tmp_path / "a.webp").write_bytes(saved(picture, "webp", exif=exif))
    assert run("encode", tmp_path / "a.webp").exit_code == 0
    assert "dpi" not in decode((tmp_path / "a.aez").read_bytes()).info
    result = run("decode", tmp_path / "a.aez", "--format", format, "-o", tmp_path / "b")
    assert (result.exit_code, result.stderr) == (0, "")
    with Image.open(tmp_path / "b") as image:
        assert exif[10:60] in image.info["exif"] or format == "avif"


@settings(max_examples=50)
@given(
    fields=st.lists(
        st.builds(
            Field,
            tag=st.integers(0, 0xFFFF).filter(lambda tag: tag not in (ACROSS, DOWN, UNIT)),
            type=st.integers(1, 12),
            count=st.integers(0, 3),
            value=st.binary(min_size=4, max_size=4),
        ),
        unique_by=lambda field: field.tag,
        max_size=6,
    ),
    behind=st.binary(max_size=41),
    next_directory=st.integers(0, 1 << 20),
    dpi=st.tuples(*[st.fractions(2, 60_000, max_denominator=1000)] * 2),
)
def test_adding_resolution_moves_nothing(
    fields: list[Field], behind: bytes, next_directory: int, dpi: tuple[Fraction, Fraction]
) -> None:
    before = block(*fields, behind=behind, next_directory=next_directory)
    after = Exif(before).with_resolution(*dpi)
    assert after[8 : len(before)] == before[8:]
    assert Exif(after).resolution == pytest.approx([float(number) for number in dpi])
    (start,) = struct.unpack_from("<L", after, 4)
    (count,) = struct.unpack_from("<H", after, start)
    directory = after[start + 2 :]
    tags = [struct.unpack_from("<H", directory, 12 * place)[0] for place in range(count)]
    assert tags == sorted([*(field.tag for field in fields), ACROSS, DOWN, UNIT])
    assert struct.unpack_from("<L", directory, 12 * count)[0] == next_directory


def png_with(picture: Image.Image, *texts: tuple[str, str], zip: bool = False) -> bytes:
    info = PngImagePlugin.PngInfo()
    for key, text in texts:
        info.add_text(key, text, zip=zip)
    return saved(picture, "png", pnginfo=info)


def coded_and_decoded(image: Image.Image) -> tuple[tuple[int, int], bytes]:
    decoded = decode(encode(image, 30))
    return decoded.size, decoded.tobytes()


@pytest.mark.filterwarnings("ignore:.*EXIF", "ignore:Tag data larger", "ignore:Corrupt EXIF", "ignore:Possibly corrupt")
@pytest.mark.parametrize("count", [1, 2, 3, 4, 1 << 20])
@pytest.mark.parametrize("pointer", [0, 2, 6, 8, 10])
def test_an_orientation_that_points_anywhere_changes_nothing_there(
    picture: Image.Image, count: int, pointer: int
) -> None:
    pictures = [picture, picture.resize((9, 7))]
    turned = [
        {coded_and_decoded(image), *(coded_and_decoded(image.transpose(way)) for way in Image.Transpose)}
        for image in pictures
    ]
    for offset in range(60):
        exif = block(Field(0x0112, 3, count, struct.pack("<L", offset)), behind=bytes(40))
        exif = exif[:4] + struct.pack("<L", pointer) + exif[8:]
        small = offset % 7 > 0
        image = pictures[small].copy()
        image.info |= {"exif": exif, "dpi": (204, 98)}
        decoded = decode(encode(image, 30))
        assert (decoded.size, decoded.tobytes()) in turned[small]
        for format in ("png", "jpeg", "avif"):
            save_picture(decoded, format)


def test_a_directory_that_is_full(picture: Image.Image) -> None:
    numbers = (number for number in range(1 << 16) if number not in (0x011A, 0x011B, 0x0128))
    exif = block(*(Field(number, 3, 1, b"\1\0") for number in numbers))
    picture.info |= {"exif": exif, "dpi": (204, 98)}
    assert decode(encode(picture)).info["exif"] == b"Exif\0\0" + exif


@pytest.mark.parametrize("format", ["png", "jpeg"])
def test_a_profile_that_cannot_be_put_together_is_named(picture: Image.Image, format: str) -> None:
    buffer = io.BytesIO()
    if format == "png":
        picture.convert("RGB").save(buffer, "png")
        file = buffer.getvalue()
        file = file[:33] + png_files.chunk(b"iCCP", b"x\0\0no deflate") + file[33:]
    else:
        picture.convert("RGB").save(buffer, "jpeg", icc_profile=bytes(70_000))
        file = buffer.getvalue().replace(b"ICC_PROFILE\0\2\2", b"ICC_profile\0\2\2")
    with pytest.warns(AezWarning, match="the malformed ICC profile is left out"):
        assert "icc_profile" not in decode(encode_bytes(file)).info


def test_a_large_profile_is_read_again_from_png(picture: Image.Image) -> None:
    profile = icc_profiles.SRGB + np.random.default_rng(0).bytes(2 << 20)
    picture.info["icc_profile"] = struct.pack(">L", len(profile)) + profile[4:]
    decoded = decode(encode(picture.convert("RGB")))
    again = decode(encode_bytes(save_picture(decoded, "png")))
    assert again.info["icc_profile"] == decoded.info["icc_profile"]


@pytest.mark.parametrize("zip", [False, True])
def test_texts_of_png_are_named(picture: Image.Image, zip: bool) -> None:
    texts = [("parameters", "a cat, Steps: 20"), ("Author", "somebody"), ("Software", "a program")]
    assert noted(png_with(picture, *texts, zip=zip))[1] == ["left out: text (parameters, Author)"]
    assert noted(png_with(picture, ("Software", "x"), ("date:create", "2026")))[1] == []
    many = [(f"k{number}", "x") for number in range(9)]
    assert noted(png_with(picture, *many))[1] == ["left out: text (k0, k1, k2, k3, k4, ...)"]
    assert noted(png_with(picture, ("Übung", "ü"), ("Title", "\u4e00")))[1] == ["left out: text (\\xdcbung, Title)"]


def test_the_command_line_says_it_in_one_line(run: Run, picture: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png_with(picture, ("two\nlines", "x"), ("Raw profile type iptc", "\niptc\n       1\n00\n")))
    assert run("encode", path).stderr == f"aez: {path}: note: left out: text (two\\nlines), IPTC\n"


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2) + content


def jpeg_with(picture: Image.Image, *segments: bytes) -> bytes:
    file = saved(picture, "jpeg")
    return file[:20] + b"".join(segments) + file[20:]


IPTC = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">L", 10) + b"\x1c\x02\x05\0\x05title"
NO_IPTC = b"Photoshop 3.0\0" + b"8BIM\x04\x25\0\0" + struct.pack(">L", 16) + bytes(16)
EXTENDED = b'<rdf:Description xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="%032d"/>' % 7


@pytest.mark.parametrize(
    ("segments", "note"),
    [
        ([segment(0xED, IPTC)], ["left out: IPTC"]),
        ([segment(0xED, NO_IPTC)], []),
        ([segment(0xFE, b"made by hand")], ["left out: a comment"]),
        ([segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0" + bytes(4))], ["left out: the gain map"]),
        ([segment(0xE2, b"something else")], []),
        ([segment(0xFE, b"made by hand"), segment(0xED, IPTC)], ["left out: a comment, IPTC"]),
    ],
)
def test_segments_of_jpeg_are_named(picture: Image.Image, segments: list[bytes], note: list[str]) -> None:
    assert noted(jpeg_with(picture, *segments))[1] == note


def test_the_extension_of_xmp_is_named_and_no_longer_referred_to(picture: Image.Image) -> None:
    first = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + EXTENDED)
    more = segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"%032d" % 7 + bytes(8) + b"<x/>")
    result, notes = noted(jpeg_with(picture, first, more))
    assert notes == ["left out: the extension of XMP"]
    assert result.info["xmp"] == b'<rdf:Description xmlns:xmpNote="http://ns.adobe.com/xmp/note/"/>'


def test_a_gain_map_by_xmp_is_named(picture: Image.Image) -> None:
    packet = b'<rdf:Description hdrgm:Version="1.0"/>'
    assert noted(saved(picture, "jpeg", xmp=packet))[1] == ["left out: the gain map"]


def test_a_gain_map_in_avif_is_named(picture: Image.Image) -> None:
    file = saved(picture, "avif", exif=Image.Exif().tobytes() + bytes(99))
    assert noted(file)[1] == []
    assert noted(file.replace(b"Exif\0", b"tmap\0", 1))[1] == ["left out: the gain map"]


def test_iptc_of_tiff_is_named(picture: Image.Image) -> None:
    assert noted(saved(picture, "tiff", tiffinfo={33723: b"\x1c\x02\x05\0\x05title"}))[1] == ["left out: IPTC"]
    assert noted(saved(picture, "tiff", tiffinfo={34377: IPTC[14:]}))[1] == ["left out: IPTC"]
    assert noted(saved(picture, "tiff", tiffinfo={34377: NO_IPTC[14:]}))[1] == []


def raw(name: str, content: bytes) -> tuple[str, str]:
    return f"Raw profile type {name}", f"\n{name}\n{len(content):8}\n{content.hex()}\n"


@pytest.mark.parametrize("zip", [False, True])
def test_raw_profiles_of_png_are_kept(picture: Image.Image, zip: bool) -> None:
    adobe = b"http://ns.adobe.com/xap/1.0/\0"
    for text in (raw("xmp", XMP), raw("APP1", adobe + XMP)):
        result, notes = noted(png_with(picture, text, zip=zip))
        assert (result.info["xmp"], notes) == (XMP, [])
    exif = block(Field(0x8769, LONG, 1, bytes(4)))
    result, notes = noted(png_with(picture, raw("exif", b"Exif\0\0" + exif), raw("xmp", XMP), zip=zip))
    assert (result.info["exif"], result.info["xmp"], notes) == (b"Exif\0\0" + exif, XMP, [])


@pytest.mark.parametrize("xmp", [(1, 2, 3), 5])
def test_xmp_of_another_type_is_left_out(picture: Image.Image, xmp: object) -> None:
    image = picture.copy()
    image.info["xmp"] = xmp
    with pytest.warns(AezWarning, match="malformed XMP is left out"):
        assert "xmp" not in decode(encode(image)).info


@pytest.mark.parametrize("key", ["photoshop", "dpi", "exif", "xmp", "comment"])
def test_texts_of_png_that_are_called_like_something_else(picture: Image.Image, key: str) -> None:
    kind = png_files.Kind(png_files.Colour.RGB, 8, interlaced=False, transparency=False)
    file = png_files.png(png_files.gradient(20, 10, kind), kind)
    text = png_files.chunk(b"tEXt", key.encode() + b"\0text")
    result, notes = noted(file[:33] + text + file[33:])
    assert result.size == (20, 10)
    assert notes
