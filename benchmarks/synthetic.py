"""Pages of text, screenshots and drawings, made by a script: PSNR of aez and of JPEG 4:4:4 at equal rates.

python benchmarks/synthetic.py [--threads 2]

20 pictures of 768 x 512 that training has not seen (another seed). Where even aez's highest quality has a lower rate,
or its lowest a higher one, that quality stands in, and JPEG is taken at its size.
"""

import argparse

import numpy as np
from PIL import Image

import aez
from aez.compare.codecs import JPEG_444, ImageCodec, installed_codecs
from aez.compare.measure import nearest_size
from aez.metrics.fidelity import psnr
from aez.model.registry import DEFAULT_MODEL
from aez.train.synthetic import synthetic_pictures

COUNT, SIZE, SEED = 20, (768, 512), 2026
RATES = (0.5, 1.0, 2.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    (jpeg,) = (codec for codec in installed_codecs(DEFAULT_MODEL, threads, aez.MAX_PIXELS) if codec.name == JPEG_444)
    pictures = list(synthetic_pictures(COUNT, *SIZE, SEED))
    print(
        "| bpp | aez, dB | JPEG 4:4:4, dB | worst picture, dB | no worse than JPEG |\n| --- | --- | --- | --- | --- |"
    )
    for rate in RATES:
        values = np.array([at_rate(image, rate, jpeg, threads) for image in pictures])
        gains = values[:, 0] - values[:, 1]
        means = " | ".join(f"{value:.2f}" for value in values.mean(0))
        print(f"| {rate:g} | {means} | {gains.min():+.2f} | {np.count_nonzero(gains >= 0)} of {COUNT} |")


def at_rate(image: Image.Image, rate: float, jpeg: ImageCodec, threads: int) -> tuple[float, float]:
    """PSNR of aez and of JPEG."""
    data = encode(image, rate, threads)
    theirs = nearest_size(jpeg, image, len(data))
    return psnr(aez.decode(data, threads=threads), image), theirs.psnr


def encode(image: Image.Image, rate: float, threads: int) -> bytes:
    try:
        return aez.encode(image, aez.Target("bpp", rate), threads=threads)
    except aez.TargetError:
        ends = [aez.encode(image, quality, threads=threads) for quality in (0, 100)]
        return min(ends, key=lambda data: abs(aez.info(data).bpp - rate))


if __name__ == "__main__":
    main()
