"""How near targets come, and how long they take beside a plain encoding.

python benchmarks/targets.py --pictures DIR --threads 2

For every picture and measure three targets, those of qualities 20, 50 and 80 of the picture itself, moved by half a
percent or a hundredth of a dB so that no search begins at its end. A time is that of the search over that of a plain
encoding at that quality, both the best of three.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pictures import load_pictures
from PIL import Image

import aez
from aez.coding.targets import Measure
from aez.metrics.fidelity import psnr
from aez.picture import samples

QUALITIES = (20, 50, 80)
RUNS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of PNG pictures, such as Kodak's 24")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    pictures = load_pictures(arguments.pictures)
    print("| target | worst miss | times a plain encoding: median | worst |\n| --- | --- | --- | --- |")
    for measure, value in MEASURES.items():
        misses, times = [], []
        for image in pictures:
            for quality in QUALITIES:
                plain = seconds(lambda: aez.encode(image, quality, threads=arguments.threads))  # noqa: B023
                reached = value(image, aez.encode(image, quality, threads=arguments.threads))
                relative = measure in ("size", "bpp")
                target = aez.Target(measure, reached * 1.005 if relative else reached + 0.01)
                data = aez.encode(image, target, threads=arguments.threads)
                miss = value(image, data) - target.value
                misses.append(100 * miss / target.value if relative else miss)
                times.append(seconds(lambda: aez.encode(image, target, threads=arguments.threads)) / plain)  # noqa: B023
        worst = max(misses, key=abs)
        unit = "%" if measure in ("size", "bpp") else "dB"
        print(f"| {measure} | {worst:+.2f} {unit} | {statistics.median(times):.1f} | {max(times):.1f} |")


def medium_psnr(image: Image.Image, data: bytes) -> float:
    return psnr(aez.decode(data, "medium"), samples.box_average(np.asarray(image)))


MEASURES: dict[Measure, Callable[[Image.Image, bytes], float]] = {
    "size": lambda _, data: len(data),
    "bpp": lambda _, data: aez.info(data).bpp,
    "psnr": lambda image, data: psnr(aez.decode(data), image),
    "medium-psnr": medium_psnr,
}


def seconds(work: Callable[[], object]) -> float:
    """The best of `RUNS`."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


if __name__ == "__main__":
    main()
