"""Exact blocks: what is drawn stays as it is, in both resolutions, beside what the networks make of the rest."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from string import ascii_letters
from typing import get_args

import numpy as np
import pytest
from click.testing import Result
from conftest import psnr
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

import aez
from aez.api import Resolution
from aez.arrays import Samples
from aez.coding.encode import Coding, Encoder, Layers, Split
from aez.coding.exact_bits import Estimate, estimate_exact_bits
from aez.coding.targets import Measure
from aez.format.contents import Contents
from aez.format.exact import Map, gather, grid_of, pack_exact, pixels_of, unpack_exact
from aez.model.registry import load_model
from aez.picture.convert import from_pillow
from aez.picture.samples import half_size

pytestmark = pytest.mark.filterwarnings("ignore::aez.AezWarning")

Run = Callable[..., Result]
Maps = tuple[int, int, Map]


@pytest.fixture(scope="module")
def page(sample: Image.Image) -> Image.Image:
    """Text with a photograph beside it."""
    image = Image.new("RGB", (373, 213), (250, 250, 244))
    draw, random = ImageDraw.Draw(image), Random(1)
    for line in range(14):
        words = ("".join(random.choices(ascii_letters, k=random.randint(2, 9))) for _ in range(9))
        draw.text((7, 5 + 15 * line), " ".join(words), fill=(20, 30, 60))
    image.paste(sample.crop((200, 100, 330, 230)), (221, 38))
    return image


def exact_map(data: bytes) -> Map:
    """Which blocks of a file are exact."""
    contents = Contents(data)
    blocks = contents.exact_blocks()
    return blocks.map if blocks else np.zeros(grid_of(contents.header.height, contents.header.width), np.bool_)


def pixels(exact: Map, image: Image.Image) -> Map:
    """Which pixels are in exact blocks."""
    return pixels_of(exact, image.height, image.width)


@st.composite
def maps(draw: st.DrawFn) -> Maps:
    """Height and width of a picture, and a map of its exact blocks."""
    height, width = draw(st.integers(1, 90)), draw(st.integers(1, 90))
    rows, columns = grid_of(height, width)
    bits = draw(st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns).filter(any))
    return height, width, np.array(bits).reshape(rows, columns)


def farthest(decoded: Image.Image, original: Image.Image, inside: Map) -> int:
    """How many levels the samples of some pixels are off at most."""
    first, second = (np.asarray(image, np.int16)[inside] for image in (decoded, original.convert(decoded.mode)))
    return int(np.abs(first - second).max())


@given(maps(), st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_blocks_come_back_to_where_they_were(found: Maps, max_error: int) -> None:
    height, width, exact = found
    original = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    blocks = unpack_exact(pack_exact(gather(original, exact, max_error)), height, width)
    assert blocks.max_error == max_error
    high, medium = np.zeros_like(original), np.zeros((-(-height // 2), -(-width // 2), 3), np.uint8)
    blocks.put(high)
    blocks.put_half(medium, half_size(blocks.sheet))
    inside = pixels_of(exact, height, width)
    assert np.array_equal(high, np.where(inside[..., None], original, 0))
    assert np.array_equal(medium, np.where(inside[::2, ::2, None], half_size(original), 0))


@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 57344), st.integers(0, 1 << 16), st.booleans())
@settings(max_examples=15, deadline=None)
def test_both_resolutions_hold_them(width: int, height: int, quality: int, seed: int, base: bool) -> None:
    random = np.random.default_rng(seed)
    original = Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8))
    exact = random.random(grid_of(height, width)) < 0.5
    if not exact.any() or exact.all():
        return
    layers: Layers = "base" if base else "all"
    coding: Coding = random.choice(["ans", "zstd"])
    picture = from_pillow(original)
    split = Split(picture.rgb, exact, picture.rgb)
    data = Encoder(load_model(), picture, layers, coding).encode_with(quality, split).data
    inside = pixels(exact, original)
    high = np.asarray(aez.decode(data))
    assert np.array_equal(high[inside], np.asarray(original)[inside])
    medium = np.asarray(aez.decode(data[: aez.info(data).medium_bytes], "medium"))
    assert np.array_equal(medium[inside[::2, ::2]], half_size(np.asarray(original))[inside[::2, ::2]])


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
@pytest.mark.parametrize("quality", [30, 70])
def test_text_is_exact_and_photographs_are_not(page: Image.Image, mode: str, quality: int) -> None:
    image = page.convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(page.size).point(lambda level: min(3 * level, 255)))
    data = aez.encode(image, quality)
    exact = exact_map(data)
    assert exact[6:, :13].all()
    assert exact[3:10, 14:21].mean() < 0.1
    found = aez.info(data)
    assert 0.4 < found.exact_share < 1
    decoded = aez.decode(data)
    inside = pixels(exact, page) & (np.asarray(decoded.convert("RGBA").getchannel("A")) > 16)
    assert farthest(decoded, image, inside) == found.max_error


@pytest.mark.parametrize("quality", [60, 70, 75])
def test_near_colours_are_merged_where_that_does_not_show(page: Image.Image, quality: int) -> None:
    """Colours of ground stay, gradients move by a quarter of what edges do, and the better the quality the less."""
    image = page.crop((0, 0, 208, 213))
    image.paste(Image.linear_gradient("L").rotate(90).resize((208, 60)).convert("RGB"), (0, 150))
    data = aez.encode(image, quality)
    found = aez.info(data)
    assert found.exact_share == 1
    assert found.max_error is not None
    assert 0 < found.max_error <= (8 if quality < 75 else 5)
    assert len(data) < len(aez.encode(image, "lossless"))
    decoded = aez.decode(data)
    everywhere = np.ones((image.height, image.width), np.bool_)
    assert farthest(decoded, image, everywhere) == found.max_error
    ground = (np.asarray(image) == (250, 250, 244)).all(2)
    assert farthest(decoded, image, ground) == 0
    gradient = np.zeros_like(everywhere)
    gradient[151:209] = True
    assert farthest(decoded, image, gradient) <= found.max_error // 4


def test_what_is_not_worth_it_stays_lossless(page: Image.Image) -> None:
    two_colours = page.crop((0, 0, 200, 213)).convert("1")
    data = aez.encode(two_colours, 30)
    assert aez.info(data).max_error == 0
    assert data == aez.encode(two_colours.convert("L"), "lossless")


@pytest.mark.parametrize("quality", [0, 20, 50, 80, 100])
def test_a_file_is_never_larger_and_worse(page: Image.Image, quality: int) -> None:
    mixed, plain = aez.encode(page, quality), aez.encode(page, quality, exact="never")
    better = psnr(aez.decode(mixed), page) > psnr(aez.decode(plain), page)
    assert mixed == plain or better or len(mixed) < len(plain)
    assert aez.info(plain).exact_share == 0


@pytest.mark.parametrize("size", [(9, 9), (64, 64), (65, 1), (768, 512)])
@pytest.mark.parametrize("quality", [0, 50, 100])
def test_photographs_have_none(sample: Image.Image, size: tuple[int, int], quality: int) -> None:
    image = sample.crop((0, 0, *size))
    assert aez.encode(image, quality) == aez.encode(image, quality, exact="never")


def test_a_small_caption_is_exact_in_a_large_photograph(sample: Image.Image) -> None:
    image = sample.copy()
    ImageDraw.Draw(image).rectangle((400, 384, 623, 415), "white")
    for top in (387, 401):
        ImageDraw.Draw(image).text((406, top), "Montana de Oro, May 2026, no. 117", "black")
    exact = pixels(exact_map(aez.encode(image, 70)), image)
    assert exact[384:416, 400:624].all()
    assert exact.sum() == 32 * 224


def test_a_few_blocks_that_look_drawn_do_not_cost_the_whole_picture(
    sample: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noise of two levels has few differences, and is not worth its bits where quality is low."""
    noise = np.random.default_rng(1).choice(np.array([100, 112], np.uint8), (64, 64))
    image = sample.copy()
    image.paste(Image.fromarray(noise).convert("RGB"), (0, 0))
    tried: list[int] = []

    def watched(rgb: Samples) -> Estimate:
        tried.append(rgb.shape[0] * rgb.shape[1])
        return estimate_exact_bits(rgb)

    monkeypatch.setattr("aez.coding.mixed.estimate_exact_bits", watched)
    assert aez.encode(image, 20) == aez.encode(image, 20, exact="never")
    assert 0 < max(tried) < image.width * image.height / 4


def test_base_only_files_keep_them(page: Image.Image) -> None:
    data = aez.encode(page, 90, layers="base")
    exact = exact_map(data)
    assert exact.any()
    assert farthest(aez.decode(data), page, pixels(exact, page)) == 0


@pytest.mark.parametrize(("measure", "value"), [("psnr", 36), ("ssimulacra2", 80), ("size", 10_000), ("bpp", 0.6)])
def test_targets_are_met_with_them(page: Image.Image, measure: Measure, value: float) -> None:
    data = aez.encode(page, aez.Target(measure, value))
    found = aez.info(data)
    if measure == "psnr":
        assert 0 < found.exact_share < 1
        assert psnr(aez.decode(data), page) == pytest.approx(value, abs=0.06)
    if measure in ("size", "bpp"):
        assert measure == "bpp" or len(data) <= value
        alone = aez.encode(page, aez.Target(measure, value), exact="never")
        assert len(data) <= 1.02 * len(alone)
        assert data == alone or psnr(aez.decode(data), page) > psnr(aez.decode(alone), page)


def test_a_target_may_be_met_by_a_lossless_file(page: Image.Image) -> None:
    text = page.crop((0, 0, 200, 213))
    lossless = aez.encode(text, "lossless")
    assert aez.encode(text, aez.Target("psnr", 70)) == lossless
    assert aez.encode(text, aez.Target("size", len(lossless))) == lossless
    smaller = aez.encode(text, aez.Target("size", len(lossless) * 9 // 10))
    assert aez.info(smaller).exact_share == 1
    assert len(smaller) <= 0.9 * len(lossless)
    tiny = aez.encode(text, aez.Target("size", len(lossless) // 3))
    assert 0.33 * len(lossless) <= len(tiny) <= 0.334 * len(lossless)


def test_damaged_blocks_are_an_error_in_both_resolutions(page: Image.Image) -> None:
    data = aez.encode(page, 50)
    (length,) = (section.bytes for section in aez.info(data).sections if section.type == "exact")
    refused = 0
    for place in range(40, 32 + length, length // 40):
        damaged = data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]
        for resolution in get_args(Resolution):
            try:
                decoded = aez.decode(damaged, resolution, upscale=True)
            except aez.FormatError:
                refused += 1
            else:  # some bits of zstd mean nothing
                assert np.array_equal(decoded, aez.decode(data, resolution))
    assert refused > 70


def test_the_command_line_says_how_much_is_exact(run: Run, page: Image.Image, tmp_path: Path) -> None:
    page.save(tmp_path / "a.png")
    run("encode", tmp_path / "a.png", "-q", "60")
    found = json.loads(run("info", tmp_path / "a.aez", "--json").stdout)
    assert 0.4 < found["exact_share"] < 1
    said = f"{100 * found['exact_share']:.0f} % of the pixels exact within {found['max_error']}"
    assert said in run("info", tmp_path / "a.aez").stdout
    assert run("encode", tmp_path / "a.png", "--exact", "never", "-f").exit_code == 0
    assert json.loads(run("info", tmp_path / "a.aez", "--json").stdout)["exact_share"] == 0


@pytest.mark.parametrize("quality", [10, 30, 50, 70, 90])
def test_no_seam_runs_through_flat_ground(page: Image.Image, quality: int) -> None:
    exact = pixels(exact_map(aez.encode(page, quality)), page)
    samples = np.asarray(page)
    for original, inside in ((samples, exact), (samples.transpose(1, 0, 2), exact.T)):
        for border in range(16, original.shape[1], 16):
            ground = original[:, border - 4 : border + 4]
            flat = (ground == ground[:, :1]).all((1, 2))
            flat[1:] &= (ground[1:] == ground[:-1]).all((1, 2))
            runs = np.lib.stride_tricks.sliding_window_view(flat[1:], 3).all(-1)
            seams = inside[:, border - 1] != inside[:, border]
            assert not (runs & seams[3 : 3 + len(runs)]).any()


def flags() -> list[Image.Image]:
    """Drawings of a few straight edges, hardly one in a block, and of none."""
    denmark = Image.new("RGB", (370, 280), "crimson")
    denmark.paste("white", (120, 0, 160, 280))
    denmark.paste("white", (0, 120, 370, 160))
    austria = Image.new("RGB", (600, 400), "red")
    austria.paste("white", (0, 133, 600, 266))
    return [denmark, austria, denmark.convert("L"), *(Image.new("RGB", size, "teal") for size in ((1, 1), (300, 200)))]


@pytest.mark.parametrize("quality", [0, 30, 70, 90, 100, aez.Target("size", 3000), aez.Target("psnr", 40)])
def test_flags_are_stored_as_samples(quality: aez.Quality) -> None:
    for flag in flags():
        data = aez.encode(flag, quality)
        assert len(data) <= len(aez.encode(flag, "lossless"))
        assert aez.decode(data).tobytes() == flag.tobytes()


def test_the_nearest_size_is_that_of_a_file_that_there_is() -> None:
    """Where blocks become exact, sizes jump, and the smallest file need not be one of the networks."""
    gradient = Image.radial_gradient("L").resize((300, 200))
    image = Image.merge("LA", (Image.new("L", gradient.size, 120), gradient))
    smallest = len(aez.encode(image, 0))
    with pytest.raises(aez.TargetError, match=f"the nearest that was found is {smallest} bytes$"):
        aez.encode(image, aez.Target("size", smallest - 1))
    assert len(aez.encode(image, aez.Target("size", smallest))) == smallest
