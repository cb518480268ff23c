"""Fully connected, convolutional, variational: three kinds of autoencoders on photographs of five sizes.

python examples/autoencoders/kinds.py --pictures DIR
"""

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import torch
from data import crops
from matplotlib.figure import Figure
from matplotlib.typing import HashableList
from networks import Convolutional, Corrected, FullyConnected, Variational
from PIL import Image
from rate import Coded, best_step, coded, curve, for_rate, like, psnr
from report import Report, show, with_photographs
from torch import Tensor, nn
from torch.nn import functional as F
from training import seeded, train

from aez.metrics.rate_distortion import Point, rising

SIDES = 32, 43, 86
LARGER = 172, 344
"""Only for the convolutional kind, with what it has learned from the largest crops."""
FULLY, CONVOLUTIONAL, VARIATIONAL = "fully connected", "convolutional", "variational"
SHOWN_BPP = 0.3
WEIGHTS = (1000.0, 200.0, 40.0)
"""Of the squared error against bits."""
STEPS_OF_CODE = 0.125, 0.25, 0.5, 1.0
"""How coarsely the means of the variational kind are rounded."""
BPP = 0.13, 0.3, 0.6, 0.9
JPEG_BLOCK = 16
JPEG_QUALITIES = (1, 5, 10, 20, 30, 50, 70, 85)
PIXELS_A_STEP = 64 * 32 * 32


def by_rate(network: Corrected, training: Tensor, tests: Sequence[Tensor], steps: int) -> list[list[Coded]]:
    """Trained for squared error, then for rate and distortion at each weight; real bytes of each set of pictures."""
    batch = batch_of(training)
    train(network.parameters(), training, network.loss, steps, batch)
    models = [for_rate(network, best_step(weight), training, steps, weight, batch) for weight in WEIGHTS]
    return [[coded(model, 1.0, training, test) for model in models] for test in tests]


def by_divergence(network: Variational, training: Tensor, test: Tensor, steps: int) -> list[Coded]:
    """Trained for the evidence lower bound, the divergence in place of the rate; then its means are rounded."""

    def loss(x: Tensor, weight: float) -> Tensor:
        code, bits = network.sampled(x)
        return bits + weight * F.mse_loss(like(network.decode(code), x), x)

    found = []
    for weight in WEIGHTS:
        train(network.parameters(), training, partial(loss, weight=weight), steps, batch_of(training))
        found += [coded(network, step, training, test) for step in STEPS_OF_CODE]
    return found


def batch_of(pictures: Tensor) -> int:
    """So many that every step sees as many pixels."""
    return PIXELS_A_STEP // pictures[0, 0].numel()


def by_jpeg(test: Tensor) -> list[Point]:
    """All pictures on one sheet, so that there is one header; edges are repeated to whole blocks, as in any JPEG."""
    side, across = test.shape[-1], int(len(test) ** 0.5)
    whole = side + -side % JPEG_BLOCK
    padded = F.pad(test[: across**2], (0, whole - side, 0, whole - side), "replicate")
    sheet = padded.reshape(across, across, 3, whole, whole).permute(0, 3, 1, 4, 2).reshape(across * whole, -1, 3)
    samples = (255 * sheet).round().byte().numpy()
    points = []
    for quality in JPEG_QUALITIES:
        file = io.BytesIO()
        Image.fromarray(samples).save(file, "JPEG", quality=quality, optimize=True)
        decoded = torch.from_numpy(np.array(Image.open(file))).reshape(across, whole, across, whole, 3)
        pictures = decoded.permute(0, 2, 4, 1, 3).flatten(0, 1)[..., :side, :side] / 255
        points.append(Point(quality, 8 * file.tell() / pictures[:, 0].numel(), psnr(pictures, test[: across**2])))
    return points


def parameters(network: nn.Module) -> str:
    """How many numbers it has learned."""
    return f"{sum(p.numel() for p in network.parameters()):,}"


def fully_connected_parameters(side: int) -> str:
    """At a side that is too large to train it."""
    with torch.device("meta"):
        return parameters(FullyConnected(torch.empty(1, 3, side, side)))


def at_rates(points: list[Point]) -> list[str]:
    """PSNR at each rate of the table."""
    rates, found = rates_and_psnr(points)
    return [f"{np.interp(rate, rates, found):.1f}" if rates[0] <= rate <= rates[-1] else "-" for rate in BPP]


def rates_and_psnr(points: list[Point]) -> tuple[list[float], list[float]]:
    """A curve of what no other point beats."""
    best = rising(points)
    return [point.bpp for point in best], [point.fidelity for point in best]


@dataclass(frozen=True)
class Result:
    """A kind at a size: what it cost, its curve, and what it makes of pictures at about SHOWN_BPP."""

    kind: str
    side: int
    parameters: str
    seconds: str
    curve: list[Point]
    pictures: Tensor

    @classmethod
    def of(cls, kind: str, network: nn.Module, seconds: str, found: list[Coded]) -> "Result":
        """From real bytes."""
        points = curve(found)
        pictures = min(zip(points, found, strict=True), key=lambda both: abs(both[0].bpp - SHOWN_BPP))[1].pictures
        return cls(kind, pictures.shape[-1], parameters(network), seconds, points, pictures)

    def row(self) -> list[str]:
        """Of the table."""
        return [f"{self.side}", self.kind, self.parameters, self.seconds, *at_rates(self.curve)]


def results(training: Tensor, tests: Sequence[Tensor], steps: int) -> Iterator[Result]:
    """All kinds, trained at one size; the convolutional one also tested at the others."""
    test = tests[0]
    clock = Clock()
    fully = FullyConnected(training)
    ((found),) = by_rate(fully, training, [test], steps)
    yield Result.of(FULLY, fully, clock.seconds(), found)
    variational = Variational(training)
    found = by_divergence(variational, training, test, steps)
    yield Result.of(VARIATIONAL, variational, clock.seconds(), found)
    convolutional = Convolutional(training)
    of_each = by_rate(convolutional, training, tests, steps)
    seconds = [clock.seconds(), *["-"] * (len(tests) - 1)]
    for found, spent in zip(of_each, seconds, strict=True):
        yield Result.of(CONVOLUTIONAL, convolutional, spent, found)


class Clock:
    """How long things took."""

    def __init__(self) -> None:
        self.last = time.perf_counter()

    def seconds(self) -> str:
        """Since the last time that was asked."""
        before, self.last = self.last, time.perf_counter()
        return f"{self.last - before:.0f}"


def main() -> None:
    given = with_photographs(__doc__, max(LARGER))
    steps, count = (2, 260) if given.quick else (300, 3000)
    tests = {
        side: crops(given.test, side, max(6400 // side, 16) if not given.quick else 16, seed=2)
        for side in (*SIDES, *LARGER)
    }
    seeded()
    found: list[Result] = []
    for side in SIDES:
        sides = [side, *(LARGER if side == max(SIDES) else ())]
        for result in results(crops(given.training, side, count, seed=1), [tests[side] for side in sides], steps):
            print(*result.row(), flush=True)
            found.append(result)
    report = Report("kinds")
    jpeg = {side: by_jpeg(pictures) for side, pictures in tests.items()}
    rows = [result.row() for result in found] + [
        [f"{side}", "JPEG", "", "", *at_rates(points)] for side, points in jpeg.items()
    ]
    heads = ["side", "kind", "parameters", "seconds", *(f"dB at {rate} bpp" for rate in BPP)]
    report.table("kinds", heads, sorted(rows, key=lambda row: int(row[0])))
    report.values.update({f"fully_{side}": fully_connected_parameters(side) for side in LARGER})
    report.write(given.out, figure_of(found, jpeg, tests))


def figure_of(found: list[Result], jpeg: dict[int, list[Point]], tests: dict[int, Tensor]) -> Figure:
    """Curves at each size, and pictures of the largest size at which there are all kinds."""
    layout: list[HashableList[str]] = [[f"{side}" for side in SIDES], ["pictures"] * len(SIDES)]
    figure, axes = plt.subplot_mosaic(layout, figsize=(14, 9), height_ratios=(1, 1.1), layout="constrained")
    for side in SIDES:
        axis = axes[f"{side}"]
        for result in found:
            if result.side == side:
                axis.plot(*rates_and_psnr(result.curve), marker=".", label=result.kind)
        axis.plot(*rates_and_psnr(jpeg[side]), "--", label="JPEG")
        axis.set(xscale="log", xlabel="bits a pixel", ylabel="PSNR in dB", title=f"{side} x {side}")
        axis.set_xticks([0.1, 0.2, 0.5, 1, 2], ["0.1", "0.2", "0.5", "1", "2"])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    side = max(SIDES)
    rows = {"original": tests[side]} | {result.kind: result.pictures for result in found if result.side == side}
    axis = axes["pictures"]
    show(axis, {name: pictures[:12] for name, pictures in rows.items()})
    axis.set_title(f"At about {SHOWN_BPP} bits a pixel")
    return figure


if __name__ == "__main__":
    main()
