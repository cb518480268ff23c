"""Rate and distortion of aez on real files, beside JPEG, WebP, AVIF and JPEG XL; prints Markdown tables.

python benchmarks/rate_distortion.py --pictures DIR
"""

import argparse
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measure import (
    AEZ_QUALITIES,
    JPEG_QUALITIES,
    Point,
    bd_rate,
    load_pictures,
    mean_point,
    pillow_decode,
    pillow_encoder,
    psnr,
)
from PIL import Image, features

import aez
from aez import samples

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
    parser.add_argument("--peers", action="store_true", help="WebP, AVIF and JPEG XL too (minutes)")
    arguments = parser.parse_args()
    pictures = load_pictures(arguments.pictures)
    warnings.simplefilter("ignore", aez.AezWarning)

    def code(image: Image.Image, quality: float) -> Coded:
        data = aez.encode(image, quality, threads=arguments.threads)
        return measure_file(image, data, arguments.threads)

    coded = {quality: [code(image, quality) for image in pictures] for quality in AEZ_QUALITIES}
    jpeg = curve(pictures, JPEG_QUALITIES, lambda q: pillow_encoder("jpeg", quality=q, optimize=True, subsampling=2))
    print_curve(coded)
    print_bd_rates(pictures, coded, jpeg, arguments.peers)
    print_qualities(pictures, arguments.threads)


def measure_file(image: Image.Image, data: bytes, threads: int) -> Coded:
    """Decode a file in both resolutions; medium from the front part alone."""
    found = aez.info(data)
    high = aez.decode(data, threads=threads)
    medium = aez.decode(data[: found.medium_bytes], "medium", threads=threads)
    half_size = samples.box_average(np.asarray(image))
    return Coded(
        found.bytes, found.medium_bytes, image.width * image.height, psnr(high, image), psnr(medium, half_size)
    )


def curve(
    pictures: list[Image.Image],
    qualities: tuple[float, ...],
    encoder: Callable[[float], Callable[[Image.Image], bytes]],
) -> list[Point]:
    """Rate and PSNR of another codec at each quality."""
    points = []
    for quality in qualities:
        encode = encoder(quality)
        files = [(image, encode(image)) for image in pictures]
        rows = [(len(d), i.width * i.height, psnr(pillow_decode(d), i)) for i, d in files]
        points.append(mean_point(quality, rows))
    return points


def print_curve(coded: dict[float, list[Coded]]) -> None:
    print("| quality | bpp | PSNR high, dB | PSNR medium, dB | medium's share of the bytes, % |")
    print("| --- | --- | --- | --- | --- |")
    for quality, rows in coded.items():
        point = high_point(quality, rows)
        medium = np.mean([row.medium for row in rows])
        share = 100 * sum(row.medium_bytes for row in rows) / sum(row.bytes for row in rows)
        print(f"| {quality} | {point.bpp:.3f} | {point.psnr:.2f} | {medium:.2f} | {share:.0f} |")


def high_point(quality: float, rows: list[Coded]) -> Point:
    return mean_point(quality, [(row.bytes, row.pixels, row.high) for row in rows])


def print_bd_rates(
    pictures: list[Image.Image], coded: dict[float, list[Coded]], jpeg: list[Point], peers: bool
) -> None:
    curves = {"aez": [high_point(quality, rows) for quality, rows in coded.items()]}
    if peers:
        curves["WebP, method 4"] = curve(
            pictures,
            (1, 5, 15, 30, 50, 70, 85, 93, 97, 100),
            lambda q: pillow_encoder("webp", quality=int(q), method=4),
        )
        if features.check("avif"):
            curves["AVIF 4:4:4, speed 6"] = curve(
                pictures,
                (10, 20, 30, 40, 50, 60, 70, 80, 88, 94),
                lambda q: pillow_encoder("avif", quality=int(q), subsampling="4:4:4", speed=6),
            )
        if jpeg_xl_is_there():
            curves["JPEG XL, effort 7"] = curve(
                pictures,
                (8.0, 6.0, 4.5, 3.2, 2.2, 1.5, 1.0, 0.6, 0.4),
                lambda d: pillow_encoder("jxl", distance=d, effort=7),
            )
    print("\n| codec | BD-rate against JPEG, 29 to 39 dB, % |\n| --- | --- |")
    for name, points in curves.items():
        rate = bd_rate(jpeg, points)
        print(f"| {name} | {'does not span the range' if rate is None else format(rate, '.1f')} |")


def jpeg_xl_is_there() -> bool:
    """Whether Pillow can write JPEG XL, by the package pillow-jxl-plugin."""
    try:
        import pillow_jxl  # noqa: F401
    except ImportError:
        return False
    return True


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
