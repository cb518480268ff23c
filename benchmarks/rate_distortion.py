"""Rate and distortion of aez on real files in both resolutions; prints Markdown tables.

python benchmarks/rate_distortion.py --pictures DIR
"""

import argparse
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pictures import load_pictures
from PIL import Image

import aez
from aez.compare.codecs import jpeg_codec
from aez.compare.comparison import medium_of
from aez.metrics.fidelity import psnr
from aez.metrics.rate_distortion import MEASURES, Metric, Point, bd_rate, common_range, mean_curve
from aez.metrics.ssimulacra2 import ssimulacra2

QUALITIES = (0, 10, 25, 40, 55, 70, 85, 100)
SHARE_QUALITIES = (10, 25, 50, 75, 90)
GENERATED_QUALITIES = (25, 50, 75)
MONOTONE_STEP = 5


@dataclass(frozen=True)
class Coded:
    """One picture at one quality."""

    bytes: int
    medium_bytes: int
    pixels: int
    high: dict[Metric, float]
    medium: dict[Metric, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of PNG pictures, such as Kodak's 24")
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    pictures = load_pictures(arguments.pictures)
    warnings.simplefilter("ignore", aez.AezWarning)

    def code(image: Image.Image, quality: float) -> Coded:
        data = aez.encode(image, quality, threads=arguments.threads)
        return measure_file(image, data, arguments.threads)

    coded = {quality: [code(image, quality) for image in pictures] for quality in QUALITIES}
    print_curve(coded)
    print_medium(pictures, coded)
    print_qualities(pictures, arguments.threads)


def measure_file(image: Image.Image, data: bytes, threads: int) -> Coded:
    """Decode a file in both resolutions; medium from the front part alone."""
    found = aez.info(data)
    high = aez.decode(data, threads=threads)
    medium = aez.decode(data[: found.medium_bytes], "medium", threads=threads)
    smaller, average = medium_of(image)
    return Coded(
        found.bytes,
        found.medium_bytes,
        image.width * image.height,
        fidelity(high, image, image),
        fidelity(medium, smaller, average),
    )


def fidelity(decoded: Image.Image, original: Image.Image, unrounded: Any) -> dict[Metric, float]:
    return {"psnr": psnr(decoded, unrounded), "ssimulacra2": ssimulacra2(decoded, original)}


def print_curve(coded: Mapping[int, list[Coded]]) -> None:
    print("| quality | bpp | high: SSIMULACRA2 | PSNR, dB | medium: SSIMULACRA2 | PSNR, dB | medium's bytes, % |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for quality, rows in coded.items():
        bpp = np.mean([8 * row.bytes / row.pixels for row in rows])
        means = [
            f"{np.mean([values[metric] for values in resolution]):.2f}"
            for resolution in ([row.high for row in rows], [row.medium for row in rows])
            for metric in ("ssimulacra2", "psnr")
        ]
        share = 100 * sum(row.medium_bytes for row in rows) / sum(row.bytes for row in rows)
        print(f"| {quality} | {bpp:.3f} | {' | '.join(means)} | {share:.0f} |")


def print_medium(pictures: list[Image.Image], coded: Mapping[int, list[Coded]]) -> None:
    """BD-rate of the front part against JPEG files of the half-size pictures; rates per full-resolution pixel."""
    jpeg = jpeg_codec()
    anchors: dict[Metric, list[list[Point]]] = {metric: [] for metric in MEASURES}
    for image in pictures:
        smaller, average = medium_of(image)
        found = []
        for quality in jpeg.qualities:
            file = jpeg.encode(smaller, quality)
            bpp = 8 * len(file) / (image.width * image.height)
            found.append((quality, bpp, fidelity(jpeg.decode(file), smaller, average)))
        for metric, curves in anchors.items():
            curves.append([Point(quality, bpp, values[metric]) for quality, bpp, values in found])
    print("\nMedium against JPEG of the half-size picture:")
    for metric, theirs in anchors.items():
        ours = [
            [
                Point(q, 8 * row.medium_bytes / row.pixels, row.medium[metric])
                for q, row in zip(coded, rows, strict=True)
            ]
            for rows in zip(*coded.values(), strict=True)
        ]
        pair = mean_curve(theirs), mean_curve(ours)
        within = common_range(pair, metric)
        rate = bd_rate(*pair, within) if within else None
        print("no common range" if rate is None else f"{rate:+.1f} % by {MEASURES[metric].name}, {within}")


def print_qualities(pictures: list[Image.Image], threads: int) -> None:
    """What single qualities show: medium's share, zstd against ans, generated high pictures, monotonicity."""
    print("\n| quality | medium's share, % | zstd coding, larger by % | generated over Lanczos, dB |")
    print("| --- | --- | --- | --- |")
    for quality in SHARE_QUALITIES:
        ans = [aez.encode(image, quality, threads=threads) for image in pictures]
        zstd = [aez.encode(image, quality, coding="zstd", threads=threads) for image in pictures]
        share = sum(aez.info(data).medium_bytes for data in ans) / sum(map(len, ans))
        larger = sum(map(len, zstd)) / sum(map(len, ans)) - 1
        gain = f"{generated_gain(pictures, quality, threads):+.2f}" if quality in GENERATED_QUALITIES else ""
        print(f"| {quality} | {100 * share:.0f} | {100 * larger:.1f} | {gain} |")
    values = []
    for quality in range(0, 101, MONOTONE_STEP):
        decoded = [aez.decode(aez.encode(image, quality, threads=threads), threads=threads) for image in pictures]
        values.append(float(np.mean([psnr(d, i) for d, i in zip(decoded, pictures, strict=True)])))
    smallest = min(np.diff(values))
    print(f"\nSmallest rise of the mean PSNR between qualities {MONOTONE_STEP} apart: {smallest:+.3f} dB.")


def generated_gain(pictures: list[Image.Image], quality: float, threads: int) -> float:
    """Mean PSNR of the generated high picture over that of the Lanczos-upscaled medium picture."""
    gains = []
    for image in pictures:
        data = aez.encode(image, quality, layers="base", threads=threads)
        medium = aez.decode(data, "medium", threads=threads)
        lanczos = medium.resize(image.size, Image.Resampling.LANCZOS)
        gains.append(psnr(aez.decode(data, threads=threads), image) - psnr(lanczos, image))
    return float(np.mean(gains))


if __name__ == "__main__":
    main()
