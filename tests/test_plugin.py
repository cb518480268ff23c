"""The Pillow plugin."""

import io
from pathlib import Path

import pytest
from conftest import psnr
from PIL import Image, UnidentifiedImageError

import aez


def test_save_and_open_by_suffix(photograph: Image.Image, tmp_path: Path) -> None:
    photograph.save(tmp_path / "x.aez", quality=80)
    with Image.open(tmp_path / "x.aez") as image:
        assert (image.format, image.mode, image.size) == ("AEZ", "RGB", photograph.size)
        assert image.get_format_mimetype() == "image/aez"
        assert image.info["quality"] == 80
        assert psnr(image, photograph) > 30


def test_loading_closes_the_file(photograph: Image.Image, tmp_path: Path) -> None:
    photograph.save(tmp_path / "x.aez")
    image = Image.open(tmp_path / "x.aez")
    image.load()
    assert psnr(image, photograph) > 25


def test_draft_and_thumbnail_choose_medium(photograph: Image.Image) -> None:
    data = aez.encode(photograph)
    with Image.open(io.BytesIO(data)) as image:
        assert image.draft("RGB", (87, 67)) is None
        image.draft("RGB", (86, 67))
        assert image.size == (86, 67)
        assert psnr(image, aez.decode(data, "medium")) > 90
    with Image.open(io.BytesIO(data)) as image:
        image.thumbnail((40, 40))
        assert image.size == (40, 31)


def test_a_front_part_opens_as_the_medium_picture(photograph: Image.Image) -> None:
    data = aez.encode(photograph)
    with Image.open(io.BytesIO(data[: aez.info(data).medium_bytes])) as image:
        image.load()
        assert image.size == (86, 67)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_modes_are_known_before_loading(photograph: Image.Image, mode: str) -> None:
    buffer = io.BytesIO()
    photograph.convert(mode).save(buffer, "aez")
    with Image.open(buffer) as image:
        assert image.mode == mode
        image.load()
        assert image.mode == mode


def test_metadata_is_there_on_opening_and_can_be_replaced_on_saving(photograph: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    buffer = io.BytesIO()
    photograph.save(buffer, "aez", exif=exif, xmp=None)
    with Image.open(buffer) as image:
        assert image.getexif()[0x010F] == "a camera"


@pytest.mark.filterwarnings("ignore::aez.AezWarning")
def test_damage_is_an_os_error_as_in_other_formats(photograph: Image.Image) -> None:
    data = aez.encode(photograph)
    with Image.open(io.BytesIO(data[:-30])) as image, pytest.raises(OSError, match="enhancement"):
        image.load()
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(data[:20]))


def test_saving_keeps_what_encode_keeps(photograph: Image.Image, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    photograph.save(tmp_path / "a.tif", exif=exif)
    with Image.open(tmp_path / "a.tif") as image:
        info = dict(image.info)
        image.save(tmp_path / "a.aez", layers="base", xmp=b"<x/>")
        assert image.info == info
    with Image.open(tmp_path / "a.aez") as image:
        assert image.getexif()[0x010F] == "a camera"
        assert image.info["xmp"] == b"<x/>"
    assert aez.info((tmp_path / "a.aez").read_bytes()).layers == "base"
