"""Lossless files: every sample as it was, without a model; what would have to lose something is refused."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

import aez
from aez.api import Resolution
from aez.format.contents import Contents
from aez.model import registry
from aez.picture.samples import box_average

Run = Callable[..., Result]
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
COMMON = {"1": "L", "P": "RGB", "PA": "RGBA"}


@st.composite
def images(draw: st.DrawFn) -> Image.Image:
    """Noise, few colours or flat ground of any mode and size, colours under alpha 0 among them."""
    mode = draw(st.sampled_from(MODES))
    width, height = draw(st.integers(1, 150)), draw(st.integers(1, 150))
    levels, seed = draw(st.sampled_from((1, 2, 5, 256))), draw(st.integers(0, 1 << 30))
    samples = np.random.default_rng(seed).integers(0, levels, (height, width, 4)) * (255 // max(levels - 1, 1))
    rgba = Image.fromarray(samples.astype(np.uint8), "RGBA")
    if mode == "PA":
        image = rgba.convert("RGB").quantize(31).convert("PA")
        image.putalpha(rgba.getchannel("A"))
        return image
    if mode == "LA":
        return Image.merge("LA", (rgba.getchannel("R"), rgba.getchannel("A")))
    return rgba if mode == "RGBA" else rgba.convert("RGB").convert(mode)


@given(images())
@settings(deadline=None)  # how many examples, the profile says
def test_every_sample_comes_back(image: Image.Image) -> None:
    decoded = aez.decode(aez.encode(image, "lossless"))
    expected = image.convert(COMMON.get(image.mode, image.mode))
    assert decoded.mode == expected.mode
    assert np.array_equal(decoded, expected)


@pytest.mark.parametrize("size", [(17_000, 3), (3, 17_000), (16_383, 1), (16_384, 2)])
def test_sheets_are_cut_where_webp_ends(size: tuple[int, int]) -> None:
    width, height = size
    samples = np.random.default_rng(0).integers(0, 2, (height, width, 4), np.uint8) * 255
    image = Image.fromarray(samples, "RGBA")
    assert np.array_equal(aez.decode(aez.encode(image, "lossless")), image)


def test_medium_is_the_box_average_rounded_half_up(photograph: Image.Image) -> None:
    medium = aez.decode(aez.encode(photograph, "lossless"), "medium")
    assert np.array_equal(medium, np.floor(box_average(np.asarray(photograph)) + 0.5))


def test_what_alpha_hides_leaves_no_fringe_in_medium() -> None:
    image = Image.new("RGBA", (9, 7), (0, 0, 0, 0))
    image.paste((250, 20, 30, 255), (0, 0, 5, 7))
    medium = np.asarray(aez.decode(aez.encode(image, "lossless"), "medium"))
    assert medium.shape == (4, 5, 4)
    assert (medium[:, :3, :3] == (250, 20, 30)).all()
    assert medium[0, :, 3].tolist() == [255, 255, 128, 0, 0]


def test_no_model_is_needed(photograph: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = aez.encode(photograph, "lossless")
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path)
    assert np.array_equal(aez.decode(data), photograph)
    assert aez.encode(photograph, "lossless") == data
    found = aez.info(data)
    assert (found.exact_share, found.quality, found.layers, found.model) == (1, None, None, None)
    assert found.medium_bytes == found.bytes


def test_metadata_stays_and_can_be_left_out(photograph: Image.Image) -> None:
    image = photograph.copy()
    exif = Image.Exif()
    exif[271] = "maker"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image.info.update(icc_profile=profile, exif=exif.tobytes())
    data = aez.encode(image, "lossless")
    assert aez.decode(data).getexif()[271] == "maker"
    assert aez.decode(data).info["icc_profile"] == profile
    assert not aez.decode(aez.encode(image, "lossless", strip=True)).getexif()


def test_gamma_becomes_a_profile_and_leaves_samples_alone(photograph: Image.Image, tmp_path: Path) -> None:
    chunk = PngImagePlugin.PngInfo()
    chunk.add(b"gAMA", (100_000).to_bytes(4))
    photograph.save(tmp_path / "a.png", pnginfo=chunk)
    with Image.open(tmp_path / "a.png") as image:
        decoded = aez.decode(aez.encode(image, "lossless"))
    assert np.array_equal(decoded, photograph)
    assert decoded.info["icc_profile"]


def test_orientation_only_turns(photograph: Image.Image, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    photograph.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        decoded = aez.decode(aez.encode(image, "lossless"))
    assert np.array_equal(decoded, photograph.transpose(Image.Transpose.ROTATE_270))


def refused() -> dict[str, tuple[Image.Image, dict[str, object]]]:
    gray = Image.radial_gradient("L")
    return {
        "a.jpg": (gray.convert("CMYK"), {}),
        "b.png": (Image.fromarray(np.asarray(gray).astype(np.uint16) * 257), {}),
        "c.tif": (Image.fromarray(np.asarray(gray, np.float32)), {}),
        "d.tif": (gray.convert("RGB").convert("YCbCr"), {}),
        "e.gif": (gray, {"save_all": True, "append_images": [gray.rotate(90)]}),
    }


@pytest.mark.parametrize("name", refused())
def test_what_would_lose_something_is_refused_in_one_line(name: str, run: Run, tmp_path: Path) -> None:
    image, options = refused()[name]
    image.save(tmp_path / name, **options)
    result = run("encode", tmp_path / name, "--lossless")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "not without loss" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert run("encode", tmp_path / name).exit_code == 0


@pytest.mark.parametrize("other", [("-q", "50"), ("--size", "9k"), ("--psnr", "40")])
def test_it_excludes_qualities_and_targets(other: tuple[str, str], run: Run) -> None:
    result = run("encode", "a.png", "--lossless", *other)
    assert result.exit_code == 2
    assert "only one of" in result.stderr


@pytest.mark.parametrize("other", [("--exact", "never"), ("--layers", "base"), ("--effort", "1")])
def test_it_excludes_what_it_has_not(other: tuple[str, str], run: Run, photograph: Image.Image, tmp_path: Path) -> None:
    photograph.save(tmp_path / "a.png")
    result = run("encode", tmp_path / "a.png", "--lossless", *other)
    assert result.exit_code == 1
    assert "nothing but exact blocks" in result.stderr
    assert not (tmp_path / "a.aez").exists()


def test_the_command_line_and_batches_know_it(run: Run, photograph: Image.Image, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    photograph.save(tmp_path / "in" / "a.png")
    assert run("batch", tmp_path / "in", tmp_path / "out", "--lossless").exit_code == 0
    assert "1 up to date" in run("batch", tmp_path / "in", tmp_path / "out", "--lossless").stdout
    found = json.loads(run("info", tmp_path / "out" / "a.aez", "--json").stdout)
    assert (found["exact_share"], found["quality"], found["layers"], found["model"]) == (1, None, None, None)
    assert "lossless" in run("info", tmp_path / "out" / "a.aez").stdout
    run("decode", tmp_path / "out" / "a.aez", "-o", tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as decoded:
        assert np.array_equal(decoded, photograph)


def test_pillow_reads_and_writes_it(photograph: Image.Image) -> None:
    file = BytesIO()
    photograph.save(file, "AEZ", lossless=True)
    with Image.open(file) as image:
        assert "quality" not in image.info
        assert np.array_equal(image, photograph)


def damaged(data: bytes) -> list[bytes]:
    """The file with a byte changed, here and there, and cut off."""
    places = range(32, len(data), max(1, len(data) // 40))
    changed = [data[:place] + bytes([data[place] ^ 0x40]) + data[place + 1 :] for place in places]
    return [*changed, data[:-1], data[: len(data) // 2], data[:33]]


def test_damage_is_an_error_in_both_resolutions(photograph: Image.Image) -> None:
    image = photograph.copy()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    for data in damaged(aez.encode(image, "lossless")):
        for resolution in get_args(Resolution):
            with pytest.raises(aez.FormatError):
                aez.decode(data, resolution, upscale=True)


def test_a_sheet_of_another_size_is_refused_before_it_is_decoded(photograph: Image.Image) -> None:
    contents = Contents(aez.encode(photograph, "lossless"))
    object.__setattr__(contents.header, "width", 4000)
    with pytest.raises(aez.DamagedError, match="not one of 4000 x 133"):
        contents.exact_picture()
