"""The Pillow plugin."""

import copy
import io
import pickle
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from conftest import psnr
from exif_blocks import block, orientation
from PIL import Image, UnidentifiedImageError
from tiff_files import Kind, tiff

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


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
@pytest.mark.parametrize("quality", [0, "lossless"])
def test_a_path_gives_what_bytes_give_where_the_file_is_larger_than_its_samples(
    mode: str, quality: aez.api.Quality, tmp_path: Path
) -> None:
    data = aez.encode(Image.new(mode, (4, 4), 200), quality)
    (tmp_path / "x.aez").write_bytes(data)
    with Image.open(tmp_path / "x.aez") as image:
        assert image.tobytes() == aez.decode(data).tobytes()


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


@pytest.mark.filterwarnings("ignore:.* if there w")
@pytest.mark.parametrize("mode", ["RGB", "LA"])
def test_a_file_that_ends_too_early_for_high_opens_as_medium(photograph: Image.Image, mode: str) -> None:
    image = photograph.convert(mode)
    image.info["xmp"] = b"<x/>" * 20
    data, medium = aez.encode(image), aez.decode(aez.encode(image), "medium")
    needed = len(data) - sum(section.bytes + 2 for section in aez.info(data).sections if section.type == "xmp")
    first = aez.info(data).medium_bytes
    for end in (first, first + 1, *range(first + 2, needed - 1, 97), needed - 1):
        with Image.open(io.BytesIO(data[:end])) as opened:
            assert opened.size == (86, 67)
    with Image.open(io.BytesIO(data[: needed - 1])) as opened:
        assert np.array_equal(opened, medium)
    for end in (needed, len(data) - 1, len(data)):
        with Image.open(io.BytesIO(data[:end])) as opened:
            assert opened.size == photograph.size


def test_a_base_file_opens_as_high(photograph: Image.Image) -> None:
    with Image.open(io.BytesIO(aez.encode(photograph, layers="base"))) as image:
        assert image.size == photograph.size


@pytest.mark.parametrize("load", [False, True])
@pytest.mark.parametrize("medium", [False, True])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_copies_and_pickles_can_be_used_as_the_image_itself(
    photograph: Image.Image, mode: str, medium: bool, load: bool
) -> None:
    data = aez.encode(photograph.convert(mode))
    expected = aez.decode(data, "medium" if medium else "high")
    for copied in (copy.copy, copy.deepcopy, lambda image: pickle.loads(pickle.dumps(image)), Image.Image.copy):
        image = Image.open(io.BytesIO(data))
        if medium:
            image.draft(None, (40, 40))
        if load:
            image.load()
        twin = copied(image)
        assert (twin.mode, twin.size, twin.info) == (image.mode, image.size, image.info)
        assert np.array_equal(twin, expected)
        assert twin.getpixel((3, 4)) == expected.getpixel((3, 4))
        twin.thumbnail((20, 20))
        assert max(twin.size) == 20
        twin.save(io.BytesIO(), "aez")
        assert np.array_equal(image, expected)


def test_another_process_gets_the_image(photograph: Image.Image) -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        image = Image.open(io.BytesIO(aez.encode(photograph)))
        assert pool.submit(Image.Image.getpixel, image, (5, 5)).result() == image.getpixel((5, 5))


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


def test_damage_is_an_os_error_as_in_other_formats(photograph: Image.Image) -> None:
    data = aez.encode(photograph)
    damaged = data[:-30] + bytes([data[-30] ^ 1]) + data[-29:]
    with Image.open(io.BytesIO(damaged)) as image, pytest.raises(OSError, match="enhancement"):
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


@pytest.mark.parametrize("to_file", [False, True])
def test_threads_that_save_one_image_keep_their_options_apart(tmp_path: Path, to_file: bool) -> None:
    image = Image.radial_gradient("L").resize((300, 200)).convert("RGB")
    image.info.update(exif=b"Exif\0\0" + block(orientation(6)), comment="mine")
    before = dict(image.info)
    start = threading.Barrier(8)

    def save(number: int) -> bytes:
        place = tmp_path / f"{number}.aez" if to_file else io.BytesIO()
        start.wait()
        exif = {"exif": b""} if number % 2 else {}
        image.save(place, "aez", xmp=b"<x%d/>" % number, quality=10 * number, **exif)
        return place.read_bytes() if isinstance(place, Path) else place.getvalue()

    with ThreadPoolExecutor(8) as pool:
        files = [*pool.map(save, range(8))]
    assert image.info == before
    for number, file in enumerate(files):
        saved = aez.decode(file)
        assert saved.info["xmp"] == b"<x%d/>" % number
        assert aez.info(file).quality == 10 * number
        assert ("exif" in saved.info) == (number % 2 == 0)
        assert saved.size == ((300, 200) if number % 2 else (200, 300))


@pytest.mark.parametrize("looked", [False, True])
@pytest.mark.parametrize("format", ["jpeg", "png"])
def test_exif_that_is_given_turns_the_picture(photograph: Image.Image, format: str, looked: bool) -> None:
    file = io.BytesIO()
    photograph.save(file, format, exif=b"Exif\0\0" + block(orientation(1)))
    with Image.open(file) as image:
        if looked:
            image.getexif()
        saved = io.BytesIO()
        image.save(saved, "aez", exif=block(orientation(6)))
    for resolution, size in (("high", (133, 171)), ("medium", (67, 86))):
        result = aez.decode(saved.getvalue(), resolution)  # type: ignore[arg-type]
        assert result.size == size
        assert result.getexif().get(0x0112, 1) == 1


def test_a_deep_tiff_is_saved_as_it_was_meant(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 1, 64), (64, 1))
    file = tiff(4095 * ramp, Kind(12))
    with Image.open(io.BytesIO(file)) as image, pytest.warns(aez.AezWarning, match="12-bit samples are reduced"):
        image.save(tmp_path / "a.aez")
    assert psnr(aez.decode((tmp_path / "a.aez").read_bytes()), 255 * ramp) > 30
