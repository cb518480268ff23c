"""Colours that are said in another way than by an ICC profile are kept by one, or a note says that they are not."""

import io
import struct
import warnings
from typing import Any

import icc_profiles
import numpy as np
import png_files
import pytest
import tiff_files
from icc_profiles import shown
from PIL import Image
from png_files import Colour, Kind, chunk, header

from aez import AezWarning, decode, encode
from aez.api import encode_bytes

SAMPLE = (150, 100, 60)
GRAY_SAMPLE = (128, 128, 128)
SRGB, P3, BT2020 = (
    (*white, *rest)
    for white, rest in [
        ((0.3127, 0.3290), (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)),
        ((0.3127, 0.3290), (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)),
        ((0.3127, 0.3290), (0.708, 0.292, 0.170, 0.797, 0.131, 0.046)),
    ]
)
SWAPPED = (*SRGB[:2], *SRGB[4:6], *SRGB[2:4], *SRGB[6:])
PQ_NOTE = "HDR samples (PQ) are taken for sRGB, which looks dull"


def gama(gamma: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">L", round(100_000 * gamma)))


def chrm(primaries: tuple[float, ...]) -> bytes:
    return chunk(b"cHRM", struct.pack(">8L", *(round(100_000 * number) for number in primaries)))


def cicp(primaries: int, transfer: int) -> bytes:
    return chunk(b"cICP", bytes([primaries, transfer, 0, 1]))


def iccp(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"x\0\0" + png_files.zlib.compress(profile))


SRGB_CHUNK = chunk(b"sRGB", b"\0")


def png(chunks: bytes, sample: tuple[int, ...] = SAMPLE, colour: Colour = Colour.RGB) -> bytes:
    samples = np.broadcast_to(np.array(sample[: colour.channels]), (48, 64, colour.channels))
    kind = Kind(colour, 8, interlaced=False, transparency=False)
    file = png_files.png(samples, kind)
    start = len(png_files.SIGNATURE + header(64, 48, kind))
    return file[:start] + chunks + file[start:]


def linear(sample: tuple[int, ...], exponent: float | None) -> np.ndarray[Any, Any]:
    share = np.array(sample) / 255
    if exponent is not None:
        return share**exponent
    return np.where(share > 0.04045, ((share + 0.055) / 1.055) ** 2.4, share / 12.92)


def to_xyz(primaries: tuple[float, ...]) -> np.ndarray[Any, Any]:
    columns = [np.array([x, y, 1 - x - y]) for x, y in np.reshape(primaries, (4, 2))]
    shape = np.stack(columns[1:], 1)
    return shape * np.linalg.solve(shape, columns[0] / columns[0][1])


def in_srgb(
    primaries: tuple[float, ...] = SRGB, exponent: float | None = None, sample: tuple[int, ...] = SAMPLE
) -> np.ndarray[Any, Any]:
    """What samples are in sRGB, whose white is that of the primaries."""
    light = np.linalg.inv(to_xyz(SRGB)) @ to_xyz(primaries) @ linear(sample, exponent)
    light = np.clip(light, 0, 1)
    return 255 * np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)


def coded(file: bytes) -> tuple[Image.Image, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = decode(encode_bytes(file, 95))
    assert {warning.category for warning in caught} <= {AezWarning}
    return result, [str(warning.message) for warning in caught]


KEPT = {
    "linear light": (gama(1.0), in_srgb(exponent=1)),
    "gamma 1.6": (gama(0.625), in_srgb(exponent=1.6)),
    "gamma 1.8": (gama(1 / 1.8), in_srgb(exponent=1.8)),
    "gamma 2.8": (gama(1 / 2.8), in_srgb(exponent=2.8)),
    "Display P3 by chromaticities": (gama(0.45455) + chrm(P3), in_srgb(P3)),
    "chromaticities alone": (chrm(P3), in_srgb(P3)),
    "red and green swapped": (gama(0.45455) + chrm(SWAPPED), in_srgb(SWAPPED)),
    "BT.2020 and linear": (chrm(BT2020) + gama(1.0), in_srgb(BT2020, 1)),
    "Display P3 by code points": (cicp(12, 13), in_srgb(P3)),
    "BT.2020 by code points": (cicp(9, 14), in_srgb(BT2020)),
    "gamma by code points": (cicp(1, 8), in_srgb(exponent=1)),
    "code points first": (gama(1.0) + chrm(BT2020) + SRGB_CHUNK + cicp(12, 13), in_srgb(P3)),
    "a profile first": (gama(1.0) + iccp(icc_profiles.SRGB) + cicp(12, 13), in_srgb()),
}


@pytest.mark.parametrize("name", KEPT)
def test_png_that_is_not_srgb_has_a_profile_that_says_so(name: str) -> None:
    chunks, right = KEPT[name]
    result, notes = coded(png(chunks))
    assert not notes
    assert result.info["icc_profile"][16:20] == b"RGB "
    assert np.abs(np.asarray(shown(result))[20, 20] - right).max() < 5


PLAIN = {
    "nothing": b"",
    "the chunk": SRGB_CHUNK,
    "usual gamma": gama(0.45455),
    "gamma rounded": gama(0.45),
    "usual gamma and chromaticities": gama(0.45455) + chrm(SRGB),
    "the chunk beside others": gama(1.0) + chrm(P3) + SRGB_CHUNK,
    "code points": gama(1.0) + cicp(1, 13),
    "video": cicp(1, 1),
    "unspecified": cicp(2, 2),
}


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("colour", [Colour.RGB, Colour.GRAY])
def test_png_in_srgb_has_no_profile(name: str, colour: Colour) -> None:
    result, notes = coded(png(PLAIN[name], colour=colour))
    assert "icc_profile" not in result.info
    assert not notes


@pytest.mark.parametrize("numbers", [(), (0.3127,), (0.3127, 0.329, 0.64), "all of them"])
def test_chromaticities_that_are_too_few_are_none(numbers: object) -> None:
    image = Image.new("RGB", (9, 9), "red")
    image.info["chromaticity"] = numbers
    assert "icc_profile" not in decode(encode(image)).info


@pytest.mark.parametrize("colour", [Colour.GRAY, Colour.GRAY_ALPHA])
def test_gray_keeps_its_gamma_and_needs_no_chromaticities(colour: Colour) -> None:
    result, _ = coded(png(gama(1.0), (128, 255), colour))
    assert result.info["icc_profile"][16:20] == b"GRAY"
    assert abs(np.asarray(shown(result))[20, 20, 0] - 188) < 3
    assert "icc_profile" not in coded(png(chrm(P3), (128, 255), colour))[0].info


@pytest.mark.parametrize("transfer", [(16, "PQ"), (18, "HLG")])
def test_hdr_is_noted(transfer: tuple[int, str]) -> None:
    number, name = transfer
    result, notes = coded(png(cicp(9, number)))
    assert "icc_profile" not in result.info
    assert notes == [f"HDR samples ({name}) are taken for sRGB, which looks dull"]


@pytest.mark.parametrize(
    "chunks",
    [gama(0), gama(0.001), gama(20_000), chrm((0,) * 8), chrm((1, 0) * 4), chrm((0.3,) * 8), chrm((21_000,) * 8)],
)
def test_impossible_colours_are_noted(chunks: bytes) -> None:
    result, notes = coded(png(chunks))
    assert "icc_profile" not in result.info
    assert notes == ["impossible chromaticities or gamma are left out"]


@pytest.mark.parametrize("key", [b"gamma", b"chromaticity", b"srgb", b"icc_profile"])
def test_a_text_of_such_a_name_is_no_colour(key: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AezWarning)
        assert "icc_profile" not in decode(encode_bytes(png(chunk(b"tEXt", key + b"\0001.0")))).info


def avif(primaries: int, transfer: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), SAMPLE).save(buffer, "avif", quality=100)
    file = bytearray(buffer.getvalue())
    struct.pack_into(">HH", file, file.index(b"colrnclx") + 8, primaries, transfer)
    return bytes(file)


@pytest.mark.parametrize(
    ("primaries", "transfer", "right"),
    [(12, 13, in_srgb(P3)), (9, 14, in_srgb(BT2020)), (9, 1, in_srgb(BT2020)), (1, 8, in_srgb(exponent=1))],
)
def test_code_points_of_avif(primaries: int, transfer: int, right: np.ndarray[Any, Any]) -> None:
    result, notes = coded(avif(primaries, transfer))
    assert not notes
    assert np.abs(np.asarray(shown(result))[20, 20] - right).max() < 6


@pytest.mark.parametrize("points", [(1, 13), (1, 1), (1, 6), (2, 2), (1, 2), (2, 13)])
def test_avif_in_srgb_has_no_profile(points: tuple[int, int]) -> None:
    result, notes = coded(avif(*points))
    assert "icc_profile" not in result.info
    assert not notes


@pytest.mark.parametrize("primaries", [1, 9, 12])
def test_hdr_in_avif_is_noted(primaries: int) -> None:
    assert coded(avif(primaries, 16))[1] == [PQ_NOTE]


def test_chromaticities_of_tiff() -> None:
    buffer = io.BytesIO()
    tags = {318: P3[:2], 319: P3[2:]}
    Image.new("RGB", (64, 48), SAMPLE).save(buffer, "tiff", tiffinfo=tags)
    result, notes = coded(buffer.getvalue())
    assert not notes
    assert np.abs(np.asarray(shown(result))[20, 20] - in_srgb(P3)).max() < 5
    gray = tiff_files.tiff(np.full((8, 8), 9), tiff_files.Kind(8))
    assert "icc_profile" not in coded(gray)[0].info


def test_profile_of_jpeg_2000() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), SAMPLE).save(buffer, "jpeg2000")
    file = buffer.getvalue()
    start = file.index(b"jp2h") - 4
    size = int.from_bytes(file[start : start + 4])
    colr = file.index(b"colr") - 4
    box = b"colr\2\0\0" + icc_profiles.SRGB
    grown = size - 15 + 4 + len(box)
    changed = file[:start] + grown.to_bytes(4) + file[start + 4 : colr] + (4 + len(box)).to_bytes(4) + box
    assert coded(changed + file[colr + 15 :])[0].info["icc_profile"] == icc_profiles.SRGB


def test_no_profile_can_be_asked_for() -> None:
    with Image.open(io.BytesIO(png(gama(1.0)))) as image:
        buffer = io.BytesIO()
        image.save(buffer, "aez", icc_profile=None)
        assert "icc_profile" not in decode(buffer.getvalue()).info
