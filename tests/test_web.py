"""`.aez` files in browsers: pages that need nothing else, what web servers need, and what `aez serve` brings along."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import start_browser
from click.testing import Result
from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.support.wait import WebDriverWait
from server import serve

import aez
from aez.model.registry import DEFAULT_MODEL, find_by_name
from aez.web.assets import hashed_name

Run = Callable[..., Result]
ID = f"{find_by_name(DEFAULT_MODEL).id:08x}"
BUNDLE = f"aez/{ID}-1"
DECODER, WEBP = (f"aez/{hashed_name(name)}" for name in ("decoder.js", "webp.js"))
SHOWN = """
return Array.from(document.querySelectorAll("aez-img"), (element) => {
  const {naturalWidth, naturalHeight} = element.shadowRoot.querySelector("img");
  return [naturalWidth, naturalHeight];
});
"""
SAMPLES = """
const image = document.querySelector("aez-img").shadowRoot.querySelector("img");
const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext("2d");
canvas.drawImage(image, 0, 0);
return Array.from(canvas.getImageData(0, 0, image.naturalWidth, image.naturalHeight).data);
"""


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    with start_browser(tmp_path, "1200,900") as started:
        yield started


@pytest.fixture
def offline(browser: Chrome) -> Chrome:
    browser.execute_cdp_cmd("Network.enable", {})
    no_network = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", no_network)
    return browser


def sizes_shown(browser: Chrome) -> list[list[int]]:
    """Natural sizes of all pictures, once all show."""
    WebDriverWait(browser, 30).until(lambda _: all(width for width, _ in browser.execute_script(SHOWN)))
    found: list[list[int]] = browser.execute_script(SHOWN)
    return found


def test_a_page_shows_what_aez_decodes(run: Run, tmp_path: Path, photograph: Image.Image, offline: Chrome) -> None:
    data = aez.encode(photograph, 60)
    (tmp_path / "a & b.aez").write_bytes(data)
    (tmp_path / "drawn.aez").write_bytes(aez.encode(photograph.quantize(4).convert("RGB"), "lossless"))
    page = tmp_path / "page.html"
    made = run("page", tmp_path / "a & b.aez", tmp_path / "drawn.aez", "-o", page)
    assert (made.exit_code, made.stderr) == (0, "")
    offline.get(page.as_uri())
    assert sizes_shown(offline) == [[171, 133], [171, 133]]
    assert offline.find_element("tag name", "figcaption").text == f"a & b.aez, 171 x 133, {len(data)} bytes"
    samples = Image.frombytes("RGBA", photograph.size, bytes(offline.execute_script(SAMPLES))).convert("RGB")
    difference = [abs(a - b) for a, b in zip(samples.tobytes(), aez.decode(data).tobytes(), strict=True)]
    assert max(difference) <= 1
    assert sum(map(bool, difference)) <= 0.001 * len(difference)


def test_a_page_of_front_parts_is_small(run: Run, tmp_path: Path, photograph: Image.Image, offline: Chrome) -> None:
    (tmp_path / "a.aez").write_bytes(aez.encode(photograph))
    both = [run("page", tmp_path / "a.aez", "-o", "-", "--res", name).stdout_bytes for name in ("medium", "high")]
    assert len(both[0]) < 0.5 * len(both[1])
    (tmp_path / "page.html").write_bytes(both[0])
    offline.get((tmp_path / "page.html").as_uri())
    assert sizes_shown(offline) == [[86, 67]]


def test_a_page_brings_the_models_that_its_pictures_need(
    run: Run, own: Path, tmp_path: Path, photograph: Image.Image, offline: Chrome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AEZ_MODELS", str(own))
    for name, model in (("mine", "mine-1"), ("usual", DEFAULT_MODEL)):
        (tmp_path / f"{name}.aez").write_bytes(aez.encode(photograph, model=model))
    page = tmp_path / "page.html"
    assert run("page", tmp_path / "mine.aez", tmp_path / "usual.aez", "-o", page).exit_code == 0
    offline.get(page.as_uri())
    assert sizes_shown(offline) == [[171, 133], [171, 133]]
    monkeypatch.delenv("AEZ_MODELS")
    failed = run("page", tmp_path / "mine.aez", "-o", tmp_path / "other.html")
    assert failed.exit_code == 1
    assert "needs model" in failed.stderr
    assert not (tmp_path / "other.html").exists()


def test_a_page_of_files_that_are_none_is_not_written(run: Run, tmp_path: Path, photograph: Image.Image) -> None:
    (tmp_path / "good.aez").write_bytes(aez.encode(photograph))
    (tmp_path / "cut.aez").write_bytes(aez.encode(photograph)[:100])
    (tmp_path / "text.aez").write_text("text")
    page = tmp_path / "page.html"
    failed = run("page", *sorted(tmp_path.glob("*.aez")), tmp_path / "missing.aez", "-o", page)
    assert failed.exit_code == 1
    *lines, last = failed.stderr.splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        str(tmp_path / f"{name}.aez") for name in ("cut", "text", "missing")
    ]
    assert last == f"aez: {page} is not written, since not all of that can be shown"
    assert not page.exists()
    page.write_text("mine")
    refused = run("page", tmp_path / "good.aez", "-o", page)
    assert (refused.exit_code, page.read_text()) == (1, "mine")
    assert run("page", tmp_path / "good.aez", "-o", page, "-f").exit_code == 0
    good = (tmp_path / "good.aez").read_bytes()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.aez").symlink_to("good.aez")
    for same in (tmp_path / "good.aez", tmp_path / "folder" / ".." / "good.aez", tmp_path / "link.aez"):
        over = run("page", tmp_path / "good.aez", "-o", same, "-f")
        assert f"{same} would be written over itself" in over.stderr
        assert (over.exit_code, over.stderr.count("\n"), (tmp_path / "good.aez").read_bytes()) == (1, 1, good)


def test_a_page_of_files_that_are_cut_or_have_strange_names(run: Run, tmp_path: Path, photograph: Image.Image) -> None:
    data = aez.encode(photograph)
    (tmp_path / "cut.aez").write_bytes(data[:-5])
    cut = run("page", tmp_path / "cut.aez", "-o", tmp_path / "cut.html")
    assert (cut.exit_code, (tmp_path / "cut.html").exists()) == (1, False)
    assert "medium" in cut.stderr
    assert run("page", tmp_path / "cut.aez", "-o", tmp_path / "cut.html", "--res", "medium").exit_code == 0
    strange = Path(os.fsdecode(bytes(tmp_path) + b"/\xff\n.aez"))
    strange.write_bytes(data)
    assert run("page", strange, "-o", tmp_path / "strange.html").exit_code == 0
    assert "<title>\\udcff\\n.aez</title>" in (tmp_path / "strange.html").read_text("utf-8")


def test_what_a_web_server_needs(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "new" / "root"
    written = run("web", root)
    assert written.exit_code == 0
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    assert names == ["aez.js", f"{BUNDLE}.high", f"{BUNDLE}.medium", DECODER, WEBP]
    assert all(f'"{Path(name).name}"' in (root / "aez.js").read_text("utf-8") for name in (DECODER, WEBP))
    assert [line.split("  ")[0] for line in written.stdout.splitlines()] == [
        str(root / name) for name in (DECODER, WEBP, f"{BUNDLE}.medium", f"{BUNDLE}.high", "aez.js")
    ]
    assert run("web", root).stdout == f"{root}  is current\n"
    (root / "aez.js").write_text("mine")
    again = run("web", root)
    assert (again.exit_code, (root / "aez.js").read_text()) == (1, "mine")
    assert again.stderr == f"aez: {root / 'aez.js'} exists; -f updates it\n"
    updated = run("web", root, "-f", "--model", DEFAULT_MODEL)
    assert updated.stdout.startswith(f"{root / 'aez.js'}  ")
    assert len(updated.stdout.splitlines()) == 1
    assert "no model named" in run("web", tmp_path / "other", "--model", "none").stderr
    assert not (tmp_path / "other").exists()


def test_a_server_brings_it_along(run: Run, tmp_path: Path, photograph: Image.Image) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.aez").write_bytes(aez.encode(photograph))
    run("web", tmp_path / "site")
    with serve(root, "--cors", "https://example.org") as served:
        for name in ("aez.js", DECODER, WEBP, f"{BUNDLE}.medium", f"{BUNDLE}.high"):
            answer = served.get(f"/{name}")
            assert answer.content == (tmp_path / "site" / name).read_bytes()
            assert "javascript" in answer.headers["content-type"] or not name.endswith(".js")
            assert served.get(f"/{name}", if_none_match=answer.headers["etag"]).status_code == 304
        for name in (
            "aez/none.js",
            f"{BUNDLE}.low",
            f"aez/{ID}.medium",
            "aez/ffffffff-1.medium",
            "aez/x.medium",
            f"aez/0{ID}-1.medium",
        ):
            assert served.get(f"/{name}").status_code == 404
        asked = served.get("/a.aez", origin="https://example.org")
        assert asked.headers["access-control-allow-origin"] == "https://example.org"
        assert "access-control-allow-origin" not in served.get("/a.aez", origin="https://example.com").headers
        assert served.get("/?view=none").status_code == 400
        assert Image.open(io.BytesIO(served.get("/a").content)).size == (171, 133)


def test_its_gallery_can_be_decoded_in_the_browser(tmp_path: Path, photograph: Image.Image, browser: Chrome) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.aez").write_bytes(aez.encode(photograph))
    with serve(root) as served:
        browser.get(f"{served.url}/?view=aez")
        WebDriverWait(browser, 30).until(lambda _: browser.execute_script(SHOWN)[0] == [86, 67])
        browser.find_element("css selector", "label.high").click()
        WebDriverWait(browser, 30).until(lambda _: browser.execute_script(SHOWN)[1] == [171, 133])
        assert not [entry for entry in browser.get_log("browser") if "favicon" not in entry["message"]]
