"""What `--effort` gains: BD-rates of both resolutions against effort 0, and what it costs; prints a Markdown table.

python benchmarks/effort.py --pictures DIR [--every 6] [--threads 2]
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

from pictures import load_pictures
from PIL import Image
from rate_distortion import measure_file

import aez
from aez.metrics.rate_distortion import Point, bd_rate, common_range, mean_curve

QUALITIES = (15, 35, 55, 75)
EFFORTS = (0, 1, 4, 9)


@dataclass(frozen=True)
class Measured:
    """The mean curves of high and medium, and how long encoding takes."""

    high: list[Point]
    medium: list[Point]
    seconds_per_megapixel: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every n-th picture only")
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    pictures = load_pictures(arguments.pictures)[:: arguments.every]
    print("| effort | BD-rate of high, % | of medium, % | seconds a megapixel |\n| --- | --- | --- | --- |")
    plain = None
    for effort in EFFORTS:
        aez.encode(pictures[0].resize((64, 64)), effort=effort, threads=arguments.threads)
        found = measure(pictures, effort, arguments.threads)
        plain = plain or found
        high, medium = gain(plain.high, found.high), gain(plain.medium, found.medium)
        print(f"| {effort} | {high} | {medium} | {found.seconds_per_megapixel:.1f} |", flush=True)


def measure(pictures: list[Image.Image], effort: int, threads: int) -> Measured:
    """Encode and decode all pictures at all qualities."""
    high: list[list[Point]] = []
    medium: list[list[Point]] = []
    seconds = 0.0
    for image in pictures:
        high.append([])
        medium.append([])
        for quality in QUALITIES:
            started = time.perf_counter()
            data = aez.encode(image, quality, effort=effort, threads=threads)
            seconds += time.perf_counter() - started
            coded = measure_file(image, data, threads)
            high[-1].append(Point(quality, 8 * coded.bytes / coded.pixels, coded.high["psnr"]))
            medium[-1].append(Point(quality, 8 * coded.medium_bytes / coded.pixels, coded.medium["psnr"]))
    megapixels = len(QUALITIES) * sum(image.width * image.height for image in pictures) / 1e6
    return Measured(mean_curve(high), mean_curve(medium), seconds / megapixels)


def gain(plain: list[Point], found: list[Point]) -> str:
    """BD-rate in percent, over the PSNRs that both curves span."""
    psnrs = common_range([plain, found])
    rate = bd_rate(plain, found, psnrs) if psnrs else None
    return "-" if rate is None else f"{rate:+.1f}"


if __name__ == "__main__":
    main()
