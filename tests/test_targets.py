"""Targets: a size, a rate or a PSNR in place of a quality."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from conftest import psnr
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import aez
from aez.metrics.ssimulacra2 import ssimulacra2
from aez.picture import samples

Run = Callable[..., Result]


@pytest.mark.parametrize("size", [6_000, 14_000, 60_000])
@pytest.mark.parametrize("options", [{}, {"coding": "zstd"}], ids=str)
def test_sizes_are_met_from_below(sample: Image.Image, size: int, options: Any) -> None:
    assert 0.99 * size <= len(aez.encode(sample, aez.Target("size", size), **options)) <= size


@pytest.mark.parametrize("bpp", [0.1, 0.4, 1.05])
def test_rates_are_met(sample: Image.Image, bpp: float) -> None:
    data = aez.encode(sample, aez.Target("bpp", bpp))
    assert aez.info(data).bpp == pytest.approx(bpp, rel=0.01)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("wanted", [32, 36, 40])
def test_psnr_is_met(sample: Image.Image, mode: str, wanted: float) -> None:
    image = sample.convert(mode)
    data = aez.encode(image, aez.Target("psnr", wanted))
    assert psnr(aez.decode(data), image) == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize("layers", ["all", "base"])
def test_medium_psnr_is_met(photograph: Image.Image, layers: Any) -> None:
    data = aez.encode(photograph, aez.Target("medium-psnr", 33), layers=layers)
    expected = samples.box_average(np.asarray(photograph))
    assert psnr(aez.decode(data, "medium"), expected) == pytest.approx(33, abs=0.05)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
@pytest.mark.parametrize("wanted", [65, 80])
def test_ssimulacra2_is_met(sample: Image.Image, mode: str, wanted: float) -> None:
    image = sample.crop((200, 100, 500, 301)).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    decoded = aez.decode(aez.encode(image, aez.Target("ssimulacra2", wanted)))
    assert ssimulacra2(decoded, image) == pytest.approx(wanted, abs=0.5)


def test_ssimulacra2_on_the_command_line(
    run: Run, photograph: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photograph.save(tmp_path / "img.png")
    photograph.resize((7, 50)).save(tmp_path / "narrow.png")
    assert run("encode", tmp_path / "img.png", "--ssimulacra2", 60).exit_code == 0
    decoded = aez.decode((tmp_path / "img.aez").read_bytes())
    assert ssimulacra2(decoded, photograph) == pytest.approx(60, abs=0.5)
    for name, wanted, reason in (
        ("img.png", 99.9, "SSIMULACRA2 99.90 cannot be reached: the highest quality gives SSIMULACRA2 "),
        ("narrow.png", 60, "SSIMULACRA2 needs 8 x 8 pixels or more"),
    ):
        result = run("encode", tmp_path / name, "-f", "--ssimulacra2", wanted)
        assert result.exit_code == 1
        assert reason in result.stderr
        assert result.stderr.count("\n") == 1
    monkeypatch.setitem(sys.modules, "ssimulacra2", None)
    (tmp_path / "img.aez").unlink()
    for command in (("encode", tmp_path / "img.png"), ("batch", tmp_path, tmp_path.parent / f"{tmp_path.name}-coded")):
        result = run(*command, "--ssimulacra2", 60)
        assert result.exit_code == 1
        assert result.stderr.endswith("SSIMULACRA2 needs ssimulacra2: pip install 'aez[compare]'\n")
        assert result.stderr.count("\n") == 1
    assert not (tmp_path / "img.aez").exists()


@pytest.mark.filterwarnings("ignore:no size is nearer", "ignore:the picture is badly damaged")
@settings(max_examples=30, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(60, 4000), st.integers(0, 255))
def test_sizes_are_never_exceeded(width: int, height: int, size: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    try:
        data = aez.encode(Image.fromarray(noise), aez.Target("size", size))
    except aez.TargetError:
        return
    assert len(data) <= size


def test_a_size_between_two_possible_ones_is_missed_with_a_note(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "img.png"
    Image.linear_gradient("L").resize((16, 16)).save(path)
    smallest, largest = (len(aez.encode(Image.open(path), quality)) for quality in (0, 100))
    notes = 0
    for size in range(smallest + 1, largest, 3):
        result = run("encode", path, "-f", "--size", size)
        assert result.exit_code == 0
        found = path.with_suffix(".aez").stat().st_size
        assert found <= size
        missed = found < 0.99 * size
        assert ("no size is nearer" in result.stderr) == missed
        notes += missed
    assert notes


def test_what_is_out_of_reach_is_said(run: Run, photograph: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "img.png"
    photograph.save(path)
    for target, parts in {
        ("--size", "100"): ("100 bytes cannot be reached", "the lowest quality gives"),
        ("--size", "1M"): ("1000000 bytes cannot be reached", "the highest quality gives"),
        ("--psnr", "70"): ("70.00 dB cannot be reached", "the highest quality gives"),
        ("--medium-psnr", "5"): ("5.00 dB cannot be reached", "the lowest quality gives"),
        ("--psnr", "30", "--layers", "base"): ("no high picture of its own", "--medium-psnr"),
    }.items():
        result = run("encode", path, *target)
        assert result.exit_code == 1
        assert all(part in result.stderr for part in parts), result.stderr
        assert len(result.stderr.splitlines()) == 1
    assert not path.with_suffix(".aez").exists()


def test_targets_on_the_command_line(run: Run, photograph: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "img.png"
    photograph.save(path)
    assert run("encode", path, "--size", "2k").exit_code == 0
    assert 1980 <= path.with_suffix(".aez").stat().st_size <= 2000


@pytest.mark.parametrize(
    "arguments", [["-q", "50", "--bpp", "1"], ["--bpp", "nan"], ["--size", "0"], ["--psnr", "-3"], ["--psnr", "inf"]]
)
def test_targets_that_make_no_sense_are_usage_errors(run: Run, arguments: list[str], tmp_path: Path) -> None:
    assert run("encode", tmp_path / "img.png", *arguments).exit_code == 2


def test_targets_that_make_no_sense_are_value_errors() -> None:
    for measure, value in (("size", 0), ("bpp", float("nan")), ("weight", 3)):
        with pytest.raises(ValueError, match=measure):
            aez.Target(measure, value)  # type: ignore[arg-type]


def test_a_file_that_would_grow_is_announced_or_left(run: Run, tmp_path: Path, grain: Image.Image) -> None:
    path = tmp_path / "img.png"
    grain.save(path)
    target = path.with_suffix(".aez")
    result = run("encode", path, "-q", "100", "--skip-larger")
    assert result.exit_code == 0
    assert "so it is not written" in result.stderr
    assert not target.exists()
    result = run("encode", path, "-q", "100")
    assert "is larger" in result.stderr
    assert target.exists()
