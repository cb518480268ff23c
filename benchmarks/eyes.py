"""Measures that no codec here was made for, and crops to look at: aez beside AVIF at AVIF's sizes.

python benchmarks/eyes.py --pictures DIR --crops crops.png

For each picture the AVIF (libaom, tune=ssimulacra2) nearest to SSIMULACRA2 50, 70 and 85, and the largest .aez that is
no larger. Judges: butteraugli's 3-norm (`butteraugli_main` of libjxl, Debian's libjxl-devtools; smaller is better) and
CVVDP (`pip install cvvdp`, a 4K monitor; in JOD, of which 10 is no difference). Blockiness is the mean gradient across
the lines of the 16-pixel grid over that two and three pixels beside them, where the original is smooth: 1 where no grid
is seen. The sheet of crops shows, twice enlarged, a smooth, a middling and a busy place of every picture: the original,
the .aez and the AVIF.
"""

import argparse
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pycvvdp
from pictures import load_pictures
from PIL import Image
from scipy.ndimage import maximum_filter

import aez
from aez.compare.codecs import ImageCodec, avif_codec
from aez.compare.measure import nearest_fidelity
from aez.metrics.ssimulacra2 import ssimulacra2

TARGETS = (50, 70, 85)
CROP_TARGETS = (50, 70)
BLOCKINESS_QUALITIES = (25, 50)
GRID, SMOOTH, NEIGHBOURHOOD = 16, 6, 9
CROP, ENLARGED, GAP = 160, 2, 4

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Verdict:
    """What the judges say of one decoded picture."""

    bytes: int
    ssimulacra2: float
    butteraugli: float
    cvvdp: float


@dataclass(frozen=True)
class Pair:
    """Both codecs at one size."""

    original: Image.Image
    aez: Image.Image
    avif: Image.Image
    of_aez: Verdict
    of_avif: Verdict


class Judges:
    """butteraugli and CVVDP, the latter set up once."""

    def __init__(self) -> None:
        self._cvvdp = pycvvdp.cvvdp(display_name="standard_4k")

    def verdict(self, decoded: Image.Image, original: Image.Image, size: int) -> Verdict:
        jod, _ = self._cvvdp.predict(np.asarray(decoded), np.asarray(original), dim_order="HWC")
        return Verdict(size, ssimulacra2(decoded, original), butteraugli(decoded, original), float(jod))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of PNG pictures, such as Kodak's 24")
    parser.add_argument("--crops", type=Path, help="sheet of crops to write, a PNG per target beside it")
    arguments = parser.parse_args()
    pictures = load_pictures(arguments.pictures)
    avif = avif_codec("ssimulacra2")
    judges = Judges()
    print(
        "| target | bytes, aez / AVIF | SSIMULACRA2 | butteraugli, 3-norm | CVVDP, JOD | better: butteraugli | CVVDP |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for target in TARGETS:
        pairs = [at_equal_size(image, avif, target, judges) for image in pictures]
        print_row(target, pairs)
        if arguments.crops and target in CROP_TARGETS:
            sheet(pairs).save(arguments.crops.with_stem(f"{arguments.crops.stem}-{target}"))
    print("\n| quality | blockiness, mean | largest |\n| --- | --- | --- |")
    for quality in BLOCKINESS_QUALITIES:
        found = [blockiness(aez.decode(aez.encode(image, quality)), image) for image in pictures]
        print(f"| {quality} | {np.mean(found):.3f} | {np.max(found):.3f} |", flush=True)


def at_equal_size(image: Image.Image, avif: ImageCodec, target: float, judges: Judges) -> Pair:
    """The AVIF of that SSIMULACRA2, and the .aez of its size."""
    sample = nearest_fidelity(avif, image, target, "ssimulacra2")
    theirs = avif.decode(avif.encode(image, sample.quality)).convert("RGB")
    file = aez.encode(image, aez.Target("size", sample.bytes))
    ours = aez.decode(file)
    return Pair(
        image,
        ours,
        theirs,
        judges.verdict(ours, image, len(file)),
        judges.verdict(theirs, image, sample.bytes),
    )


def butteraugli(decoded: Image.Image, original: Image.Image) -> float:
    """The 3-norm of libjxl's butteraugli, for its usual 80 nits."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("original.png", "decoded.png")]
        for image, path in zip((original, decoded), paths, strict=True):
            image.save(path, compress_level=1)
        said = subprocess.run(["butteraugli_main", *paths, "--pnorm", "3"], check=True, capture_output=True, text=True)
    found = re.search(r"3-norm: ([\d.]+)", said.stdout)
    assert found, said.stdout
    return float(found[1])


def print_row(target: int, pairs: list[Pair]) -> None:
    ours, theirs = [pair.of_aez for pair in pairs], [pair.of_avif for pair in pairs]
    share = sum(verdict.bytes for verdict in ours) / sum(verdict.bytes for verdict in theirs)
    cells = [f"{share:.3f}"]
    for judge, digits in (("ssimulacra2", 1), ("butteraugli", 3), ("cvvdp", 3)):
        mine, its = ([getattr(verdict, judge) for verdict in verdicts] for verdicts in (ours, theirs))
        smaller, larger = np.less(mine, its).sum(), np.greater(mine, its).sum()
        better = smaller if judge == "butteraugli" else larger
        cells += [f"{np.mean(mine):.{digits}f} / {np.mean(its):.{digits}f}", f"{better}"]
    print(f"| {target} | {' | '.join(cells)} |", flush=True)


def blockiness(decoded: Image.Image, original: Image.Image) -> float:
    """Mean gradient across grid lines over that beside them, where the original's stays below `SMOOTH` around."""
    on_lines, beside = [], []
    for shown, true in zip(gradients(decoded), gradients(original), strict=True):
        smooth = maximum_filter(true, NEIGHBOURHOOD) < SMOOTH
        place = np.broadcast_to(np.arange(shown.shape[1]) % GRID, shown.shape)
        on_lines.append(shown[smooth & (place == GRID - 1)])
        beside.append(shown[smooth & np.isin(place, (GRID - 4, GRID - 3, 1, 2))])
    return float(np.concatenate(on_lines).mean() / np.concatenate(beside).mean())


def gradients(image: Image.Image) -> Iterator[Samples]:
    """Absolute differences of neighbours, across columns and across rows, the latter transposed."""
    gray = np.asarray(image.convert("RGB"), np.float32).mean(2)
    for plane in (gray, gray.T):
        yield np.abs(np.diff(plane))


def sheet(pairs: list[Pair]) -> Image.Image:
    """Crops below each other, the original at the left, .aez in the middle, AVIF at the right."""
    rows = [(pair, place) for pair in pairs for place in places(pair.original)]
    side = CROP * ENLARGED
    page = Image.new("RGB", (3 * (side + GAP), len(rows) * (side + GAP)), "white")
    for row, (pair, (left, top)) in enumerate(rows):
        for column, image in enumerate((pair.original, pair.aez, pair.avif)):
            crop = image.crop((left, top, left + CROP, top + CROP))
            enlarged = crop.resize((side, side), Image.Resampling.NEAREST)
            page.paste(enlarged, (column * (side + GAP), row * (side + GAP)))
    return page


def places(image: Image.Image) -> list[tuple[int, int]]:
    """Corners of the smoothest crop, of the middling one and of the busiest one."""
    gray = np.asarray(image.convert("L"), np.float32)
    corners = [
        (left, top)
        for top in range(0, image.height - CROP + 1, CROP // 2)
        for left in range(0, image.width - CROP + 1, CROP // 2)
    ]
    busy = {
        (left, top): float(np.abs(np.diff(gray[top : top + CROP, left : left + CROP])).mean()) for left, top in corners
    }
    ordered = sorted(corners, key=lambda corner: busy[corner])
    return [ordered[0], ordered[len(ordered) // 2], ordered[-1]]


if __name__ == "__main__":
    main()
