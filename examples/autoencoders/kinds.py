"""Fully connected, convolutional, variational: three kinds of autoencoders on photographs of five sizes.

python examples/autoencoders/kinds.py --pictures DIR
"""

import copy
import io
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import matplotlib.pyplot as plt
import numpy as np
import torch
from data import crops
from matplotlib.figure import Figure
from matplotlib.typing import HashableList
from networks import CHANNELS, STRIDE, Convolutional, Corrected, FullyConnected, Variational
from PIL import Image
from rate import Autoencoder, Scaled, best_step, coded, curve, for_rate, like, psnr, psnr_at_each
from report import Report, show, with_photographs
from torch import Tensor, nn
from torch.nn import functional as F
from training import seeded, train

from aez.metrics.rate_distortion import Point, rising

LARGER = 172, 344
"""Only for the convolutional kind, with what it has learned from the largest crops."""
CODES = {32: (256, 2, 1), 43: (192, 6, 1), 86: (256, 1, 1)}
"""Fully connected codes: as many numbers as the convolutional kind has, but at 86, where that is too much to train."""
ACROSS = {32: 20, 43: 15, 86: 9, 172: 6, 344: 4}
"""Pictures to test with, a square of so many."""
FULLY, CONVOLUTIONAL, VARIATIONAL = "fully connected", "convolutional", "variational"
COLOURS = {FULLY: "tab:blue", VARIATIONAL: "tab:orange", CONVOLUTIONAL: "tab:green"}
SHOWN_BPP = 0.3
WEIGHTS = (1000.0, 200.0, 40.0)
"""Of the squared error against bits."""
STEPS_OF_CODE = 0.125, 0.25, 0.5, 1.0, 2.0
"""How coarsely the means of the variational kind may be rounded."""
BPP = 0.13, 0.3, 0.6, 0.9
JPEG_QUALITIES = (1, 5, 10, 20, 30, 50, 70, 85)
PIXELS_A_STEP = 64 * 32 * 32
T = TypeVar("T")


@dataclass(frozen=True)
class Jpeg:
    """JPEG with colours at a subsampling of Pillow's; pictures are padded to whole blocks."""

    name: str
    subsampling: int
    block: int


JPEGS = Jpeg("JPEG 4:2:0", 2, 16), Jpeg("JPEG 4:4:4", 0, 8)


def by_rate(network: Corrected, training: Tensor, steps: int) -> list[Autoencoder]:
    """Trained for squared error, and from there for rate and distortion at each weight."""
    batch = batch_of(training)
    train(network.parameters(), training, network.loss, steps, batch)
    return [for_rate(network, best_step(weight), training, steps, weight, batch) for weight in WEIGHTS]


def by_divergence(start: Variational, training: Tensor, steps: int) -> list[Variational]:
    """Trained for the evidence lower bound, the divergence in place of the rate, and from there at each weight."""

    def train_on(network: Variational, weight: float) -> Variational:
        def loss(x: Tensor) -> Tensor:
            code, bits = network.sampled(x)
            return bits + weight * F.mse_loss(like(network.decode(code), x), x)

        train(network.parameters(), training, loss, steps, batch_of(training))
        return network

    train_on(start, max(WEIGHTS))
    return [train_on(copy.deepcopy(start), weight) for weight in WEIGHTS]


@dataclass(frozen=True)
class Rounded:
    """A variational network that was trained at a weight, its means rounded to multiples of a step."""

    network: Variational
    weight: float
    step: float

    @property
    def model(self) -> Scaled:
        """As the others are coded."""
        return Scaled(self.network, CHANNELS, 1 / self.step)


def rounded(networks: Sequence[Variational], training: Tensor) -> list[Rounded]:
    """For each weight the network and the step that are best for pictures of training."""
    tried = [Rounded(*both, step) for both in zip(networks, WEIGHTS, strict=True) for step in STEPS_OF_CODE]
    points = curve([coded(one.model, 1.0, training[100:1000], training[:100]) for one in tried])

    def best(weight: float) -> Rounded:
        costs = [point.bpp + weight * 10 ** (-point.fidelity / 10) for point in points]
        return tried[int(np.argmin(costs))]

    return [best(weight) for weight in WEIGHTS]


def batch_of(pictures: Tensor) -> int:
    """So many that every step sees as many pixels."""
    return PIXELS_A_STEP // pictures[0, 0].numel()


def sheet_by_jpeg(jpeg: Jpeg, test: Tensor) -> list[Point]:
    """All pictures on one sheet, so that there is one header; edges are repeated to whole blocks, as in any JPEG."""
    side, across = test.shape[-1], math.isqrt(len(test))
    whole = side + -side % jpeg.block
    padded = F.pad(test, (0, whole - side, 0, whole - side), "replicate")
    sheet = padded.reshape(across, across, 3, whole, whole).permute(0, 3, 1, 4, 2).reshape(across * whole, -1, 3)
    samples = (255 * sheet).round().byte().numpy()
    points = []
    for quality in JPEG_QUALITIES:
        file = io.BytesIO()
        Image.fromarray(samples).save(file, "JPEG", quality=quality, optimize=True, subsampling=jpeg.subsampling)
        decoded = torch.from_numpy(np.array(Image.open(file))).reshape(across, whole, across, whole, 3)
        pictures = like(decoded.permute(0, 2, 4, 1, 3).flatten(0, 1), test) / 255
        points.append(Point(quality, 8 * file.tell() / pictures[:, 0].numel(), psnr(pictures, test)))
    return points


def parameters(network: nn.Module) -> str:
    """How many numbers it has learned."""
    return f"{sum(p.numel() for p in network.parameters()):,}"


def fully_connected_parameters(side: int) -> str:
    """With as many numbers in its code as the convolutional kind, at a side that is too large to train it."""
    with torch.device("meta"):
        across = math.ceil(side / STRIDE)
        return parameters(FullyConnected(torch.empty(1, 3, side, side), (CHANNELS, across, across)))


def rates_and_psnr(points: list[Point]) -> tuple[list[float], list[float]]:
    """A curve of what no other point beats."""
    best = rising(points)
    return [point.bpp for point in best], [point.fidelity for point in best]


@dataclass(frozen=True)
class Result:
    """A kind at a size: what it cost, its curve, and what it makes of pictures at about SHOWN_BPP."""

    kind: str
    parameters: str
    seconds: str
    curve: list[Point]
    bpp: float
    pictures: Tensor
    rounded: Sequence[Rounded]

    @classmethod
    def of(
        cls,
        kind: str,
        network: nn.Module,
        seconds: str,
        models: Sequence[Autoencoder],
        training: Tensor,
        test: Tensor,
        rounded: Sequence[Rounded] = (),
    ) -> "Result":
        """From real bytes of what a network was trained to be at each weight."""
        found = [coded(model, 1.0, training, test) for model in models]
        points = curve(found)
        shown = min(zip(points, found, strict=True), key=lambda both: abs(both[0].bpp - SHOWN_BPP))
        return cls(kind, parameters(network), seconds, points, shown[0].bpp, shown[1].pictures, rounded)

    @property
    def side(self) -> int:
        """In pixels."""
        return self.pictures.shape[-1]

    def row(self) -> list[str]:
        """Of the table."""
        return [f"{self.side}", self.kind, self.parameters, self.seconds, *psnr_at_each(self.curve, BPP)]


def results(training: Tensor, tests: Sequence[Tensor], steps: int) -> Iterator[Result]:
    """All kinds, trained at one size; the convolutional one also tested at the others."""
    fully = FullyConnected(training, CODES[training.shape[-1]])
    models, seconds = timed(lambda: by_rate(fully, training, steps))
    yield Result.of(FULLY, fully, seconds, models, training, tests[0])
    variational = Variational(training)
    networks, seconds = timed(lambda: by_divergence(variational, training, steps))
    chosen = rounded(networks, training)
    models = [one.model for one in chosen]
    yield Result.of(VARIATIONAL, variational, seconds, models, training, tests[0], chosen)
    convolutional = Convolutional(training)
    models, seconds = timed(lambda: by_rate(convolutional, training, steps))
    for test in tests:
        yield Result.of(CONVOLUTIONAL, convolutional, seconds, models, training, test)
        seconds = "-"


def timed(training: Callable[[], T]) -> tuple[T, str]:
    """What it leaves, and its seconds of processor time."""
    started = time.process_time()
    trained = training()
    return trained, f"{time.process_time() - started:.0f}"


def main() -> None:
    given = with_photographs(__doc__, max(LARGER))
    steps = 2 if given.quick else 250
    cut = partial(crops, largest=max(LARGER))
    tests = {side: cut(given.test, side, 16 if given.quick else across**2, seed=2) for side, across in ACROSS.items()}
    seeded()
    found: list[Result] = []
    for side, code in CODES.items():
        count = math.prod(code) if given.quick else 3000
        sides = [side, *(LARGER if side == max(CODES) else ())]
        for result in results(cut(given.training, side, count, seed=1), [tests[side] for side in sides], steps):
            print(*result.row(), flush=True)
            found.append(result)
    report = Report("kinds")
    by_jpeg = {(side, jpeg.name): sheet_by_jpeg(jpeg, test) for side, test in tests.items() for jpeg in JPEGS}
    rows = [result.row() for result in found] + [
        [f"{side}", name, "", "", *psnr_at_each(points, BPP)] for (side, name), points in by_jpeg.items()
    ]
    heads = ["side", "kind", "parameters", "seconds", *(f"dB at {rate} bpp" for rate in BPP)]
    report.table("kinds", heads, sorted(rows, key=lambda row: int(row[0])))
    heads = ["side", *(f"best at {weight:.0f}" for weight in WEIGHTS)]
    report.table(
        "rounded",
        heads,
        [
            [f"{result.side}", *(f"trained at {one.weight:.0f}, step {one.step}" for one in result.rounded)]
            for result in found
            if result.kind == VARIATIONAL
        ],
    )
    report.values.update({f"fully_{side}": fully_connected_parameters(side) for side in (max(CODES), *LARGER)})
    report.values["convolutional"] = parameters(Convolutional(tests[max(CODES)]))
    report.write(given.out, figure_of(found, by_jpeg, tests))


def figure_of(found: list[Result], by_jpeg: dict[tuple[int, str], list[Point]], tests: dict[int, Tensor]) -> Figure:
    """Curves at each size, and pictures of the largest size at which there are all kinds."""
    layout: list[HashableList[str]] = [[f"{side}" for side in tests], ["pictures"] * len(tests)]
    figure, axes = plt.subplot_mosaic(layout, figsize=(18, 10), height_ratios=(1, 1.3), layout="constrained")
    for side in tests:
        axis = axes[f"{side}"]
        for result in found:
            if result.side == side:
                axis.plot(*rates_and_psnr(result.curve), marker=".", label=result.kind, color=COLOURS[result.kind])
        for jpeg, line in zip(JPEGS, ("--", ":"), strict=True):
            axis.plot(*rates_and_psnr(by_jpeg[side, jpeg.name]), line, label=jpeg.name, color="gray")
        axis.set(xscale="log", xlabel="bits a pixel", title=f"{side} x {side}")
        axis.set_xticks([0.1, 0.2, 0.5, 1, 2], ["0.1", "0.2", "0.5", "1", "2"])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    axes[f"{min(tests)}"].set_ylabel("PSNR in dB")
    side = max(CODES)
    rows = {"original": tests[side]} | {
        f"{result.kind}\n{result.bpp:.2f} bits a pixel": result.pictures for result in found if result.side == side
    }
    show(axes["pictures"], {name: pictures[:12] for name, pictures in rows.items()})
    axes["pictures"].set_title(f"{side} x {side}, at what is nearest to {SHOWN_BPP} bits a pixel")
    return figure


if __name__ == "__main__":
    main()
