"""Is the rate of a picture under the model a sign that something is wrong with it?

python examples/autoencoders/anomalies.py --pictures DIR
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from data import crops
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from report import Report, with_photographs
from sklearn.metrics import roc_auc_score

import aez

SIDE = 256
LOW, HIGH = 30, 90
"""Qualities."""
BLOCK = 16
ENLARGED = 64
"""Side of the part that the figure shows from nearby."""
Picture = NDArray[np.uint8]
Fault = Callable[[Picture, np.random.Generator], Picture]


def eight_bits(samples: NDArray[np.float64]) -> Picture:
    """Rounded, and cut off where they are no samples of a picture any more."""
    return np.rint(samples).clip(0, 255).astype(np.uint8)


def dead_columns(picture: Picture, random: np.random.Generator) -> Picture:
    """Three columns of a sensor say the same everywhere."""
    picture[:, random.integers(SIDE, size=3)] = random.integers(256, size=3)[:, None]
    return picture


def hot_pixels(picture: Picture, random: np.random.Generator) -> Picture:
    """One pixel in a thousand is white."""
    picture[random.random((SIDE, SIDE)) < 0.001] = 255
    return picture


def banding(picture: Picture, random: np.random.Generator) -> Picture:
    """Each line is a little brighter or darker than it should be, as scanners and rolling shutters make them."""
    return eight_bits(picture + random.normal(0, 4, (SIDE, 1, 1)))


def shifted_lines(picture: Picture, random: np.random.Generator) -> Picture:
    """A scanner has slipped: from some line on, everything is further right."""
    line = random.integers(SIDE // 4, 3 * SIDE // 4)
    picture[line:] = np.roll(picture[line:], random.integers(8, 64), 1)
    return picture


def lost_end(picture: Picture, random: np.random.Generator) -> Picture:
    """A file was cut short: its last third is gray."""
    picture[2 * SIDE // 3 :] = 128
    return picture


def noise(picture: Picture, random: np.random.Generator) -> Picture:
    """A sensor that is too warm."""
    return eight_bits(picture + random.normal(0, 8, picture.shape))


def out_of_focus(picture: Picture, random: np.random.Generator) -> Picture:
    """Blurred by three pixels."""
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(3)))


FAULTS: tuple[Fault, ...] = (dead_columns, hot_pixels, banding, shifted_lines, lost_end, noise, out_of_focus)


@dataclass(frozen=True)
class Measured:
    """What aez says of a picture: bits a pixel at a low and a high quality, and squared errors at the low one."""

    low: float
    high: float
    error: float
    worst_block: float

    @classmethod
    def of(cls, picture: Picture) -> "Measured":
        """By encoding and decoding it; that some come back badly needs no warning here."""
        with warnings.catch_warnings(action="ignore", category=aez.AezWarning):
            low, high = (aez.encode(Image.fromarray(picture), quality, exact="never") for quality in (LOW, HIGH))
        errors = np.square(np.asarray(aez.decode(low), np.float64) - picture).mean(2)
        blocks = errors.reshape(SIDE // BLOCK, BLOCK, SIDE // BLOCK, BLOCK).mean((1, 3))
        return cls(aez.info(low).bpp, aez.info(high).bpp, errors.mean(), blocks.max())


def scores(found: list[Measured], good: list[Measured]) -> dict[str, list[float]]:
    """By how much something may be wrong with pictures, in several ways; one compares them with good pictures."""
    usual = np.median([one.high / one.low for one in good])
    return {
        f"squared error at {LOW}": [one.error for one in found],
        "its worst block": [one.worst_block for one in found],
        f"bits at {HIGH}": [one.high for one in found],
        f"bits at {HIGH} to those at {LOW}": [one.high / one.low for one in found],
        "how unusual that is": [abs(np.log(one.high / one.low / usual)) for one in found],
    }


def main() -> None:
    given = with_photographs(__doc__, SIDE)
    count = 4 if given.quick else 100
    good = (255 * crops(given.test, SIDE, count, seed=1)).round().byte().permute(0, 2, 3, 1).numpy()
    random = np.random.default_rng(2)
    with_fault = {fault: np.stack([fault(picture.copy(), random) for picture in good]) for fault in FAULTS}
    of_pictures = [Measured.of(picture) for picture in good]
    of_good = scores(of_pictures, of_pictures)
    report = Report("anomalies")
    rows = []
    for fault, pictures in with_fault.items():
        of_fault = scores([Measured.of(picture) for picture in pictures], of_pictures)
        labels = np.repeat([0, 1], count)
        found = [roc_auc_score(labels, of_good[name] + of_fault[name]) for name in of_good]
        rows.append([fault.__name__.replace("_", " "), *(f"{area:.2f}" for area in found)])
    report.table("auroc", ["fault", *of_good], rows)
    report.values["count"] = str(count)
    report.write(given.out, figure_of(good, with_fault))


def figure_of(good: Picture, with_fault: dict[Fault, Picture]) -> Figure:
    """One picture with each fault, and a part of it where every pixel can be seen."""
    shown = {"good": good, **{fault.__name__.replace("_", " "): found for fault, found in with_fault.items()}}
    figure, axes = plt.subplots(2, len(shown), figsize=(2 * len(shown), 4.3), layout="constrained")
    part = slice(SIDE // 2, SIDE // 2 + ENLARGED)
    for (above, below), (name, pictures) in zip(axes.T, shown.items(), strict=True):
        above.imshow(pictures[1])
        below.imshow(pictures[1][part, part], interpolation="nearest")
        above.set_title(name, fontsize=10)
        above.axis("off")
        below.axis("off")
    return figure


if __name__ == "__main__":
    main()
