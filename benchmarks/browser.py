"""`.aez` files in headless Chromium: speed beside Python's decoder, a page of all pictures, bytes on the wire, memory.

python benchmarks/browser.py --pictures DIR

Needs Debian's `chromium` and `chromium-driver`, and `pip install selenium`. Everything is on this machine, in one run.
"""

import argparse
import gzip
import shutil
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, get_args

from measured import peak_bytes, resident_bytes, timed
from pictures import load_pictures
from PIL import Image
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

import aez
from aez.api import Resolution
from aez.model.registry import DEFAULT_MODEL, find_by_name
from aez.web.assets import all_assets

OPTIONS = ("headless", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking")
QUALITY = 70
MANY = 200
LARGE = (6000, 4000)
DECODE = """
const [name, resolution, done] = arguments;
(async () => {
  const data = new Uint8Array(await (await fetch(name)).arrayBuffer());
  const start = performance.now();
  const image = await aez.decode(data, {resolution});
  return {seconds: (performance.now() - start) / 1000, width: image.width};
})().then(done, (error) => done({error: String(error)}));
"""
SHOWN = """
const done = arguments[0];
const images = [...document.images];
let first;
const look = () => {
  const seconds = performance.now() / 1000;
  if (images.some((image) => image.naturalWidth)) first ??= seconds;
  if (images.every((image) => image.naturalWidth)) done([first, seconds, window.tasks]);
  else setTimeout(look, 5);
};
look();
"""
TASKS = """<script>
  tasks = [];
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({duration}) => duration)))
    .observe({type: "longtask", buffered: true});
</script>"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of PNG pictures, such as Kodak's 24")
    pictures = load_pictures(parser.parse_args().pictures)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        files = [aez.encode(image, QUALITY) for image in pictures]
        for number, data in enumerate(files):
            (root / f"{number}.aez").write_bytes(data)
        with served(root) as url:
            print_bytes(root, files)
            print_speed(url, files)
            print_page(url, root, pictures)
            print_memory(url, root, len(files), pictures[0])


def print_bytes(root: Path, files: list[bytes]) -> None:
    """Write what a web server needs, and say how large it is."""
    print("| part | bytes | gzip |\n| --- | --- | --- |")
    for asset in all_assets([find_by_name(DEFAULT_MODEL)]):
        path = root / asset.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(asset.data)
        print(f"| {asset.name} | {len(asset.data)} | {len(gzip.compress(asset.data, 9))} |")
    print(f"\nA picture has {statistics.mean(map(len, files)):.0f} bytes, quality {QUALITY}.\n")


def print_speed(url: str, files: list[bytes]) -> None:
    """One worker beside Python with one thread; the first picture of a page also loads weights and warms up."""
    print("| | first | second | median of the others | Python, one thread | second / Python |")
    print("| --- | --- | --- | --- | --- | --- |")
    for resolution in get_args(Resolution):
        with browser(f"{url}/empty.html") as page:
            seconds = [run(page, DECODE, f"{number}.aez", resolution)["seconds"] for number in range(len(files))]
        python = statistics.median(python_seconds(data, resolution) for data in files[1:])
        first, second, others = seconds[0], seconds[1], statistics.median(seconds[2:])
        shown = " | ".join(f"{1000 * value:.0f} ms" for value in (first, second, others, python))
        print(f"| {resolution} | {shown} | {second / python:.2f} |")
    print()


def python_seconds(data: bytes, resolution: Resolution) -> float:
    """The faster of two decodes."""
    return min(timed(lambda: aez.decode(data, resolution, threads=1)) for _ in range(2))


def print_page(url: str, root: Path, pictures: list[Image.Image]) -> None:
    """Medium pictures of all files on one page, at the first visit, beside the same in AVIF of equal bytes."""
    for number, image in enumerate(pictures):
        half = image.resize((-(-image.width // 2), -(-image.height // 2)), Image.Resampling.BOX)
        half.save(root / f"{number}.avif", quality=60)
    script = '<script src="/aez.js"></script>'
    print("| page of all pictures, medium | until one shows | until all show | tasks over 50 ms on the main thread |")
    print("| --- | --- | --- | --- |")
    for kind, head in (("aez", script), ("avif", "")):
        images = [f'<img src="{number}.{kind}" width="{image.width // 2}">' for number, image in enumerate(pictures)]
        (root / f"{kind}.html").write_text(f"<!doctype html>{TASKS}{head}{''.join(images)}")
        with browser(f"{url}/{kind}.html") as page:
            first, last, tasks = run(page, SHOWN)
        print(f"| {kind} | {first:.2f} s | {last:.2f} s | {', '.join(f'{task:.0f} ms' for task in tasks) or 'none'} |")
    print()


def print_memory(url: str, root: Path, count: int, picture: Image.Image) -> None:
    """Of the page's process with its worker, over many pictures, and with a large one."""
    with browser(f"{url}/empty.html") as page:
        sizes = []
        for number in range(MANY):
            run(page, DECODE, f"{number % count}.aez", "high")
            if number + 1 in (1, 50, 100, 150, 200):
                sizes.append(f"{number + 1}: {resident(page) / 1e6:.0f} MB")
        print(f"Memory of the page's process after so many pictures: {', '.join(sizes)}")
    (root / "large.aez").write_bytes(aez.encode(picture.resize(LARGE, Image.Resampling.BICUBIC), QUALITY))
    with browser(f"{url}/empty.html") as page:
        for resolution in get_args(Resolution):
            seconds = run(page, DECODE, "large.aez", resolution)["seconds"]
            print(f"24 megapixels, {resolution}: {seconds:.1f} s, at most {peak(page) / 1e6:.0f} MB")


def resident(page: Chrome) -> int:
    """Bytes that the largest process of the browser's pages has now."""
    return max(map(resident_bytes, renderers(page)))


def peak(page: Chrome) -> int:
    """The same, at most so far."""
    return max(map(peak_bytes, renderers(page)))


def renderers(page: Chrome) -> Iterator[int]:
    """Processes of this browser that show pages."""
    folder = page.capabilities["chrome"]["userDataDir"]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if b"--type=renderer" in command and folder.encode() in command:
            yield int(path.parent.name)


def run(page: Chrome, script: str, *arguments: Any) -> Any:
    """What an asynchronous script gives."""
    found = page.execute_async_script(script, *arguments)
    if isinstance(found, dict) and "error" in found:
        raise SystemExit(found["error"])
    return found


@contextmanager
def browser(url: str) -> Iterator[Chrome]:
    """A browser without a past that shows a page."""
    with tempfile.TemporaryDirectory() as folder:
        options = ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        for argument in (*OPTIONS, f"user-data-dir={folder}"):
            options.add_argument(f"--{argument}")
        page = Chrome(options, ChromeService(shutil.which("chromedriver")))
        try:
            page.set_script_timeout(600)
            page.get(url)
            yield page
        finally:
            page.quit()


class Quiet(SimpleHTTPRequestHandler):
    """A web server that prints nothing."""

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@contextmanager
def served(root: Path) -> Iterator[str]:
    """The address of a web server of a folder, which also gets an empty page."""
    (root / "empty.html").write_text('<!doctype html><script src="/aez.js"></script>')
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=root))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


if __name__ == "__main__":
    main()
