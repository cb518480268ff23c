"""What `make demo` shows: a photograph encoded once, decoded in both resolutions, beside the JPEG of equal PSNR."""

import io
import sys
import tempfile
from pathlib import Path

import numpy as np
from measure import psnr
from PIL import Image

from aez import decode_file, encode_file, samples


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
    quality, jpeg_bytes, jpeg_psnr = nearest_jpeg(original, high_psnr)
    print(f"{source.name}, {original.width} x {original.height}, aez quality 50\n")
    print(f"{'':24}{'bytes':>8}{'bpp':>8}{'PSNR':>10}")
    for name, size, value in (
        ("aez, high", found.bytes, high_psnr),
        ("aez, medium (its front)", found.medium_bytes, medium_psnr),
        (f"JPEG quality {quality}", jpeg_bytes, jpeg_psnr),
    ):
        print(f"{name:24}{size:8}{8 * size / pixels:8.3f}{value:7.2f} dB")
    print(f"\nThe JPEG of equal PSNR is {jpeg_bytes / found.bytes:.2f} times as large, and has one resolution.")


def nearest_jpeg(image: Image.Image, target: float) -> tuple[int, int, float]:
    """Quality, bytes and PSNR of the JPEG whose PSNR is nearest to the target."""
    tried = []
    for quality in range(5, 100):
        buffer = io.BytesIO()
        image.save(buffer, "jpeg", quality=quality, subsampling=2, optimize=True)
        tried.append((quality, buffer.tell(), psnr(Image.open(buffer), image)))
    return min(tried, key=lambda result: abs(result[2] - target))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
