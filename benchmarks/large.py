"""Speed and peak memory by the size of the picture: 1, 24 and 100 megapixels.

python benchmarks/large.py --pictures DIR --threads 2

Pictures are mosaics of those in the folder. Every figure is from a process of its own: seconds of the encoding or
decoding alone, at quality 50, and the largest resident size of the whole process, picture and Python included.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pictures import load_pictures
from PIL import Image

import aez

MEGAPIXELS = (1, 24, 100)
TASKS = ("encode", "decode high", "decode medium")
MAX_PIXELS = 200_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of PNG pictures, such as Kodak's 24")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    if arguments.run:
        run(arguments.run[0], Path(arguments.run[1]), arguments.threads)
        return

    print("| megapixels | task | MP/s | peak memory, MB |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "mosaic"
        for megapixels in MEGAPIXELS:
            mosaic(load_pictures(arguments.pictures), megapixels).save(stem.with_suffix(".ppm"))
            for task in TASKS:
                again = [sys.executable, __file__, "--pictures", str(arguments.pictures)]
                command = [*again, "--threads", str(arguments.threads), "--run", task, str(stem)]
                found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
                print(f"| {megapixels} | {task} | {megapixels / found['seconds']:.1f} | {found['megabytes']:.0f} |")


def mosaic(pictures: list[Image.Image], megapixels: int) -> Image.Image:
    """Pictures side by side, again and again, 3:2."""
    height = round(math.sqrt(megapixels * 1e6 / 1.5))
    whole = Image.new("RGB", (height * 3 // 2, height))
    number = 0
    for top in range(0, height, 512):
        for left in range(0, whole.width, 768):
            whole.paste(pictures[number % len(pictures)].resize((768, 512)), (left, top))
            number += 1
    return whole


def run(task: str, stem: Path, threads: int) -> None:
    """One task, after a warm-up on a small picture; prints JSON."""
    small = aez.encode(Image.new("RGB", (64, 64)), 50, threads=threads)
    aez.decode(small, threads=threads)
    aez.decode(small, "medium", threads=threads)
    coded = stem.with_suffix(".aez")
    if task == "encode":
        image = Image.open(stem.with_suffix(".ppm"))
        image.load()
        start = time.perf_counter()
        data = aez.encode(image, 50, threads=threads, max_pixels=MAX_PIXELS)
        seconds = time.perf_counter() - start
        coded.write_bytes(data)
    else:
        data = coded.read_bytes()
        start = time.perf_counter()
        aez.decode(data, "medium" if task == "decode medium" else "high", threads=threads, max_pixels=MAX_PIXELS)
        seconds = time.perf_counter() - start
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps({"seconds": seconds, "megabytes": megabytes}))


if __name__ == "__main__":
    main()
