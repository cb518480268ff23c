"""`aez encode --lossless` beside Pillow's WebP lossless: bytes of photographs, and the time of whole processes.

python benchmarks/lossless.py --pictures DIR [--screenshot FILE]

WebP is written with method 4, quality 80 and colours under alpha. Processes start, read a file and write another one;
each figure is the median of seven, in turn with the others. The screenshot is a drawn one of 1920 x 1080 (the
trainer's, with another seed) unless a file is given; what is decoded is written as PNG by both.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pictures import load_pictures
from PIL import Image

from aez.compare.codecs import installed_codecs
from aez.limits import MAX_PIXELS
from aez.model.registry import DEFAULT_MODEL
from aez.train.synthetic import synthetic_pictures

RUNS = 7
SIZE, SEED, DRAWN = (1920, 1080), 2026, 2  # the second of two is a screenshot
OPTIONS = "lossless=True, method=4, quality=80, exact=True"
PILLOW = "import sys; from PIL import Image; Image.open(sys.argv[1]).save(sys.argv[2]{})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of PNG pictures, such as Kodak's 24")
    parser.add_argument("--screenshot", type=Path, help="a picture file")
    arguments = parser.parse_args()
    compare_bytes(load_pictures(arguments.pictures))
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.png"
        given = [Image.open(arguments.screenshot)] if arguments.screenshot else None
        *_, picture = given or synthetic_pictures(DRAWN, *SIZE, SEED)
        picture.save(page)
        compare_processes(page)


def compare_bytes(pictures: list[Image.Image]) -> None:
    """Print what lossless files take, all together and at worst."""
    codecs = {codec.name: codec for codec in installed_codecs(DEFAULT_MODEL, 1, MAX_PIXELS).lossless}
    sizes = [[len(codecs[name].encode(image)) for name in ("aez lossless", "WebP lossless")] for image in pictures]
    total = sum(ours for ours, _ in sizes) / sum(theirs for _, theirs in sizes)
    worst = max(ours / theirs for ours, theirs in sizes)
    print(f"{len(sizes)} pictures: {total:.4f} times the bytes of WebP lossless, {worst:.4f} at worst\n")


def compare_processes(page: Path) -> None:
    """Print how long processes take for one picture."""
    names = {suffix: str(page.with_suffix(suffix)) for suffix in (".png", ".webp", ".aez")}
    coded, other = str(page.with_suffix(".q70.aez")), str(page.with_name("decoded.png"))
    pillow, ours = [sys.executable, "-c"], [sys.executable, "-m", "aez.cli"]
    commands = {
        "WebP: encode": [*pillow, PILLOW.format(", " + OPTIONS), names[".png"], names[".webp"]],
        "aez encode --lossless": [*ours, "encode", "-f", "--lossless", names[".png"], "-o", names[".aez"]],
        "aez encode": [*ours, "encode", "-f", names[".png"], "-o", coded],
        "WebP: decode": [*pillow, PILLOW.format(""), names[".webp"], other],
        "aez decode (lossless)": [*ours, "decode", "-f", names[".aez"], "-o", other],
        "aez decode": [*ours, "decode", "-f", coded, "-o", other],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - start)
    print("| process | seconds |\n| --- | --- |")
    for name, found in seconds.items():
        print(f"| `{name}` | {statistics.median(found):.2f} |")
    sizes = {Path(path).name: Path(path).stat().st_size for path in (*names.values(), coded)}
    print("\n" + ", ".join(f"{name}: {size}" for name, size in sizes.items()))


if __name__ == "__main__":
    main()
