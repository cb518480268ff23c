"""Rate and distortion of aez on real files in both resolutions; prints Markdown tables.

python benchmarks/rate_distortion.py --pictures DIR
"""

import argparse
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pictures import load_pictures
from PIL import Image

import aez
from aez.compare.codecs import jpeg_codec
from aez.compare.measure import half_size
from aez.metrics import BD_RANGE, Point, bd_rate, mean_curve, psnr

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
    high: float
    medium: float


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
    _, average = half_size(image)
    return Coded(found.bytes, found.medium_bytes, image.width * image.height, psnr(high, image), psnr(medium, average))


def print_curve(coded: Mapping[int, list[Coded]]) -> None:
    print("| quality | bpp | PSNR high, dB | PSNR medium, dB | medium's share of the bytes, % |")
    print("| --- | --- | --- | --- | --- |")
    for quality, rows in coded.items():
        bpp = np.mean([8 * row.bytes / row.pixels for row in rows])
        high, medium = np.mean([row.high for row in rows]), np.mean([row.medium for row in rows])
        share = 100 * sum(row.medium_bytes for row in rows) / sum(row.bytes for row in rows)
        print(f"| {quality} | {bpp:.3f} | {high:.2f} | {medium:.2f} | {share:.0f} |")


def print_medium(pictures: list[Image.Image], coded: Mapping[int, list[Coded]]) -> None:
    """BD-rate of the front part against JPEG files of the half-size pictures; rates per full-resolution pixel."""
    jpeg = jpeg_codec()
    anchors = []
    for image in pictures:
        smaller, average = half_size(image)
        files = {quality: jpeg.encode(smaller, quality) for quality in jpeg.qualities}
        pixels = image.width * image.height
        anchors.append(
            [Point(q, 8 * len(file) / pixels, psnr(jpeg.decode(file), average)) for q, file in files.items()]
        )
    curves = [
        [
            Point(quality, 8 * row.medium_bytes / row.pixels, row.medium)
            for quality, row in zip(coded, rows, strict=True)
        ]
        for rows in zip(*coded.values(), strict=True)
    ]
    rate = bd_rate(mean_curve(anchors), mean_curve(curves))
    print(f"\nMedium against JPEG of the half-size picture, {BD_RANGE[0]:g} to {BD_RANGE[1]:g} dB: {rate:+.1f} %.")


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
