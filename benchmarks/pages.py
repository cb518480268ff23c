"""Pages of text, screenshots, charts and drawings: aez beside WebP lossless and JPEG 4:4:4.

python benchmarks/pages.py [--pictures FILE... | --made 20] [--threads 2]

By default 20 pictures of 768 x 512 that a script draws (the trainer's, with another seed). For real ones, give files:
those of docs/results.md are from Debian's documentation packages, which it names. For each: bytes of WebP lossless
(Pillow, method 4, quality 80), of aez at quality 50, and, at 0.5, 1 and 2 bits per pixel, PSNR of aez beside that of
JPEG 4:4:4 of the same size; where aez stays below that rate, its highest quality stands in, and JPEG has its size.
"""

import argparse
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import aez
from aez.compare.codecs import JPEG_444, ImageCodec, installed_codecs
from aez.compare.measure import nearest_size
from aez.limits import MAX_PIXELS
from aez.metrics.fidelity import psnr
from aez.model.registry import DEFAULT_MODEL
from aez.picture.files.opening import plain_picture
from aez.train.synthetic import synthetic_pictures

SIZE, SEED = (768, 512), 2026
RATES = (0.5, 1.0, 2.0)
QUALITY, ALLOWED = 50, 1.03


@dataclass(frozen=True)
class Page:
    """One picture: bytes of both, the share that aez stored exactly, and PSNR of aez and of JPEG at `RATES`."""

    webp: int
    aez: int
    exact: float
    at_rates: list[tuple[float, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, nargs="+", help="picture files")
    parser.add_argument("--made", type=int, default=20, help="how many to draw where none are given")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", aez.AezWarning)
    codecs = installed_codecs(DEFAULT_MODEL, arguments.threads, MAX_PIXELS)
    (webp,) = (codec for codec in codecs.lossless if codec.name == "WebP lossless")
    if arguments.pictures:
        pictures = {path.name: plain_picture(path.read_bytes())[0].convert("RGB") for path in arguments.pictures}
    else:
        drawn = synthetic_pictures(arguments.made, *SIZE, SEED)
        pictures = {f"drawn {number}": image for number, image in enumerate(drawn, 1)}
    rates = " | ".join(f"{rate:g} bpp: dB, aez / JPEG 4:4:4" for rate in RATES)
    print(f"| picture | WebP lossless | aez, quality {QUALITY} | exact | {rates} |\n|{' --- |' * (4 + len(RATES))}")
    pages = []
    for name, image in pictures.items():
        file = aez.encode(image, QUALITY, threads=arguments.threads)
        at_rates = [at_rate(image, rate, codecs.jpeg_444, arguments.threads) for rate in RATES]
        page = Page(len(webp.encode(image)), len(file), aez.info(file).exact_share, at_rates)
        pages.append(page)
        values = " | ".join(f"{ours:.1f} / {theirs:.1f}" for ours, theirs in page.at_rates)
        print(f"| {name} | {page.webp} | {page.aez} | {page.exact:.2f} | {values} |", flush=True)
    smaller = sum(page.aez <= ALLOWED * page.webp for page in pages)
    print(f"\n{smaller} of {len(pages)} take at most {ALLOWED} times the bytes of WebP lossless at quality {QUALITY}")
    for rate, values in zip(RATES, np.array([page.at_rates for page in pages]).transpose(1, 0, 2), strict=True):
        print(f"at {rate:g} bpp {np.count_nonzero(values[:, 0] >= values[:, 1])} are no worse than {JPEG_444}")


def at_rate(image: Image.Image, rate: float, jpeg: ImageCodec, threads: int) -> tuple[float, float]:
    """PSNR of aez and of JPEG."""
    try:
        data = aez.encode(image, aez.Target("bpp", rate), threads=threads)
    except aez.TargetError:
        ends = [aez.encode(image, quality, threads=threads) for quality in (0, 100)]
        data = min(ends, key=lambda data: abs(aez.info(data).bpp - rate))
    theirs = nearest_size(jpeg, image, len(data))
    return psnr(aez.decode(data, threads=threads), image), theirs.psnr


if __name__ == "__main__":
    main()
