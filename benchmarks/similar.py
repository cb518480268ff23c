"""Near-duplicates in a folder: `aez similar` beside perceptual hashes, on made variants of photographs; its speed.

python benchmarks/similar.py --pictures DIR

Needs `pip install imagehash`. Each photograph and six variants of it become .aez files of random qualities; hashes are
of the pictures themselves. Of all pairs of files, those are listed that are at least so much alike that 99 % of them
are of one photograph: how many of the pairs of one photograph are these?
"""

import argparse
import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image, ImageEnhance

import aez
from aez.arrays import Floats
from aez.similar.description import SAME, likeness
from aez.similar.index import Index
from aez.train.data import find_pictures

PRECISION = 0.99
LONGEST_SIDE = 768
QUALITIES = 30, 90
KINDS = "original", "half", "jpeg", "cropped", "brighter", "turned", "tilted"
HASHES: dict[str, Callable[[Image.Image], imagehash.ImageHash]] = {
    "phash": imagehash.phash,
    "phash, 256 bits": lambda image: imagehash.phash(image, 16),
    "dhash": imagehash.dhash,
}
WAYS = [None, *Image.Transpose]
"""To turn and mirror a picture."""


def variants(image: Image.Image, random: np.random.Generator) -> Iterator[Image.Image]:
    """As in `KINDS`: half as large, JPEG of quality 25, 5 % cropped, 25 % brighter, a quarter turn, three degrees."""
    width, height = image.size
    yield image
    yield image.resize((width // 2, height // 2), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=25)
    yield Image.open(file).convert("RGB")
    across, down = round(0.95 * width), round(0.95 * height)
    left, top = (int(random.integers(spare + 1)) for spare in (width - across, height - down))
    yield image.crop((left, top, left + across, top + down))
    yield ImageEnhance.Brightness(image).enhance(1.25)
    yield image.transpose(Image.Transpose.ROTATE_90)
    inside = round(0.05 * width), round(0.05 * height), round(0.95 * width), round(0.95 * height)
    yield image.rotate(3, Image.Resampling.BICUBIC).crop(inside)


def hashes_of(image: Image.Image) -> list[Floats]:
    """Of each kind, of the picture in all ways, +1 and -1, [8, bits]."""
    ways = [image if way is None else image.transpose(way) for way in WAYS]
    return [np.stack([2 * kind(way).hash.ravel().astype(np.float32) - 1 for way in ways]) for kind in HASHES.values()]


def recall(scores: Floats) -> tuple[float, list[float]]:
    """Share of the pairs of one photograph that are listed, and of the originals' pairs with each variant."""
    photograph = np.arange(len(scores)) // len(KINDS)
    ours = photograph[:, None] == photograph
    upper = np.triu(np.ones_like(ours), 1)
    listed, right = scores[upper], ours[upper]
    order = np.argsort(-listed, kind="stable")
    precision = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(precision >= PRECISION)
    threshold = listed[order][enough[-1]] if len(enough) else np.inf
    originals = np.arange(0, len(scores), len(KINDS))
    with_variant = [float((scores[originals, originals + kind] >= threshold).mean()) for kind in range(1, len(KINDS))]
    return float((scores[ours & upper] >= threshold).mean()), with_variant


def row(name: str, scores: Floats) -> None:
    every, with_variant = recall(scores)
    print(f"| {name} | {' | '.join(f'{100 * share:.1f} %' for share in (every, *with_variant))} |", flush=True)


def seconds_of_search(folder: Path) -> float:
    """Of a whole process on one core."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "aez.cli", "similar", str(folder), "--jobs", "1", "--threads", "1", "--quiet"]
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, nargs="+", required=True, help="photographs")
    parser.add_argument("--count", type=int, default=500, help="of photographs")
    given = parser.parse_args()
    paths = np.random.default_rng(0).permutation(np.array(find_pictures(given.pictures), object))[: given.count]
    hashes: list[list[Floats]] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for number, path in enumerate(paths):
            random = np.random.default_rng(number)
            with Image.open(path) as file:
                photograph = file.convert("RGB")
            photograph.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
            for kind, variant in enumerate(variants(photograph, random)):
                coded = aez.encode(variant, float(random.integers(*QUALITIES)))
                (folder / f"{number:05d}-{kind}.aez").write_bytes(coded)
                hashes.append(hashes_of(variant))
        first, again = seconds_of_search(folder), seconds_of_search(folder)
        entries = Index.load(folder).entries
        vectors = np.stack([entries[name][1].vector for name in sorted(entries)])
    print(f"{len(vectors)} files of up to {LONGEST_SIDE} pixels a side, one core, a whole process:")
    print(f"{len(vectors) / first:.0f} files a second at first, {len(vectors) / again:.0f} with an index\n")
    print(f"| recall at a precision of {PRECISION:.2f} | all pairs | {' | '.join(KINDS[1:])} |\n{'| --- ' * 8}|")
    alike = likeness(vectors, vectors)
    row("aez similar", alike)
    for number, name in enumerate(HASHES):
        bits = np.stack([found[number] for found in hashes])
        ways = np.stack([bits[:, 0] @ bits[:, way].T for way in range(len(WAYS))])
        row(name, ways[0])
        row(f"{name}, all ways to turn", ways.max(0))
    owner = np.arange(len(vectors)) // len(KINDS)
    ours = owner[:, None] == owner
    upper = np.triu(np.ones_like(ours), 1)
    same = (alike >= SAME) & upper
    print(f"\nat {SAME}, what is called the same: precision {(ours & same).sum() / same.sum():.4f}, ", end="")
    print(f"recall {(ours & same).sum() / (ours & upper).sum():.4f}")


if __name__ == "__main__":
    main()
