"""Is the rate of a picture under the model a sign that something is wrong with it?

python examples/autoencoders/anomalies.py --pictures DIR
"""

from collections.abc import Callable

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
QUALITIES = 30, 90
Picture = NDArray[np.uint8]
Fault = Callable[[Picture, np.random.Generator], Picture]


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
    return np.clip(picture + random.normal(0, 4, (SIDE, 1, 1)), 0, 255).astype(np.uint8)


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
    return np.clip(picture + random.normal(0, 8, picture.shape), 0, 255).astype(np.uint8)


def out_of_focus(picture: Picture, random: np.random.Generator) -> Picture:
    """Blurred by three pixels."""
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(3)))


FAULTS: tuple[Fault, ...] = (dead_columns, hot_pixels, banding, shifted_lines, lost_end, noise, out_of_focus)


def rates(picture: Picture) -> tuple[float, float]:
    """Bits a pixel of the networks' part of a file at a low and at a high quality."""
    low, high = (aez.info(aez.encode(Image.fromarray(picture), quality, exact="never")).bpp for quality in QUALITIES)
    return low, high


def scores(found: NDArray[np.float64], usual: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """By how much something may be wrong, of rates [N, 2], and of those of good pictures."""
    low, high = found.T
    ratio = high / low
    typical = np.median(usual[:, 1] / usual[:, 0])
    return {
        "bits at 90": high,
        "bits at 90 to those at 30": ratio,
        "how unusual that is": np.abs(np.log(ratio / typical)),
    }


def main() -> None:
    given = with_photographs(__doc__, SIDE)
    count = 4 if given.quick else 100
    good = (255 * crops(given.test, SIDE, count, seed=1)).byte().permute(0, 2, 3, 1).numpy()
    random = np.random.default_rng(2)
    with_fault = {fault: np.stack([fault(picture.copy(), random) for picture in good]) for fault in FAULTS}
    usual = np.array([rates(picture) for picture in good])
    of_good = scores(usual, usual)
    report = Report("anomalies")
    rows = []
    for fault, pictures in with_fault.items():
        of_fault = scores(np.array([rates(picture) for picture in pictures]), usual)
        labels = np.repeat([0, 1], count)
        found = [roc_auc_score(labels, np.concatenate([of_good[name], of_fault[name]])) for name in of_good]
        rows.append([fault.__name__.replace("_", " "), *(f"{area:.2f}" for area in found)])
    report.table("auroc", ["fault", *of_good], rows)
    report.values["count"] = str(count)
    report.write(given.out, figure_of(good, with_fault))


def figure_of(good: Picture, with_fault: dict[Fault, Picture]) -> Figure:
    """One picture with each fault."""
    figure, axes = plt.subplots(1, 1 + len(with_fault), figsize=(14, 2.2))
    shown = {"good": good, **{fault.__name__.replace("_", " "): found for fault, found in with_fault.items()}}
    for axis, (name, pictures) in zip(axes, shown.items(), strict=True):
        axis.imshow(pictures[1])
        axis.set_title(name, fontsize=9)
        axis.axis("off")
    return figure


if __name__ == "__main__":
    main()
