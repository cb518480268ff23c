"""`aez compare`: what it measures, and how it shows it."""

import csv
import io
import json
import re
import sys
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
from selenium.webdriver.support.wait import WebDriverWait
from ssimulacra2 import compute_ssimulacra2

import aez
from aez.compare.comparison import medium_of
from aez.metrics.fidelity import ms_ssim
from aez.metrics.rate_distortion import Point, bd_rate, bpp_at
from aez.metrics.ssimulacra2 import ssimulacra2

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
    found = {(s["codec"], s["quality"]): s for s in picture["measurements"]}
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


def test_medium_is_compared_with_the_medium_that_files_have(sample: Image.Image) -> None:
    image = sample.crop((100, 100, 211, 187))
    assert medium_of(image)[0].tobytes() == aez.decode(aez.encode(image, "lossless"), "medium").tobytes()


def test_summaries_agree_with_the_samples(result: Any) -> None:
    ours, jpeg, *_ = result["codecs"]
    assert (ours["codec"], ours["times_as_large"]) == ("aez", 1)
    assert jpeg["codec"] == "JPEG 4:2:0"
    for metric in ("psnr", "ssimulacra2"):
        assert jpeg["bd_rates"][metric]["percent"] == pytest.approx(0, abs=1e-6)
        assert ours["bd_rates"][metric]["percent"] < -20
    (picture,) = result["pictures"]
    assert picture["metric"] == "ssimulacra2"
    samples = [s for s in picture["measurements"] if s["codec"] == "JPEG 4:2:0"]
    wanted = picture["stored"]["fidelity"]
    below = max(s["bytes"] for s in samples if s["ssimulacra2"] < wanted)
    above = min(s["bytes"] for s in samples if s["ssimulacra2"] > wanted)
    assert below < jpeg["times_as_large"] * picture["stored"]["bytes"] < above
    assert picture["stored"]["medium_bytes"] < picture["stored"]["bytes"]
    assert picture["stored"]["medium_jpeg_bytes"] > 0


def test_the_table_shows_codecs_and_what_a_cache_saves(run: Run, png: Path) -> None:
    text = run("compare", png).stdout
    tunes = ("AVIF tune=psnr", "AVIF tune=iq", "AVIF tune=ssimulacra2")
    assert all(codec in text for codec in ("aez", "JPEG 4:2:0", "JPEG 4:4:4", "WebP", *tunes, "JPEG XL"))
    assert all(codec in text for codec in ("aez lossless", "WebP lossless", "PNG"))
    assert "BD-rate by SSIMULACRA2, 30 to 85, %" in text
    assert "BD-rate by PSNR, 29 to 39 dB, %" in text
    assert "two JPEGs of equal SSIMULACRA2" in text


def test_what_is_compared_by_psnr_is_not_measured_otherwise(run: Run, png: Path) -> None:
    result = json.loads(run("compare", png, "--metric", "psnr", "--json").stdout)
    (picture,) = result["pictures"]
    assert {sample["ssimulacra2"] for sample in picture["measurements"]} == {None}
    assert picture["stored"]["fidelity"] == pytest.approx(psnr_of_stored(png), abs=1e-3)
    exact = {exact["codec"] for exact in picture["lossless"]}
    assert exact == {"aez lossless", "WebP lossless", "PNG"}
    assert {codec["codec"]: set(codec["bd_rates"]) == {"psnr"} for codec in result["codecs"]} == {
        codec["codec"]: codec["codec"] not in exact for codec in result["codecs"]
    }
    assert "two JPEGs of equal PSNR" in run("compare", png, "--metric", "psnr").stdout


def psnr_of_stored(png: Path) -> float:
    with Image.open(png) as opened:
        image = opened.convert("RGB")
    return psnr(aez.decode(aez.encode(image)), image)


@pytest.mark.parametrize("quality", [5, 40, 95])
@pytest.mark.parametrize("size", [(8, 8), (9, 300), (301, 33), (700, 512)])
def test_ssimulacra2_is_that_of_its_package(
    sample: Image.Image, tmp_path: Path, size: tuple[int, int], quality: int
) -> None:
    image = sample.resize(size)
    image.save(tmp_path / "a.png")
    (tmp_path / "b.jpg").write_bytes(jpeg(image, quality))
    with Image.open(tmp_path / "b.jpg") as decoded:
        ours = ssimulacra2(decoded, image)
    assert ours == pytest.approx(compute_ssimulacra2(tmp_path / "a.png", tmp_path / "b.jpg"), abs=1e-4)


def test_ssimulacra2_of_gray_and_of_alpha(sample: Image.Image) -> None:
    small = sample.resize((96, 64))
    worse = Image.open(io.BytesIO(jpeg(small, 30)))
    assert ssimulacra2(worse.convert("L"), small.convert("L")) == pytest.approx(
        ssimulacra2(worse.convert("L").convert("RGB"), small.convert("L").convert("RGB"))
    )
    alpha = Image.linear_gradient("L").resize(small.size)
    over_gray = [Image.composite(image, Image.new("RGB", small.size, "#808080"), alpha) for image in (worse, small)]
    for image in (small, worse):
        image.putalpha(alpha)
    assert ssimulacra2(worse, small) == pytest.approx(ssimulacra2(*over_gray), abs=0.5)


def test_without_its_package_there_is_no_ssimulacra2(run: Run, png: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ssimulacra2", None)
    result = run("compare", png, "--metric", "ssimulacra2")
    assert result.exit_code == 1
    assert result.stderr == "aez: SSIMULACRA2 needs ssimulacra2: pip install 'aez[compare]'\n"
    assert "two JPEGs of equal PSNR" in run("compare", png).stdout


def test_csv_has_a_line_per_codec_and_quality(run: Run, png: Path, result: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(run("compare", png, "--metric", "psnr", "--csv").stdout)))
    samples = result["pictures"][0]["measurements"]
    assert [(row["codec"], float(row["quality"])) for row in rows] == [(s["codec"], s["quality"]) for s in samples]
    assert {row["picture"] for row in rows} == {str(png)}


def test_one_quality_beside_the_nearest_jpeg(run: Run, png: Path) -> None:
    (single,) = json.loads(run("compare", png, "-q", "60", "--metric", "psnr", "--json").stdout)["pictures"]
    ours, theirs, _ = single["measurements"]
    with Image.open(png) as opened:
        image = opened.convert("RGB")
    distances = {q: abs(psnr(Image.open(io.BytesIO(jpeg(image, q))), image) - ours["psnr"]) for q in range(1, 101)}
    assert ours["quality"] == 60
    assert theirs["quality"] == min(distances, key=distances.__getitem__)
    (single,) = json.loads(run("compare", png, "-q", "60", "--json").stdout)["pictures"]
    ours, theirs, _ = single["measurements"]
    assert theirs["ssimulacra2"] == pytest.approx(ours["ssimulacra2"], abs=1)
    assert "JPEG 4:2:0" in run("compare", png, "-q", "60").stdout


def test_a_jpeg_is_compared_with_its_own_bytes(run: Run, png: Path, tmp_path: Path) -> None:
    path = tmp_path / "img.jpg"
    with Image.open(png) as image:
        image.save(path, quality=92)
    assert "The JPEG itself has" in run("compare", path, "--metric", "psnr").stdout
    assert "the file itself" in run("compare", path, "-q", "50").stdout
    (picture,) = json.loads(run("compare", path, "--metric", "psnr", "--json").stdout)["pictures"]
    assert (picture["file_format"], picture["file_bytes"]) == ("JPEG", path.stat().st_size)


def test_gray_pictures_and_bad_files(run: Run, photograph: Image.Image, tmp_path: Path) -> None:
    photograph.convert("L").save(tmp_path / "gray.png")
    (tmp_path / "bad.png").write_text("not a picture")
    result = run("compare", tmp_path, "--metric", "psnr", "--json")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "bad.png" in line
    pictures = json.loads(result.stdout)["pictures"]
    assert [Path(picture["name"]).name for picture in pictures] == ["gray.png"]
    assert all(sample["ms_ssim"] is None for sample in pictures[0]["measurements"])


def test_tiny_pictures_are_no_part_of_a_mean(run: Run, photograph: Image.Image, tmp_path: Path) -> None:
    for width, height in ((1, 1), (63, 64), (64, 64)):
        photograph.crop((0, 0, width, height)).save(tmp_path / f"{width}.png")
    result = run("compare", tmp_path, "--metric", "psnr", "--json")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        f"aez: {tmp_path / name}: note: left out: smaller than 64 x 64 pixels" for name in ("1.png", "63.png")
    ]
    assert [Path(picture["name"]).name for picture in json.loads(result.stdout)["pictures"]] == ["64.png"]
    alone = run("compare", tmp_path / "63.png")
    assert (alone.exit_code, alone.stdout) == (1, "")
    assert alone.stderr.splitlines()[-1] == "aez: no picture of at least 64 x 64 pixels is left"
    assert run("compare", tmp_path / "1.png", "-q", "50", "--metric", "psnr").exit_code == 0
    by_eyes = run("compare", tmp_path / "1.png", "-q", "50")
    assert "1.png: SSIMULACRA2 needs 8 x 8 pixels or more; --metric psnr does not" in by_eyes.stderr


@pytest.mark.parametrize("arguments", [[], ["-q", "50"]])
def test_a_source_that_aez_has_made_is_said_to_be_one(
    run: Run, photograph: Image.Image, tmp_path: Path, arguments: list[str]
) -> None:
    photograph.crop((0, 0, 64, 64)).save(tmp_path / "img.aez")
    result = run("compare", tmp_path / "img.aez", "--metric", "psnr", *arguments)
    assert result.exit_code == 0
    (line,) = result.stderr.splitlines()
    assert "img.aez: note: it was decoded from a file of aez" in line


def test_what_is_left_out_is_said_with_what_brings_it(run: Run, png: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("bjontegaard", "pillow_jxl"):
        monkeypatch.setitem(sys.modules, package, None)
    names = "JPEG XL (needs pillow_jxl), BD-rates (needs bjontegaard)"
    line = f"aez: note: left out: {names}: pip install 'aez[compare]'\n"
    assert run("compare", png, "--metric", "psnr").stderr == line
    assert run("compare", png, "--metric", "psnr", "--quiet").stderr == ""


def test_noisy_pictures_and_strange_names(run: Run, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 300, 3), np.uint8)
    (tmp_path / "a[").mkdir()
    path = tmp_path / "a[" / "b]cost_$5_$6\udcfc\n.png"
    Image.fromarray(noise).save(path)
    for arguments in ([], ["-q", "100"], ["--csv"], ["--report", tmp_path / "report"]):
        result = run("compare", path, *arguments)
        assert (result.exit_code, result.stderr) == (0, "")


def test_what_a_codec_cannot_write_is_said(run: Run, png: Path, tmp_path: Path) -> None:
    Image.new("RGB", (16384, 64)).save(tmp_path / "wide.png")
    result = run("compare", png, tmp_path / "wide.png", "--metric", "psnr", "--json")
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
    ours = ms_ssim(np.asarray(decoded), np.asarray(sample))
    planes = [torch.tensor(np.asarray(image)).permute(2, 0, 1)[None].float() for image in (decoded, sample)]
    assert ours == pytest.approx(reference_ms_ssim(*planes, data_range=255).item(), abs=1e-4)


@given(st.floats(0.3, 3))
def test_bd_rate_of_a_curve_that_is_some_percent_larger(factor: float) -> None:
    anchor = [Point(q, 0.05 * 1.08**q, 27 + 0.7 * q) for q in range(0, 20, 2)]
    curve = [Point(p.quality, factor * p.bpp, p.fidelity) for p in anchor]
    within = (29.0, 39.0)
    assert bd_rate(anchor, curve, within) == pytest.approx(100 * (factor - 1), abs=1e-6)
    assert bpp_at(curve, 33.3) == pytest.approx(factor * 0.05 * 1.08**9, rel=1e-6)
    assert bd_rate(anchor, curve[3:], within) is None
    assert bpp_at(curve, 26) is None


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    with start_browser(tmp_path, "1000,1400") as started:
        yield started


def test_the_report_in_a_browser(run: Run, png: Path, tmp_path: Path, browser: Chrome) -> None:
    folder = tmp_path / "report"
    assert run("compare", png, "--report", folder).exit_code == 0
    for metric in ("psnr", "ssimulacra2"):
        with Image.open(folder / f"curves-{metric}.png") as plot:
            assert plot.width > 500
    browser.get((folder / "index.html").as_uri())
    assert png.name in browser.find_element(By.TAG_NAME, "h1").text
    by_eyes = r" quality \d+, [\d.]+ kB: SSIMULACRA2 -?\d+\.\d"
    assert re.fullmatch(
        f"JPEG{by_eyes} *aez{by_eyes}", browser.find_element(By.CLASS_NAME, "names").text.replace("\n", " ")
    )
    (theirs,) = browser.find_elements(By.TAG_NAME, "img")
    assert theirs.get_property("naturalWidth") == 201
    shown = "return document.querySelector('aez-img').shadowRoot.querySelector('img').naturalWidth"
    WebDriverWait(browser, 30).until(lambda _: browser.execute_script(shown) == 201)
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
    assert all(name.startswith(("data:", "blob:")) for name in loaded)
