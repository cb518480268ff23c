"""`aez compare`: what it measures, and how it shows it."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from browser import start_browser
from click.testing import Result
from conftest import psnr
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pytorch_msssim import ms_ssim as reference_ms_ssim
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

import aez
from aez import metrics
from aez.metrics import Point

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def png(tmp_path_factory: pytest.TempPathFactory, sample: Image.Image) -> Path:
    """A part of the photograph, just large enough for MS-SSIM."""
    path = tmp_path_factory.mktemp("pictures") / "img & <b>.png"
    sample.crop((300, 100, 300 + 201, 100 + 177)).save(path)
    return path


@pytest.fixture(scope="module")
def result(run: Run, png: Path) -> Any:
    return json.loads(run("compare", png, "--json").stdout)


def jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "jpeg", quality=quality, optimize=True, subsampling=2)
    return buffer.getvalue()


def test_samples_are_those_of_real_files(result: Any, png: Path) -> None:
    (picture,) = result["pictures"]
    with Image.open(png) as opened:
        image = opened.convert("RGB")
    found = {(s["codec"], s["quality"]): s for s in picture["samples"]}
    for quality in (15, 80):
        data = jpeg(image, quality)
        assert found["JPEG 4:2:0", quality]["bytes"] == len(data)
        with Image.open(io.BytesIO(data)) as decoded:
            assert found["JPEG 4:2:0", quality]["psnr"] == pytest.approx(psnr(decoded, image), abs=1e-3)
    data = aez.encode(image, 70)
    assert found["aez", 70]["bytes"] == len(data)
    assert found["aez", 70]["bpp"] == pytest.approx(8 * len(data) / (201 * 177))
    assert found["aez", 70]["psnr"] == pytest.approx(psnr(aez.decode(data), image), abs=1e-3)
    assert all(0 < s["ms_ssim"] < 1 and s["encode_seconds"] > 0 and s["decode_seconds"] > 0 for s in found.values())


def test_summaries_agree_with_the_samples(result: Any) -> None:
    ours, jpeg, *_ = result["codecs"]
    assert (ours["codec"], ours["times_as_large"]) == ("aez", 1)
    assert (jpeg["codec"], jpeg["bd_rate"]) == ("JPEG 4:2:0", pytest.approx(0, abs=1e-6))
    assert ours["bd_rate"] < -20
    (picture,) = result["pictures"]
    samples = [s for s in picture["samples"] if s["codec"] == "JPEG 4:2:0"]
    wanted = picture["stored"]["psnr"]
    below = max(s["bytes"] for s in samples if s["psnr"] < wanted)
    above = min(s["bytes"] for s in samples if s["psnr"] > wanted)
    assert below < jpeg["times_as_large"] * picture["stored"]["bytes"] < above
    assert picture["stored"]["medium_bytes"] < picture["stored"]["bytes"]
    assert picture["stored"]["medium_jpeg_bytes"] > 0


def test_the_table_shows_codecs_and_what_a_cache_saves(run: Run, png: Path) -> None:
    text = run("compare", png).stdout
    assert all(codec in text for codec in ("aez", "JPEG 4:2:0", "JPEG 4:4:4", "WebP", "AVIF 4:4:4", "JPEG XL"))
    assert "BD-rate" in text
    assert "two JPEGs of equal PSNR" in text


def test_csv_has_a_line_per_codec_and_quality(run: Run, png: Path, result: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(run("compare", png, "--csv").stdout)))
    samples = result["pictures"][0]["samples"]
    assert [(row["codec"], float(row["quality"])) for row in rows] == [(s["codec"], s["quality"]) for s in samples]
    assert {row["picture"] for row in rows} == {str(png)}


def test_one_quality_beside_the_nearest_jpeg(run: Run, png: Path) -> None:
    (single,) = json.loads(run("compare", png, "-q", "60", "--json").stdout)
    ours, theirs, _ = single["samples"]
    with Image.open(png) as opened:
        image = opened.convert("RGB")
    distances = {q: abs(psnr(Image.open(io.BytesIO(jpeg(image, q))), image) - ours["psnr"]) for q in range(1, 101)}
    assert ours["quality"] == 60
    assert theirs["quality"] == min(distances, key=distances.__getitem__)
    assert "JPEG 4:2:0" in run("compare", png, "-q", "60").stdout


def test_a_jpeg_is_compared_with_its_own_bytes(run: Run, png: Path, tmp_path: Path) -> None:
    path = tmp_path / "img.jpg"
    with Image.open(png) as image:
        image.save(path, quality=92)
    assert "The JPEG itself has" in run("compare", path).stdout
    assert "the file itself" in run("compare", path, "-q", "50").stdout
    (picture,) = json.loads(run("compare", path, "--json").stdout)["pictures"]
    assert (picture["file_format"], picture["file_bytes"]) == ("JPEG", path.stat().st_size)


def test_gray_and_tiny_pictures_and_bad_files(run: Run, photograph: Image.Image, tmp_path: Path) -> None:
    photograph.convert("L").save(tmp_path / "gray.png")
    photograph.crop((0, 0, 3, 2)).save(tmp_path / "tiny.png")
    (tmp_path / "bad.png").write_text("not a picture")
    result = run("compare", tmp_path, "--json")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "bad.png" in line
    pictures = json.loads(result.stdout)["pictures"]
    assert [Path(picture["name"]).name for picture in pictures] == ["gray.png", "tiny.png"]
    assert all(sample["ms_ssim"] is None for picture in pictures for sample in picture["samples"])
    assert run("compare", tmp_path).exit_code == 1


def test_noisy_pictures_and_strange_names(run: Run, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 300, 3), np.uint8)
    (tmp_path / "a[").mkdir()
    path = tmp_path / "a[" / "b]cost_$5_$6\udcfc\n.png"
    Image.fromarray(noise).save(path)
    for arguments in ([], ["-q", "100"], ["--csv"], ["--json"], ["--report", tmp_path / "report"]):
        result = run("compare", path, *arguments)
        assert (result.exit_code, result.stderr) == (0, "")


def test_what_a_codec_cannot_write_is_said(run: Run, png: Path, tmp_path: Path) -> None:
    Image.new("RGB", (16384, 1)).save(tmp_path / "wide.png")
    result = run("compare", png, tmp_path / "wide.png", "--json")
    assert result.exit_code == 1
    assert "WebP cannot write it" in result.stderr
    assert len(json.loads(result.stdout)["pictures"]) == 1


def test_a_report_does_not_replace_other_things(run: Run, png: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("my home page")
    result = run("compare", png, "--report", tmp_path)
    assert result.exit_code == 1
    assert "something else" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


@pytest.mark.parametrize("arguments", [["-q", "50", "--report", "out"], ["-q", "nan"]])
def test_arguments_that_make_no_sense(run: Run, png: Path, arguments: list[str]) -> None:
    assert run("compare", png, *arguments).exit_code == 2


def test_ms_ssim_is_that_of_others(sample: Image.Image) -> None:
    decoded = Image.open(io.BytesIO(jpeg(sample, 20)))
    ours = metrics.ms_ssim(np.asarray(decoded), np.asarray(sample))
    planes = [torch.tensor(np.asarray(image)).permute(2, 0, 1)[None].float() for image in (decoded, sample)]
    assert ours == pytest.approx(reference_ms_ssim(*planes, data_range=255).item(), abs=1e-4)


@given(st.floats(0.3, 3))
def test_bd_rate_of_a_curve_that_is_some_percent_larger(factor: float) -> None:
    anchor = [Point(q, 0.05 * 1.08**q, 27 + 0.7 * q) for q in range(0, 20, 2)]
    curve = [Point(p.quality, factor * p.bpp, p.psnr) for p in anchor]
    assert metrics.bd_rate(anchor, curve) == pytest.approx(100 * (factor - 1), abs=1e-6)
    assert metrics.bpp_at(curve, 33.3) == pytest.approx(factor * 0.05 * 1.08**9, rel=1e-6)
    assert metrics.bd_rate(anchor, curve[3:]) is None
    assert metrics.bpp_at(curve, 26) is None


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    with start_browser(tmp_path, "1000,1400") as started:
        yield started


def test_the_report_in_a_browser(run: Run, png: Path, tmp_path: Path, browser: Chrome) -> None:
    folder = tmp_path / "report"
    assert run("compare", png, "--report", folder).exit_code == 0
    with Image.open(folder / "curves.png") as plot:
        assert plot.width > 500
    browser.get((folder / "index.html").as_uri())
    assert png.name in browser.find_element(By.TAG_NAME, "h1").text
    ours, theirs = browser.find_elements(By.TAG_NAME, "img")
    assert (ours.get_property("naturalWidth"), theirs.get_property("naturalWidth")) == (201, 201)
    assert browser.find_element(By.TAG_NAME, "svg").size["width"] > 300
    slider = browser.find_element(By.TAG_NAME, "input")
    cuts = []
    for value in ("0", "80"):
        script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))"
        browser.execute_script(script, slider, value)
        cuts.append(theirs.value_of_css_property("clip-path"))
    assert "100%" in cuts[0]
    assert "20%" in cuts[1]
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert all(name.startswith("data:") for name in loaded)
