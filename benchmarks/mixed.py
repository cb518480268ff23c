"""Photographs inside pages: bytes of aez and of AVIF at SSIMULACRA2 50, 70 and 80.

python benchmarks/mixed.py --pages FILE... --photographs DIR [--threads 2]

Each page gets one or two photographs, 30 to 45 % as wide, at seeded places; sizes between qualities are interpolated.
AVIF is what is smallest of Pillow's default, which has subsampled colour (4:2:0), and of what is tuned for SSIMULACRA2,
with subsampled and with full colour. Where a value is out of reach there is no ratio.
"""

import argparse
import random
from pathlib import Path

import numpy as np
from PIL import Image

from aez.compare.codecs import ImageCodec, avif_codec, installed_codecs, pillow_codec
from aez.compare.measure import measure
from aez.limits import MAX_PIXELS
from aez.metrics.rate_distortion import Point, bpp_at
from aez.model.registry import DEFAULT_MODEL

TARGETS = (50, 70, 80)
QUALITIES = (10, 20, 30, 40, 50, 60, 70, 80, 88, 95)
SEED, NARROWEST, WIDEST = 7, 0.3, 0.45


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=Path, nargs="+", required=True, help="screenshots and the like")
    parser.add_argument("--photographs", type=Path, required=True, help="folder of PNG pictures")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    photographs = sorted(arguments.photographs.glob("*.png"))
    own = installed_codecs(DEFAULT_MODEL, arguments.threads, MAX_PIXELS).aez
    avifs = (
        pillow_codec("AVIF", "avif", QUALITIES, speed=6),
        pillow_codec("AVIF 4:2:0", "avif", QUALITIES, speed=6, advanced={"tune": "ssimulacra2"}),
        avif_codec("ssimulacra2"),
    )
    print("| page | " + " | ".join(f"at {target}: kB, aez / AVIF" for target in TARGETS) + " |\n|" + " --- |" * 4)
    ratios = []
    for number, path in enumerate(arguments.pages):
        page = with_photographs(path, photographs, random.Random(SEED + number), 1 + number % 2)
        ours = sizes(page, own)
        theirs = [min(filter(None, each), default=None) for each in zip(*(sizes(page, a) for a in avifs), strict=True)]
        ratios.append([a / b if a and b else np.nan for a, b in zip(ours, theirs, strict=True)])
        cells = [f"{shown(a)} / {shown(b)}" for a, b in zip(ours, theirs, strict=True)]
        print(f"| {path.name} | {' | '.join(cells)} |", flush=True)
    for target, column in zip(TARGETS, np.array(ratios).T, strict=True):
        known = column[np.isfinite(column)]
        print(f"at {target}: {np.exp(np.log(known).mean()):.2f} times AVIF in the mean of {len(known)} pages")


def with_photographs(path: Path, photographs: list[Path], choose: random.Random, count: int) -> Image.Image:
    """A page, on white where it is transparent, with photographs on it."""
    with Image.open(path) as opened:
        drawn = opened.convert("RGBA")
    page = Image.new("RGBA", drawn.size, "white")
    page.alpha_composite(drawn)
    page = page.convert("RGB")
    for photograph in choose.sample(photographs, count):
        with Image.open(photograph) as opened:
            width = round(choose.uniform(NARROWEST, WIDEST) * page.width)
            small = opened.convert("RGB").resize((width, round(width * opened.height / opened.width)))
        place = choose.randrange(page.width - small.width), choose.randrange(max(page.height - small.height, 1))
        page.paste(small, place)
    return page


def sizes(page: Image.Image, codec: ImageCodec) -> list[float | None]:
    """Bytes at the targets, where the codec reaches them."""
    samples = [measure(codec, page, quality, "ssimulacra2") for quality in QUALITIES]
    curve = [Point(sample.quality, sample.bytes, sample.fidelity("ssimulacra2")) for sample in samples]
    return [bpp_at(curve, target) for target in TARGETS]


def shown(size: float | None) -> str:
    return "-" if size is None else f"{size / 1000:.1f}"


if __name__ == "__main__":
    main()
