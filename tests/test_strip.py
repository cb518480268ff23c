"""What is left out of a file on request: EXIF and XMP, or the position alone."""

import io
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from exif_blocks import ByteOrder, Field, block, orientation
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, TiffImagePlugin

import aez
from aez.picture.metadata.gps import exif_without_gps
from aez.picture.metadata.gps_xmp import xmp_without_gps

Run = Callable[..., Result]
EXIF_DIRECTORY, GPS_DIRECTORY = 0x8769, 0x8825
LATITUDE = (52.0, 31.0, 12.25)
XMP = b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"%s>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">A GPS receiver</rdf:li></rdf:Alt></dc:title>%s
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""
PLAIN_XMP = XMP % (b"", b"")


def exif(big_endian: bool = False) -> bytes:
    """With a position, a camera, an exposure, a maker note and an orientation."""
    tags = Image.Exif()
    tags.endian = ">" if big_endian else "<"
    tags[0x010F], tags[0x0112], tags[0x0132] = "Camera", 6, "2026:01:02 03:04:05"
    tags.get_ifd(EXIF_DIRECTORY).update({0x829A: TiffImagePlugin.IFDRational(1, 125), 0x927C: b"note of the maker"})
    tags.get_ifd(GPS_DIRECTORY).update({1: "N", 2: LATITUDE, 5: b"\0", 29: "2026:01:02"})
    return tags.tobytes()


def jpeg(image: Image.Image, **metadata: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "jpeg", **metadata)
    return buffer.getvalue()


def encoded(run: Run, folder: Path, file: bytes, *options: str) -> Image.Image:
    """What a picture file becomes on the command line, decoded."""
    (folder / "img.jpg").write_bytes(file)
    result = run("encode", folder / "img.jpg", "-f", *options)
    assert result.exit_code == 0, result.stderr
    return aez.decode((folder / "img.aez").read_bytes())


def test_nothing_but_the_profile_stays(run: Run, tmp_path: Path, photograph: Image.Image) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    file = jpeg(photograph, exif=exif(), xmp=PLAIN_XMP, icc_profile=profile)
    kept, stripped = encoded(run, tmp_path, file), encoded(run, tmp_path, file, "--strip")
    assert {"exif", "xmp", "icc_profile"} <= kept.info.keys()
    assert kept.size == stripped.size == photograph.size[::-1]
    assert kept.tobytes() == stripped.tobytes()
    assert {name for name in stripped.info if name in ("exif", "xmp", "icc_profile")} == {"icc_profile"}
    assert encoded(run, tmp_path, file, "--strip", "--strip-gps").info.keys() == stripped.info.keys()


@pytest.mark.parametrize("big_endian", [False, True])
def test_of_exif_only_the_position_goes(run: Run, tmp_path: Path, photograph: Image.Image, big_endian: bool) -> None:
    file = jpeg(photograph, exif=exif(big_endian))
    before, after = encoded(run, tmp_path, file).getexif(), encoded(run, tmp_path, file, "--strip-gps").getexif()
    assert before.get_ifd(GPS_DIRECTORY)[2] == LATITUDE
    assert after.get_ifd(GPS_DIRECTORY) == {}
    assert GPS_DIRECTORY not in after
    assert dict(after) == {tag: value for tag, value in before.items() if tag != GPS_DIRECTORY}
    assert after.get_ifd(EXIF_DIRECTORY) == before.get_ifd(EXIF_DIRECTORY)
    assert struct.pack(">LL" if big_endian else "<LL", 49, 4) not in after.tobytes()


def with_position_behind(*fields: Field) -> bytes:
    """A block with a directory of two fields of a position behind it, their values behind that, and a thumbnail."""
    pointer = Field(GPS_DIRECTORY, 4, 1, bytes(4))
    directory = len(block(pointer, *fields))
    values = directory + 2 + 2 * 12 + 4
    pointer = Field(GPS_DIRECTORY, 4, 1, struct.pack("<L", directory))
    position = block(Field(2, 2, 6, struct.pack("<L", values)), Field(29, 2, 11, struct.pack("<L", values + 6)))[8:]
    return block(pointer, *fields, behind=position + b"NORTH\0" + b"2026:01:02\0" + b"thumbnail")


def without_position(image: Image.Image, exif: bytes) -> bytes:
    picture = image.copy()
    picture.info["exif"] = exif
    stripped: bytes = aez.decode(aez.encode(picture, strip_gps=True)).info["exif"].removeprefix(b"Exif\0\0")
    return stripped


def test_the_bytes_of_a_position_are_gone_and_others_are_where_they_were(photograph: Image.Image) -> None:
    exif = with_position_behind(orientation(1), Field(0x010F, 2, 4, b"Cam\0"))
    stripped = without_position(photograph, exif)
    assert b"NORTH" in exif
    assert b"NORTH" not in stripped
    assert b"2026" not in stripped
    assert stripped.index(b"thumbnail") == exif.index(b"thumbnail")


fields = st.builds(
    Field,
    tag=st.integers(0, 0xFFFF).filter(lambda tag: tag not in (0x0112, 0x014A, 0x02BC, 0x8649, 0x8769, 0x8825, 0xA005)),
    type=st.integers(0, 14),
    count=st.integers(0, 2**32 - 1),
    value=st.binary(min_size=4, max_size=4),
)


@given(st.lists(fields, max_size=8, unique_by=lambda field: field.tag))
def test_other_fields_stay_whatever_they_are(fields: list[Field]) -> None:
    exif = with_position_behind(*fields)
    stripped = exif_without_gps(exif)
    count = len(fields)
    assert stripped[8:10] == struct.pack("<H", count)
    assert stripped[10 : 10 + 12 * count] == block(*fields)[10 : 10 + 12 * count]
    assert b"NORTH" not in stripped
    assert exif_without_gps(stripped) == stripped


@given(st.binary(max_size=300), st.sampled_from([b"II*\0\10\0\0\0", b"MM\0*\0\0\0\10", b""]))
def test_any_bytes_can_be_looked_through(data: bytes, header: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", aez.AezWarning)
        once = exif_without_gps(header + data)
        assert exif_without_gps(once) == once
        assert len(once) in (0, len(header + data))


def test_positions_in_directories_below_and_behind(photograph: Image.Image) -> None:
    first = block(Field(0x8769, 4, 1, struct.pack("<L", 26)))
    below = with_position_behind()[8:]  # its pointers are as if it were the first directory
    exif = first + below
    moved = bytearray(exif)
    struct.pack_into("<L", moved, 26 + 2 + 8, 26 + 2 + 12 + 4)
    assert exif_without_gps(bytes(moved))[26:28] == bytes(2)
    behind = block(orientation(1), next_directory=26)
    assert exif_without_gps(behind + bytes(moved[26:]))[26:28] == bytes(2)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("type", "code"), [(3, "H"), (4, "L"), (8, "h"), (9, "l"), (13, "L"), (7, "L"), (0, "L")])
def test_a_position_is_wiped_whatever_type_its_pointer_has(order: ByteOrder, type: int, code: str) -> None:
    pointer = Field(GPS_DIRECTORY, type, 1, struct.pack(order + code, 26))
    position = block(Field(1, 2, 2, b"N\0"), Field(29, 2, 4, b"POS\0"), order=order)[8:]
    exif = block(pointer, order=order, behind=position + b"behind")
    stripped = exif_without_gps(exif)
    assert b"POS" in exif
    assert stripped == block(order=order, behind=bytes(len(exif) - 14 - len(b"behind")) + b"behind")


POSITION = block(Field(29, 2, 4, b"POS\0"))[8:]


def chain(length: int) -> bytes:
    """Directories one behind the other, of which the last has a position."""
    exif = block(orientation(1), next_directory=26)
    for number in range(1, length):
        exif += block(orientation(1), next_directory=26 + 18 * number)[8:]
    return exif + block(Field(GPS_DIRECTORY, 4, 1, struct.pack("<L", len(exif) + 18)))[8:] + POSITION


@pytest.mark.parametrize(("length", "stays"), [(1, True), (90, True), (98, True), (99, False), (3000, False)])
def test_exif_with_more_directories_than_are_looked_through_is_left_out(length: int, stays: bool) -> None:
    exif = chain(length)
    if stays:
        stripped = exif_without_gps(exif)
        assert len(stripped) == len(exif)
        assert b"POS" not in stripped
    else:
        with pytest.warns(aez.AezWarning, match="EXIF is left out, since the position"):
            assert exif_without_gps(exif) == b""


def test_exif_whose_position_is_part_of_its_directories_is_left_out() -> None:
    first = Field(GPS_DIRECTORY, 4, 1, struct.pack("<L", 12))
    with pytest.warns(aez.AezWarning, match="EXIF is left out, since the position"):
        assert exif_without_gps(block(first, Field(0x8769, 4, 1, struct.pack("<L", 38)), behind=b"\1\0" * 50)) == b""


def with_thumbnail(thumbnail: bytes, *lengths: int) -> bytes:
    """In a second directory, with a length if one is given."""
    fields = [Field(0x0202, 4, 1, struct.pack("<L", length)) for length in lengths]
    end = 26 + 6 + 12 * (1 + len(fields))
    second = block(Field(0x0201, 4, 1, struct.pack("<L", end)), *fields)[8:]
    return block(orientation(1), next_directory=26, behind=second + thumbnail)


@pytest.mark.parametrize("says_length", [True, False])
@pytest.mark.parametrize("name", ["exif", "xmp", None])
def test_a_thumbnail_with_metadata_of_its_own_goes(
    photograph: Image.Image, name: str | None, says_length: bool
) -> None:
    small = photograph.resize((32, 24))
    thumbnail = jpeg(small, **({name: {"exif": exif(), "xmp": PLAIN_XMP}[name]} if name else {}))
    before = with_thumbnail(thumbnail, *([len(thumbnail)] if says_length else []))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", aez.AezWarning)
        after = without_position(photograph, before)
    assert [str(warning.message) for warning in caught] == (
        ["the thumbnail is left out, since it may tell the position too"] if name else []
    )
    if name:
        tags = Image.Exif()
        tags.load(after)
        assert 0x0201 not in tags.get_ifd(1)
        assert after == before[:26] + bytes(len(before) - 26)
    else:
        assert after == before


@pytest.mark.parametrize(
    ("attributes", "elements"),
    [
        (b" exif:GPSLatitude=\"52,31.2N\" exif:GPSLongitude='13,24.5E'", b""),
        (b"", b"<exif:GPSLatitude>52,31.2N</exif:GPSLatitude><exif:GPSAltitudeRef/>"),
        (
            b' xmlns:e="http://ns.adobe.com/exif/1.0/"\n  e:GPSLatitude = "52,31.2N"',
            b"<e:GPSLongitude >13E</e:GPSLongitude >",
        ),
        (b' drone-dji:GpsLatitude="52.52" drone-dji:GpsLongtitude="+13.4"', b""),
        (b' geo:lat="52.52" geo:long="13.4"', b"<geo:alt>34</geo:alt>"),
        (b' exif:GPSMapDatum="a > b"', b'<exif:GPSLatitude rdf:datatype="x">52,31.2N</exif:GPSLatitude>'),
        (b" drone:Latitude='52' pos:lat='52' pos:lng='13'", b"<wgs84:lon>13</wgs84:lon><wgs84:long>13</wgs84:long>"),
        (b"", b"<exif:GPSLatitude><rdf:Alt><rdf:li>52</rdf:li></rdf:Alt></exif:GPSLatitude>"),
        (b"", b"<x:GPS ><x:GPS/><x:GPS>52</x:GPS></x:GPS><geo:Point\n/><geo:Point><geo:lat>52</geo:lat></geo:Point>"),
        (b"", b"<exif:GPSLatitude><![CDATA[52</exif:GPSLatitude>]]><!-- 13 --></exif:GPSLatitude>"),
    ],
)
def test_of_xmp_only_the_position_goes(attributes: bytes, elements: bytes) -> None:
    stripped = xmp_without_gps(XMP % (attributes, elements))
    assert b"A GPS receiver" in stripped
    assert not any(number in stripped for number in (b"52", b"13", b"34", b"+", b"a > b"))
    assert b"".join(stripped.replace(b' xmlns:e="http://ns.adobe.com/exif/1.0/"', b"").split()) == b"".join(
        PLAIN_XMP.split()
    )


DRONE = b' drone:Latitude="52"'
DOCTYPE = b'<!DOCTYPE x [<!ENTITY e "<exif:GPSLatitude>52</exif:GPSLatitude>">]><x>&e;</x>'


@pytest.mark.parametrize("trailer", [b"", b"\0", b"\0" * 100])
def test_xmp_may_have_a_byte_order_mark_and_zeros_behind(trailer: bytes) -> None:
    packet = b"\xef\xbb\xbf" + XMP % (DRONE, "<dc:rights>Größe</dc:rights>".encode())
    assert xmp_without_gps(packet + trailer) == packet.replace(DRONE, b"")
    assert xmp_without_gps(b"\0" * 10) == xmp_without_gps(b"") == b""


@pytest.mark.parametrize(
    "packet",
    [
        XMP % (b"", b"<exif:GPSLatitude>52"),
        *((XMP % (DRONE, b"")).decode().encode(name) for name in ("utf-16", "utf-16-be", "utf-32", "utf-32-le")),
        XMP % (b"", b"<!-- exif:GPSLatitude 52 -->"),
        XMP % (b"", b"<?gps 52?>"),
        XMP % (b"", b"\xff"),
        DOCTYPE,
        b"<?xml version='1.0' encoding='nonsense'?><x/>",
        b"<?xml version='1.0' encoding='utf-7'?><x/>",
    ],
    ids=lambda packet: str(len(packet)),
)
def test_xmp_that_cannot_be_cleared_is_left_out(packet: bytes) -> None:
    with pytest.warns(aez.AezWarning, match="XMP is left out"):
        assert xmp_without_gps(packet) == b""


def test_a_batch_does_again_what_was_made_with_other_options(run: Run, tmp_path: Path, photograph: Image.Image) -> None:
    album, coded = tmp_path / "album", tmp_path / "coded"
    album.mkdir()
    (album / "img.jpg").write_bytes(jpeg(photograph, exif=exif(), xmp=PLAIN_XMP))
    held = []
    for options in ([], ["--strip-gps"], ["--strip"], []):
        assert "1 done" in run("batch", album, coded, *options).stdout
        assert "1 up to date" in run("batch", album, coded, *options).stdout
        decoded = aez.decode((coded / "img.aez").read_bytes())
        held.append((bool(decoded.getexif().get_ifd(GPS_DIRECTORY)), "exif" in decoded.info))
    assert held == [(True, True), (False, True), (False, False), (True, True)]
    assert run("batch", coded, tmp_path / "back", "--to", "png", "--strip").exit_code == 2


def test_the_plugin_and_files_take_the_options(tmp_path: Path, photograph: Image.Image) -> None:
    picture = photograph.copy()
    picture.info["exif"] = exif()
    picture.save(tmp_path / "a.aez", strip_gps=True)
    with Image.open(tmp_path / "a.aez") as opened:
        assert opened.getexif()[0x010F] == "Camera"
        assert GPS_DIRECTORY not in opened.getexif()
    aez.encode_file(tmp_path / "a.aez", tmp_path / "b.aez", strip=True)
    with Image.open(tmp_path / "b.aez") as opened:
        assert "exif" not in opened.info


@pytest.mark.parametrize("strip", ["--strip", "--strip-gps"])
@pytest.mark.parametrize("keep", [["--skip-larger"], ["--min-psnr", "0"]])
def test_a_batch_that_strips_copies_no_originals(run: Run, tmp_path: Path, strip: str, keep: list[str]) -> None:
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "a.jpg").write_bytes(jpeg(Image.new("RGB", (8, 8)), exif=exif()))
    result = run("batch", tmp_path / "album", tmp_path / "coded", strip, *keep)
    assert result.exit_code == 2
    assert "are copied whole" in result.stderr
    assert not (tmp_path / "coded").exists()
