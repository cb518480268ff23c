"""Medium from high's code: why a network between two autoencoders struggles, and what mends it.

python examples/autoencoders/translation.py --pictures DIR
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import matplotlib.pyplot as plt
import torch
from agreement import Agreement
from between import Convolutions, perceptron
from data import crops
from matplotlib.figure import Figure
from networks import Convolutional
from one_file import SIDE as SIDE_OF_FILE
from one_file import one_file
from rate import codes, pictures_of, psnr
from report import Report, show, with_photographs
from torch import Tensor, nn
from torch.nn import functional as F
from training import seeded, train
from wrapped import Mixed, Normalised, WithDistribution, Wrapped

SIDE = 64
"""Of high; medium has half of it."""
WIDTH = 32
ROUNDS = 8
TARGET = 0.5
"""Decibels below medium's own autoencoder that would be good enough."""


Network = Convolutional | Wrapped


@dataclass(frozen=True)
class Pair:
    """The same pictures in both resolutions."""

    high: Tensor
    medium: Tensor

    @classmethod
    def of(cls, high: Tensor) -> "Pair":
        """Medium is the mean of 2 x 2 pixels."""
        return cls(high, F.avg_pool2d(high, 2))


@dataclass(frozen=True)
class Data:
    """To train and to test with, and how long."""

    training: Pair
    test: Pair
    steps: int


@dataclass(frozen=True)
class Two:
    """Two autoencoders that know nothing of each other."""

    high: Network
    medium: Network

    def trained(self, data: Data) -> "Two":
        """Each on its pictures."""
        fit(self.high, data.training.high, data.steps)
        fit(self.medium, data.training.medium, data.steps)
        return self


def fit(network: Network, pictures: Tensor, steps: int) -> None:
    """An autoencoder by itself; each step sees as many pixels, whatever their size."""
    train(network.parameters(), pictures, network.loss, steps, 64 * 32 * 32 // pictures[0, 0].numel())


@dataclass(frozen=True)
class Row:
    """Medium as it comes out of high's code, and as its own autoencoder has it; PSNR in dB.

    `explained`: share of the variance of medium's code that the network between gets right, in training and test.
    """

    name: str
    psnr: float
    direct: float
    pictures: Tensor
    explained: tuple[float, float] | None = None

    @property
    def shares(self) -> list[str]:
        """What is explained, as the table shows it."""
        return [f"{share:.0%}" for share in self.explained] if self.explained else ["-", "-"]

    def cells(self) -> list[str]:
        """Of the table."""
        return [self.name, *self.shares, f"{self.psnr:.1f}", f"{self.direct:.1f}", f"{self.psnr - self.direct:+.1f}"]


Between = Callable[[Tensor, Tensor], nn.Module]
"""Makes a network from one code to another, for codes of these shapes."""


@dataclass(frozen=True)
class Translation:
    """A network between the codes of two autoencoders, and all codes that it is trained and tested with."""

    two: Two
    source: Tensor
    target: Tensor
    network: nn.Module

    @classmethod
    def begun(cls, data: Data, two: Two, between: Between) -> "Translation":
        """Not trained yet."""
        source, target = codes(two.high, data.training.high), codes(two.medium, data.training.medium)
        return cls(two, source, target, between(source, target))

    def train(self, parameters: Iterable[nn.Parameter], loss: Callable[[Tensor], Tensor], steps: int) -> None:
        """The loss is given numbers of pictures, as code, code and picture belong together."""
        train(list(parameters), torch.arange(len(self.source)), loss, steps)

    def by_code(self, steps: int) -> None:
        """Medium's code is what is wanted."""
        network, source, target = self.network, self.source, self.target
        self.train(network.parameters(), lambda i: F.mse_loss(network(source[i]), target[i]), steps)

    def by_picture(self, parameters: Iterable[nn.Parameter], medium: Tensor, steps: int) -> None:
        """What medium's decoder makes of it is to be the picture."""
        network, source, decode = self.network, self.source, self.two.medium.decode
        self.train(parameters, lambda i: F.mse_loss(decode(network(source[i])), medium[i]), steps)

    @torch.no_grad()
    def row(self, name: str, data: Data, direct: float | None = None) -> Row:
        """How good it is."""
        test, medium = data.test, self.two.medium
        found, wanted = self.network(codes(self.two.high, test.high)), codes(medium, test.medium)
        pictures = pictures_of(medium, found)
        shares = explained(self.network(self.source), self.target), explained(found, wanted)
        by_itself = psnr(pictures_of(medium, wanted), test.medium) if direct is None else direct
        return Row(name, psnr(pictures, test.medium), by_itself, pictures, shares)


@torch.no_grad()
def explained(found: Tensor, wanted: Tensor) -> float:
    """Share of the variance of codes that others get right; below zero: their mean would be better."""
    return 1 - (F.mse_loss(found, wanted) / (wanted - wanted.mean(0)).square().mean()).item()


def translated(name: str, data: Data, two: Two, between: Between = perceptron, train_it: bool = True) -> Row:
    """The blog's way: three networks, one after the other."""
    translation = Translation.begun(data, two, between)
    if train_it:
        translation.by_code(2 * data.steps)
    return translation.row(name, data)


def normalised(data: Data) -> Row:
    """Its first attempt."""
    training = data.training
    high, medium = Normalised(training.high), Normalised(training.medium)
    two = Two(high, medium).trained(data)
    high.standardise(training.high)
    medium.standardise(training.medium)
    return translated("1. data and codes standardised", data, two)


def fine_tuned(data: Data, two: Two, direct: float) -> Row:
    """Then medium's decoder gets used to codes as they come."""
    translation = Translation.begun(data, copy.deepcopy(two), perceptron)
    translation.by_code(2 * data.steps)
    translation.by_picture(decoding(translation.two.medium), data.training.medium, data.steps)
    return translation.row("4. medium's decoder fine-tuned", data, direct)


def decoding(network: Network) -> list[nn.Parameter]:
    """The parameters of the way back."""
    return (network.inner if isinstance(network, Wrapped) else network).decoding()


def alternating(data: Data) -> Row:
    """Autoencoders and the network between them in turn; it follows codes that move."""
    two = begun(data)
    network: nn.Module | None = None
    for _ in range(ROUNDS):
        two.trained(replace(data, steps=data.steps // ROUNDS))
        translation = Translation.begun(data, two, perceptron)
        if network:
            translation = replace(translation, network=network)
        network = translation.network
        translation.by_code(2 * data.steps // ROUNDS)
    return translation.row("5. alternating training", data)


def decoder_from_start(data: Data, two: Two, direct: float, name: str, between: Between) -> Row:
    """High's code is given, and medium's decoder, which begins as the KLT's, learns what to make of it."""
    translation = Translation.begun(data, Two(two.high, begun(data).medium), between)
    parameters = [*translation.network.parameters(), *decoding(translation.two.medium)]
    translation.by_picture(parameters, data.training.medium, 2 * data.steps)
    return replace(translation.row(name, data, direct), explained=None)


def distilled(data: Data, two: Two) -> Row:
    """Convolutions, judged by what medium's decoder, which stays as it is, makes of their code."""
    translation = Translation.begun(data, two, Convolutions)
    translation.by_picture(translation.network.parameters(), data.training.medium, 2 * data.steps)
    return translation.row("convolutions, distilled through medium's decoder", data)


def shared(data: Data, direct: float) -> tuple[Row, float]:
    """One code from the start: one encoder, a decoder for each resolution. Also the PSNR of high."""
    two = begun(data)
    high, medium = two.high, two.medium
    between = Translation.begun(data, two, Convolutions).network

    def loss(pictures: Tensor) -> Tensor:
        code = high.encode(pictures)
        of_medium = F.mse_loss(medium.decode(between(code)), F.avg_pool2d(pictures, 2))
        return F.mse_loss(high.decode(code), pictures) + of_medium

    parameters = [*high.parameters(), *decoding(medium), *between.parameters()]
    train(parameters, data.training.high, loss, data.steps, 16)
    code = codes(high, data.test.high)
    with torch.no_grad():
        pictures = pictures_of(medium, between(code))
    row = Row("one code, trained jointly for both", psnr(pictures, data.test.medium), direct, pictures)
    return row, psnr(pictures_of(high, code), data.test.high)


def begun(data: Data, width: int = WIDTH, klt: bool = True) -> Two:
    """Two autoencoders before training."""
    return Two(*(Convolutional(pictures, width, klt=klt) for pictures in (data.training.high, data.training.medium)))


def agreements(data: Data, random: Two, again: Network, klt: Two) -> list[Agreement]:
    """Of two mediums, and of high and medium, whose code is at every second place."""
    medium, high = codes(random.medium, data.test.medium), codes(random.high, data.test.high)
    klt_medium, klt_high = codes(klt.medium, data.test.medium), codes(klt.high, data.test.high)
    return [
        Agreement.of("medium, and medium trained again from another seed", codes(again, data.test.medium), medium),
        Agreement.of("high (mean of four places) and medium", F.avg_pool2d(high, 2), medium),
        Agreement.of("the same, both begun as the KLT", F.avg_pool2d(klt_high, 2), klt_medium),
    ]


def main() -> None:
    given = with_photographs(__doc__, SIDE_OF_FILE)
    steps, count = (ROUNDS, 60) if given.quick else (400, 3000)
    seeded()
    high, to_test = crops(given.training, SIDE, count, seed=1), crops(given.test, SIDE, max(count // 10, 30), seed=2)
    data = Data(Pair.of(high), Pair.of(to_test), steps)
    medium = data.training.medium
    small = Data(Pair.of(medium), Pair.of(data.test.medium), steps)

    two, random = begun(data).trained(data), begun(data, klt=False).trained(data)
    rows = [translated("the blog's design", data, two)]
    direct = rows[0].direct
    mixed = Two(Mixed(Convolutional(high), SIDE), Mixed(Convolutional(medium), SIDE // 2))
    variational = Two(WithDistribution(Convolutional(high)), WithDistribution(Convolutional(medium)))
    joint, joint_high = shared(data, direct)
    rows += [
        normalised(data),
        translated("2. larger convolutional networks", data, begun(data, 2 * WIDTH).trained(data)),
        translated("3. a fully connected layer in the middle", data, mixed.trained(data)),
        fine_tuned(data, two, direct),
        alternating(data),
        decoder_from_start(data, two, direct, "6. medium's decoder on high's code from the start", perceptron),
        translated("smaller pictures, 32 and 16", small, begun(small).trained(small)),
        translated("variational", data, variational.trained(data)),
        translated("autoencoders that are bad: begun with random weights", data, random),
        translated("the best linear map of 4 x 4 places", data, two, Convolutions, train_it=False),
        translated("convolutions", data, two, Convolutions),
        distilled(data, two),
        decoder_from_start(data, two, direct, "convolutions, and a decoder of their own", Convolutions),
        joint,
    ]
    report = Report("translation")
    shares = "code explained, training", "test"
    heads = ["between the codes", *shares, "medium from high's code, dB", "from its own, dB", "difference"]
    report.table("rows", heads, [row.cells() for row in rows])
    again = begun(data, klt=False).medium
    fit(again, medium, steps)
    found = agreements(data, random, again, two)
    heads = ["explained", "as they are", "turned and scaled", "by a linear map", "canonical correlation"]
    report.table("agreements", heads, [one.cells() for one in found])
    stored = one_file(given.test[: 2 if given.quick else 8])
    variance = (data.test.medium - data.test.medium.mean(0)).square().mean().item()
    separate_high = psnr(pictures_of(two.high, codes(two.high, data.test.high)), data.test.high)
    report.values.update(
        high_alone=f"{separate_high:.1f}",
        high_joint=f"{joint_high:.1f}",
        share=f"{stored.front / stored.whole:.0%}",
        saved=f"{1 - stored.whole / (stored.whole + stored.alone):.0%}",
        extra=f"{stored.front / stored.alone - 1:+.0%}",
        count=f"{stored.count}",
        lost=f"{10 ** (-direct / 10) / variance:.1%}",
        times=f"{10 ** ((direct - rows[0].psnr) / 10):.1f}",
        below=f"{direct - rows[0].psnr:.1f}",
        direct=f"{direct:.1f}",
        training=rows[0].shares[0],
        test=rows[0].shares[1],
    )
    report.write(given.out, figure_of(rows, data.test.medium))


def figure_of(rows: list[Row], medium: Tensor) -> Figure:
    """How far each is from what medium's own autoencoder does, and what that looks like."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(16, 13), width_ratios=(1, 1.1), layout="constrained")
    below = [row.psnr - row.direct for row in rows]
    colors = ["tab:green" if one > -TARGET else "tab:red" for one in below]
    bars = left.barh([row.name for row in rows], below, color=colors)
    left.bar_label(bars, [f" {one:+.1f} " for one in below])
    left.axvline(-TARGET, color="gray", ls="--")
    left.margins(x=0.1)
    left.invert_yaxis()
    left.set(xlabel="dB beside medium's own autoencoder", title="Medium from high's code")
    shown = {"medium": medium} | {row.name: row.pictures for row in rows if row.pictures.shape == medium.shape}
    show(right, {name: pictures[:8] for name, pictures in shown.items()})
    right.set_title("Medium, and what comes out (where it has the same size)")
    return figure


if __name__ == "__main__":
    main()
