"""What `make demo` shows: a photograph in both resolutions of one file, beside JPEG and AVIF that look as good."""

import sys
import tempfile
from pathlib import Path

from PIL import Image

import aez
from aez.api import DEFAULT_QUALITY
from aez.compare.codecs import avif_codec, jpeg_codec
from aez.compare.comparison import medium_of
from aez.compare.measure import nearest_fidelity
from aez.metrics.fidelity import psnr
from aez.metrics.ssimulacra2 import ssimulacra2


def main(source: Path) -> None:
    with Image.open(source) as image:
        original = image.convert("RGB")
    half_size, average = medium_of(original)
    with tempfile.TemporaryDirectory() as folder:
        coded, high, medium = (Path(folder, name) for name in ("img.aez", "img.png", "img.medium.png"))
        found = aez.encode_file(source, coded)
        aez.decode_file(coded, high)
        aez.decode_file(coded, medium, "medium")
        decoded, smaller = (Image.open(path).convert("RGB") for path in (high, medium))
    looks = ssimulacra2(decoded, original)
    smaller_looks = ssimulacra2(smaller, half_size)
    rows = [
        ("aez, high", found.bytes, looks, psnr(decoded, original)),
        ("aez, medium (its front)", found.medium_bytes, smaller_looks, psnr(smaller, average)),
    ]
    for codec in (jpeg_codec(), avif_codec("ssimulacra2")):
        sample = nearest_fidelity(codec, original, looks, "ssimulacra2")
        name = f"{codec.name.split()[0]} quality {sample.quality:g}"
        rows.append((name, sample.bytes, sample.fidelity("ssimulacra2"), sample.psnr))
    print(f"{source.name}, {original.width} x {original.height}, aez quality {DEFAULT_QUALITY:g}\n")
    print(f"{'':24}{'bytes':>8}{'bpp':>8}{'SSIMULACRA2':>14}{'PSNR':>10}")
    for name, size, eyes, decibels in rows:
        print(f"{name:24}{size:8}{8 * size / original.width / original.height:8.3f}{eyes:14.1f}{decibels:7.2f} dB")
    print("\nMedium is measured against the original at half the width and height.")
    times = " and ".join(f"{name.split()[0]} {size / found.bytes:.2f} times" for name, size, *_ in rows[2:])
    print(f"Looking as good, by SSIMULACRA2, {times} as many bytes, for one resolution each.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
