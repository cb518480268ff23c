"""What `make demo` shows: a photograph encoded once, decoded in both resolutions, beside the JPEG of equal PSNR."""

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from aez import decode_file, encode_file
from aez.compare.codecs import jpeg_codec
from aez.compare.measure import nearest_fidelity
from aez.metrics.fidelity import psnr
from aez.picture import samples


def main(source: Path) -> None:
    with Image.open(source) as image:
        original = image.convert("RGB")
    pixels = original.width * original.height
    half_size = samples.box_average(np.asarray(original))
    with tempfile.TemporaryDirectory() as folder:
        coded, high, medium = (Path(folder) / name for name in ("img.aez", "img.png", "img.medium.png"))
        found = encode_file(source, coded, 50)
        decode_file(coded, high)
        decode_file(coded, medium, "medium")
        high_psnr, medium_psnr = psnr(Image.open(high), original), psnr(Image.open(medium), half_size)
    jpeg = nearest_fidelity(jpeg_codec(), original, high_psnr, "psnr")
    print(f"{source.name}, {original.width} x {original.height}, aez quality 50\n")
    print(f"{'':24}{'bytes':>8}{'bpp':>8}{'PSNR':>10}")
    for name, size, value in (
        ("aez, high", found.bytes, high_psnr),
        ("aez, medium (its front)", found.medium_bytes, medium_psnr),
        (f"JPEG quality {jpeg.quality:g}", jpeg.bytes, jpeg.psnr),
    ):
        print(f"{name:24}{size:8}{8 * size / pixels:8.3f}{value:7.2f} dB")
    print("\nMedium has its PSNR against the original at half the width and height.")
    print(f"The JPEG of equal PSNR is {jpeg.bytes / found.bytes:.2f} times as large, and has one resolution.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
