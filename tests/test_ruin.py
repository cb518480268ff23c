"""Pictures that the networks cannot show are stored exactly, or else announced, and kept as they are on request."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from conftest import psnr
from PIL import Image

import aez

Run = Callable[..., Result]
PATTERNS = ("dithered to 1 bit", "dithered to colours of the web", "noise", "checkers", "half of it dithered")


def pattern(name: str, photograph: Image.Image) -> Image.Image:
    if name == "dithered to 1 bit":
        return photograph.convert("1")
    if name == "dithered to colours of the web":
        return photograph.convert("P")
    if name == "noise":
        return Image.fromarray(np.random.default_rng(0).integers(0, 256, (100, 150, 3), np.uint8))
    if name == "checkers":
        return Image.fromarray((np.indices((65, 130)).sum(axis=0) % 2 * 255).astype(np.uint8))
    half = photograph.copy()
    half.paste(photograph.convert("1").convert("RGB").crop((0, 0, photograph.width // 2, photograph.height)))
    return half


@pytest.mark.parametrize("quality", [70, 100])
@pytest.mark.parametrize("name", [name for name in PATTERNS if "half" not in name and name != "noise"])
def test_they_are_stored_exactly(name: str, quality: int, photograph: Image.Image) -> None:
    image = pattern(name, photograph)
    decoded = aez.decode(aez.encode(image, quality))
    assert np.array_equal(decoded, image.convert(decoded.mode))


@pytest.mark.parametrize("quality", [85, 100])
@pytest.mark.parametrize("name", PATTERNS)
def test_a_note_says_how_bad_it_is_otherwise(name: str, quality: int, photograph: Image.Image) -> None:
    image = pattern(name, photograph)
    with pytest.warns(aez.AezWarning, match="badly damaged") as caught:
        decoded = aez.decode(aez.encode(image, quality, exact="never"))
    (said,) = (int(str(note.message).split("about ")[1].split()[0]) for note in caught)
    assert said == pytest.approx(psnr(decoded, image.convert(decoded.mode)), abs=3)
    assert said < 25


@pytest.mark.parametrize("size", [(5, 3), (64, 64), (100, 30), (171, 133), (768, 512)])
@pytest.mark.parametrize("quality", [0, 50, 100])
def test_of_photographs_nothing_is_said(sample: Image.Image, size: tuple[int, int], quality: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        aez.encode(sample.crop((0, 0, *size)), quality)
        aez.encode(sample.crop((0, 0, *size)).convert("L"), quality)


def test_targets_say_it_too(photograph: Image.Image) -> None:
    with pytest.warns(aez.AezWarning, match="badly damaged"):
        aez.encode(photograph.convert("1"), aez.Target("bpp", 2), exact="never")


def test_the_command_line_says_it_once(run: Run, tmp_path: Path, photograph: Image.Image) -> None:
    photograph.convert("1").save(tmp_path / "a.png")
    result = run("encode", tmp_path / "a.png", "-q", "10", "--exact", "never")
    assert result.exit_code == 0
    assert result.stderr.count("badly damaged") == 1
    assert "note" not in run("compare", tmp_path / "a.png", "-q", "50").stderr


def test_a_batch_counts_them_or_keeps_the_originals(run: Run, tmp_path: Path, photograph: Image.Image) -> None:
    album, coded = tmp_path / "album", tmp_path / "coded"
    album.mkdir()
    photograph.save(album / "a.png")
    photograph.convert("1").save(album / "b.png")
    never = ("--exact", "never")
    result = run("batch", album, coded, *never)
    assert "b.png: note: the picture is badly damaged" in result.stderr
    assert "\n1 of them badly damaged" in result.stdout
    assert "2 up to date" in run("batch", album, coded, *never).stdout
    result = run("batch", album, coded, *never, "--min-psnr", "25")
    assert "2 done" in result.stdout
    assert "\n1 of them kept as they were" in result.stdout
    assert "damaged" not in result.stderr + result.stdout
    assert sorted(path.name for path in coded.iterdir() if path.is_file()) == ["a.aez", "b.png"]
    assert (coded / "b.png").read_bytes() == (album / "b.png").read_bytes()
    assert "2 up to date" in run("batch", album, coded, *never, "--min-psnr", "25").stdout
    measured = psnr(aez.decode((coded / "a.aez").read_bytes()), photograph)
    for limit, names in ((measured - 0.1, ["a.aez"]), (measured + 0.1, ["a.png"])):
        run("batch", album, tmp_path / "exact", "--min-psnr", str(limit), "--include", "a.png")
        assert [path.name for path in (tmp_path / "exact").iterdir() if path.is_file()] == names


@pytest.mark.parametrize("arguments", [["--min-psnr", "nan"], ["--min-psnr", "-1"], ["--min-psnr", "9", "--to", "png"]])
def test_limits_that_make_no_sense(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    assert run("batch", tmp_path, tmp_path / "x", *arguments).exit_code == 2
