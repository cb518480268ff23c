"""What `--effort` gains: BD-rates of both resolutions against effort 0, and what it costs; prints a Markdown table.

python benchmarks/effort.py --pictures DIR [--every 12] [--threads 2]
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

from pictures import load_pictures
from PIL import Image
from rate_distortion import Coded, measure_file

import aez
from aez.metrics.rate_distortion import Metric, Point, bd_rate, common_range, mean_curve

QUALITIES = (30, 50, 70, 85)
EFFORTS = (0, 1, 3, 9)
METRICS: tuple[Metric, ...] = ("ssimulacra2", "psnr")


@dataclass(frozen=True)
class Measured:
    """The mean curves of high and medium by each measure, and how long encoding takes."""

    curves: list[list[Point]]
    seconds_per_megapixel: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every n-th picture only")
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    pictures = load_pictures(arguments.pictures)[:: arguments.every]
    print("BD-rates in percent, by SSIMULACRA2 and by PSNR\n")
    print("| effort | high | PSNR | medium | PSNR | seconds a megapixel |\n| --- | --- | --- | --- | --- | --- |")
    plain = None
    for effort in EFFORTS:
        aez.encode(pictures[0].resize((64, 64)), effort=effort, threads=arguments.threads)
        found = measure(pictures, effort, arguments.threads)
        plain = plain or found
        gains = [gain(*curves) for curves in zip(plain.curves, found.curves, 2 * METRICS, strict=True)]
        print(f"| {effort} | {' | '.join(gains)} | {found.seconds_per_megapixel:.1f} |", flush=True)


def measure(pictures: list[Image.Image], effort: int, threads: int) -> Measured:
    """Encode and decode all pictures at all qualities."""
    coded: list[list[Coded]] = []
    seconds = 0.0
    for image in pictures:
        coded.append([])
        for quality in QUALITIES:
            started = time.perf_counter()
            data = aez.encode(image, quality, effort=effort, threads=threads)
            seconds += time.perf_counter() - started
            coded[-1].append(measure_file(image, data, threads))
    curves = [
        mean_curve([[point(one, high, metric) for one in of_picture] for of_picture in coded])
        for high in (True, False)
        for metric in METRICS
    ]
    return Measured(curves, seconds / (len(QUALITIES) * sum(image.width * image.height for image in pictures) / 1e6))


def point(coded: Coded, high: bool, metric: Metric) -> Point:
    """High with all bytes, or medium with those that it needs; qualities do not matter."""
    size, fidelity = (coded.bytes, coded.high) if high else (coded.medium_bytes, coded.medium)
    return Point(0, 8 * size / coded.pixels, fidelity[metric])


def gain(plain: list[Point], found: list[Point], metric: Metric) -> str:
    """BD-rate in percent, over what both curves span."""
    within = common_range([plain, found], metric)
    rate = bd_rate(plain, found, within) if within else None
    return "-" if rate is None else f"{rate:+.1f}"


if __name__ == "__main__":
    main()
