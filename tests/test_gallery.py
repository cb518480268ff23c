"""The page of `aez serve`, in a browser, and `aez gallery`, which measures what stands on it."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from browser import start_browser
from click.testing import Result
from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait
from server import Served, serve

import aez

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, photograph: Image.Image) -> tuple[Path, Path]:
    """A folder with .aez files, and one with their originals."""
    base = tmp_path_factory.mktemp("gallery")
    root, originals = base / "root", base / "originals"
    for name in ("a/one", 'b "<i>&'):
        for folder, suffix, data in ((root, ".aez", aez.encode(photograph)), (originals, ".png", b"")):
            path = folder / (name + suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            if data:
                path.write_bytes(data)
            else:
                photograph.save(path)
    (root / "lost.aez").write_bytes(aez.encode(photograph))
    (root / "broken.aez").write_bytes(b"nothing")
    return root, originals


@pytest.fixture(scope="module")
def server(folders: tuple[Path, Path]) -> Iterator[Served]:
    with serve(folders[0]) as served:
        yield served


def test_measured_once(run: Run, folders: tuple[Path, Path], server: Served) -> None:
    root, originals = folders
    first = run("gallery", root, originals)
    assert first.exit_code == 1
    assert sorted(first.stdout.splitlines()) == ["a/one", 'b "<i>&']
    said = first.stderr.splitlines()
    assert len(said) == 2 and said[1] == f"aez: lost: {originals} has no original of lost"
    facts = json.loads((root / ".aez-gallery.json").read_text())["pictures"]
    size = (root / "a" / "one.aez").stat().st_size
    assert facts["a/one"]["bytes"] == size
    assert facts["a/one"]["high"]["jpeg"] > size
    assert facts["a/one"]["metric"] == "ssimulacra2"
    assert all(100 > facts["a/one"][resolution]["fidelity"] > 40 for resolution in ("medium", "high"))
    assert facts["a/one"]["high"]["avif"] < facts["a/one"]["high"]["jpeg"]
    assert run("gallery", root, originals).stdout == ""

    before = server.counter("aez_saved_bytes_total")
    assert server.get("/a/one.aez").status_code == 200
    assert server.counter("aez_saved_bytes_total") == before + facts["a/one"]["high"]["jpeg"] - size


def test_by_another_measure(run: Run, tmp_path: Path, photograph: Image.Image) -> None:
    for name, image in (("one", photograph), ("small", photograph.resize((15, 14)))):
        image.save(tmp_path / f"{name}.png")
        (tmp_path / f"{name}.aez").write_bytes(aez.encode(image))
    seen = run("gallery", tmp_path, tmp_path)
    assert (seen.exit_code, seen.stdout) == (1, "one\n")
    assert seen.stderr == "aez: small: SSIMULACRA2 of medium needs 15 pixels a side; --metric psnr does not\n"
    for new in ("one\nsmall\n", ""):
        assert run("gallery", tmp_path, tmp_path, "--metric", "psnr").stdout == new
    facts = json.loads((tmp_path / ".aez-gallery.json").read_text())["pictures"]
    assert facts["one"]["metric"] == facts["small"]["metric"] == "psnr"
    assert 45 > facts["one"]["medium"]["fidelity"] > facts["one"]["high"]["fidelity"] > 28
    with serve(tmp_path) as served:
        assert f"PSNR {facts['one']['high']['fidelity']:.1f} dB" in served.get("/").text


@pytest.mark.parametrize("metric", ["ssimulacra2", "psnr"])
def test_what_is_stored_exactly_has_its_neighbours_too(run: Run, tmp_path: Path, metric: str) -> None:
    flag = Image.new("RGB", (120, 80), "red")
    flag.paste("white", (40, 0, 60, 80))
    flag.save(tmp_path / "flag.png")
    (tmp_path / "flag.aez").write_bytes(aez.encode(flag))
    found = run("gallery", tmp_path, tmp_path, "--metric", metric)
    assert (found.exit_code, found.stdout, found.stderr) == (0, "flag\n", "")


def test_a_folder_without_files(run: Run, tmp_path: Path) -> None:
    found = run("gallery", tmp_path, tmp_path)
    assert (found.exit_code, found.stderr) == (1, f"aez: {tmp_path}: nothing to do in this folder\n")


def test_a_file_of_somebody_else(run: Run, tmp_path: Path, photograph: Image.Image) -> None:
    photograph.save(tmp_path / "a.png")
    (tmp_path / "a.aez").write_bytes(aez.encode(photograph))
    (tmp_path / "gallery.json").write_text('[{"title": "my holidays"}]')
    assert run("gallery", tmp_path, tmp_path).exit_code == 0
    assert (tmp_path / "gallery.json").read_text() == '[{"title": "my holidays"}]'


def test_originals_of_files_that_keep_their_extension(run: Run, tmp_path: Path, photograph: Image.Image) -> None:
    photograph.save(tmp_path / "a.JPG")
    photograph.save(tmp_path / "b.jpg.png")
    for name in ("a.JPG", "b.jpg"):
        (tmp_path / f"{name}.aez").write_bytes(aez.encode(photograph))
    result = run("gallery", tmp_path, tmp_path)
    assert (result.exit_code, sorted(result.stdout.split())) == (0, ["a.JPG", "b.jpg"])


def test_errors_are_lines_of_their_own_with_hints(run: Run, tmp_path: Path, photograph: Image.Image) -> None:
    root, originals = tmp_path / "root", tmp_path / "originals"
    for folder in (root, originals):
        folder.mkdir()
    for name in ("new\nline", "large", "other"):
        (root / f"{name}.aez").write_bytes(aez.encode(photograph))
    photograph.save(originals / "large.png")
    (originals / "other.png").write_text("no picture")
    result = run("gallery", root, originals, "--max-pixels", "20k")
    assert result.exit_code == 1
    said = dict(line.removeprefix("aez: ").split(": ", 1) for line in result.stderr.splitlines())
    assert set(said) == {"new\\nline", "large", "other"}
    assert said["new\\nline"] == f"{originals} has no original of new line"
    assert "--max-pixels raises the limit" in said["large"]
    assert "not a picture" in said["other"]


def test_pages(server: Served) -> None:
    page = server.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "b &#34;&lt;i&gt;&amp;" in page.text and "<i>" not in page.text
    assert page.text.count("broken") == 1 and "Not shown, since they cannot be read: broken</p>" in page.text
    assert server.get("/?page=2").status_code == server.get("/?page=x").status_code == 404
    assert "Sec-CH-Width" in page.headers["accept-ch"]
    assert server.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "facts",
    [
        "[" * 100_000,
        "[]",
        '{"version": 1}',
        '{"version": 1, "pictures": {"x": 1}}',
        '{"version": 1, "pictures": {"x": {"bytes": BYTES, "metric": "psnr", "high": HIGH}}}',
        '{"version": 2, "pictures": {"x": "what a later version has"}}',
    ],
)
def test_measurements_that_are_none(tmp_path: Path, photograph: Image.Image, facts: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    data = aez.encode(photograph)
    (root / "x.aez").write_bytes(data)
    high = '{"fidelity": "much", "jpeg": [], "avif": null}'
    (root / ".aez-gallery.json").write_text(facts.replace("BYTES", str(len(data))).replace("HIGH", high))
    with serve(root) as served:
        assert "x.aez" in served.get("/").text
        assert served.get("/x.aez").status_code == 200


def test_names_that_nobody_can_ask_for(tmp_path: Path, photograph: Image.Image) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "aez").mkdir()
    unaskable = (b"\xff.aez", b"a\nb.aez", b"c\\d.aez", b"metrics.aez", b"healthz.aez", b"aez.js.aez", b"aez/a.aez")
    for name in (b"fine.aez", *unaskable):
        (root / os.fsdecode(name)).write_bytes(aez.encode(photograph))
    with serve(root) as served:
        page = served.get("/")
        assert page.status_code == 200
        assert "1 picture," in page.text


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    with start_browser(tmp_path, "400,900") as started:
        yield started


def test_in_a_browser(run: Run, folders: tuple[Path, Path], server: Served, browser: Chrome) -> None:
    run("gallery", *folders)
    browser.get(server.url)
    figure = browser.find_element(By.TAG_NAME, "figure")

    def visible() -> WebElement:
        return next(image for image in figure.find_elements(By.TAG_NAME, "img") if image.is_displayed())

    def width() -> int:
        return int(browser.execute_script("return arguments[0].naturalWidth", visible()))

    WebDriverWait(browser, 20).until(lambda _: width() == 86)
    figure.find_element(By.CSS_SELECTOR, "label.high").click()
    WebDriverWait(browser, 20).until(lambda _: width() == 171)
    facts = json.loads((folders[0] / ".aez-gallery.json").read_text())["pictures"]["a/one"]
    text = figure.text
    assert f"SSIMULACRA2 {facts['high']['fidelity']:.1f}" in text
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth"), "fits a phone"
    with httpx.Client() as client:
        assert client.get(figure.find_element(By.TAG_NAME, "a").get_attribute("href") or "").content == (
            (folders[0] / "a" / "one.aez").read_bytes()
        )
