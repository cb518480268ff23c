"""A profile in a file is always of the space that its samples have, and they show what they showed before."""

import io
import warnings
from typing import get_args

import icc_profiles
import numpy as np
import pytest
from conftest import psnr
from icc_profiles import LAB, SRGB, shown
from PIL import Image, ImageCms

from aez import AezWarning, QualityWarning, decode, encode
from aez.picture.files.formats import PictureFormat
from aez.picture.files.saving import save_picture

GRAY = icc_profiles.gray(1.0)
SPACES = {b"GRAY": ("L", "LA"), b"RGB ": ("RGB", "RGBA")}
FORMATS: tuple[PictureFormat, ...] = get_args(PictureFormat)


def with_profile(image: Image.Image, profile: bytes) -> Image.Image:
    image = image.copy()
    image.info["icc_profile"] = profile
    return image


def noted(image: Image.Image) -> tuple[Image.Image, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = decode(encode(image, 95))
    notes = [warning for warning in caught if warning.category is not QualityWarning]  # of dithered pictures
    assert {note.category for note in notes} <= {AezWarning}
    return result, [str(note.message) for note in notes]


@pytest.fixture(scope="module")
def smooth() -> Image.Image:
    """A ramp of gray, and of alpha across."""
    image = Image.linear_gradient("L").resize((64, 64))
    image.putalpha(image.transpose(Image.Transpose.ROTATE_90).point(lambda level: max(level, 1)))
    return image


MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "LAB", "YCbCr", "I;16", "F"]
PROFILES = {
    "GRAY": GRAY,
    "RGB": SRGB,
    "Lab": LAB,
    "CMYK": icc_profiles.only_a_header(b"CMYK"),
    "broken GRAY": icc_profiles.only_a_header(b"GRAY"),
    "broken RGB": icc_profiles.only_a_header(b"RGB "),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", PROFILES)
def test_whatever_the_mode_and_the_profile(smooth: Image.Image, mode: str, name: str) -> None:
    if mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(smooth.convert("RGB"), ImageCms.createProfile("sRGB"), lab, outputMode="LAB")
    elif mode == "I;16":
        image = Image.fromarray(np.asarray(smooth.getchannel(0)).astype(np.uint16) * 257)
    else:
        image = smooth.convert("RGBA").convert(mode) if mode in ("P", "PA") else smooth.convert(mode)
    result, notes = noted(with_profile(image, PROFILES[name]))
    kept = result.info.get("icc_profile")
    assert kept in (None, PROFILES[name])
    assert kept is None or result.mode in SPACES[kept[16:20]]
    assert kept or any(word in note for note in notes for word in ("converted", "left out"))
    for format in FORMATS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AezWarning)
            file = save_picture(result, format)
        with Image.open(io.BytesIO(file)) as written:
            space = (written.info.get("icc_profile") or b"")[16:20]
            assert not space or written.mode in SPACES[space]


@pytest.mark.parametrize("mode", ["L", "LA"])
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.filterwarnings("ignore:JPEG has no transparency")
@pytest.mark.filterwarnings("ignore:gray samples are converted")
def test_gray_with_a_profile_looks_the_same_in_every_format(
    smooth: Image.Image, mode: str, format: PictureFormat
) -> None:
    image = with_profile(smooth.convert(mode), GRAY)
    result = decode(encode(image, 95))
    assert result.info["icc_profile"] == GRAY
    with Image.open(io.BytesIO(save_picture(result, format))) as written:
        if format == "jpeg" and mode == "LA":
            assert written.info["icc_profile"] == GRAY
        else:
            assert psnr(shown(written), shown(result)) > 38


@pytest.mark.parametrize("mode", ["P", "PA", "RGB", "RGBA"])
def test_a_gray_profile_of_samples_without_colour_makes_them_gray(smooth: Image.Image, mode: str) -> None:
    image = with_profile(smooth.convert("LA" if mode in ("PA", "RGBA") else "L").convert(mode), GRAY)
    result, notes = noted(image)
    assert result.info["icc_profile"] == GRAY
    assert result.mode == ("LA" if mode in ("PA", "RGBA") else "L")
    assert not notes
    assert psnr(result.getchannel(0), image.convert("RGB").getchannel(0)) > 35


def test_a_gray_profile_of_samples_with_colour_is_left_out(photograph: Image.Image) -> None:
    result, notes = noted(with_profile(photograph, GRAY))
    assert psnr(result, photograph) > 30
    assert notes == ["an ICC profile for GRAY, which the samples are not, is left out"]


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_gray_with_an_rgb_profile_becomes_srgb(smooth: Image.Image, mode: str) -> None:
    linear = bytearray(SRGB)
    for name in (b"rTRC", b"gTRC", b"bTRC"):
        entry = linear.index(name)
        linear[entry + 4 : entry + 12] = len(SRGB).to_bytes(4) + (14).to_bytes(4)
    linear += b"curv" + bytes(4) + (1).to_bytes(4) + (256).to_bytes(2)
    linear[:4] = len(linear).to_bytes(4)
    image = with_profile(smooth.convert(mode), bytes(linear))
    result, notes = noted(image)
    assert notes == ["gray samples are converted to sRGB with their profile, which is not kept"]
    assert result.mode == mode
    assert psnr(shown(result), shown(image)) > 35


@pytest.mark.parametrize("junk", [b"junk", b"junk" * 100, SRGB[:200], SRGB[:36] + b"pcsa" + SRGB[40:], "text", (1, 2)])
def test_malformed_profiles_are_left_out(photograph: Image.Image, junk: object) -> None:
    image = photograph.crop((0, 0, 30, 30))
    image.info["icc_profile"] = junk
    result, notes = noted(image)
    assert "icc_profile" not in result.info
    assert notes == ["the malformed ICC profile is left out"]
