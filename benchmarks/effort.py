"""What `--effort` gains: BD-rate against effort 0, and what it costs; prints a Markdown table.

python benchmarks/effort.py --pictures DIR [--every 6] [--threads 2]
"""

import argparse
import time
from pathlib import Path

from pictures import load_pictures
from PIL import Image

import aez
from aez.metrics import Point, bd_rate, common_range, mean_curve, psnr

QUALITIES = (15, 35, 55, 75)
EFFORTS = (1, 3, 6, 9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every n-th picture only")
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    pictures = load_pictures(arguments.pictures)[:: arguments.every]
    plain, _ = curve(pictures, 0, arguments.threads)
    print("| effort | BD-rate against effort 0, % | seconds a megapixel |\n| --- | --- | --- |")
    for effort in EFFORTS:
        refined, seconds = curve(pictures, effort, arguments.threads)
        psnrs = common_range([plain, refined])
        gain = bd_rate(plain, refined, psnrs) if psnrs else None
        print(f"| {effort} | {'-' if gain is None else f'{gain:.1f}'} | {seconds:.0f} |", flush=True)


def curve(pictures: list[Image.Image], effort: int, threads: int) -> tuple[list[Point], float]:
    """The mean curve, and the seconds a megapixel that encoding took."""
    points: list[list[Point]] = []
    seconds = megapixels = 0.0
    for image in pictures:
        points.append([])
        for quality in QUALITIES:
            started = time.perf_counter()
            data = aez.encode(image, quality, effort=effort, threads=threads)
            seconds += time.perf_counter() - started
            megapixels += image.width * image.height / 1e6
            decoded = aez.decode(data, threads=threads)
            points[-1].append(Point(quality, aez.info(data).bpp, psnr(decoded, image)))
    return mean_curve(points), seconds / megapixels


if __name__ == "__main__":
    main()
