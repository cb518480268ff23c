"""Medium from high's code: why a network between two autoencoders struggles, and what mends it.

python examples/autoencoders/translation.py --pictures DIR
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import matplotlib.pyplot as plt
import torch
from agreement import Agreement
from data import crops
from matplotlib.figure import Figure
from networks import CHANNELS, Convolutional, sampled
from one_file import SIDE as SIDE_OF_FILE
from one_file import one_file
from rate import codes, pictures_of, psnr
from report import Report, show, with_photographs
from torch import Tensor, nn
from torch.nn import functional as F
from training import seeded, train

SIDE = 64
"""Of high; medium has half of it."""
WIDTH = 32
HIDDEN = 512
ROUNDS = 8
DIVERGENCE = 0.01
"""Weight of the divergence of the variational kind, beside the squared error of a picture."""


class Wrapped(nn.Module):
    """An autoencoder around the convolutional one."""

    def __init__(self, inner: Convolutional) -> None:
        super().__init__()
        self.inner = inner

    def encode(self, pictures: Tensor) -> Tensor:
        """[N, 3, S, S] -> [N, K, S / 8, S / 8]."""
        return self.inner.encode(pictures)

    def decode(self, code: Tensor) -> Tensor:
        """[N, K, S / 8, S / 8] -> [N, 3, S, S]."""
        return self.inner.decode(code)

    def loss(self, pictures: Tensor) -> Tensor:
        """Mean squared error."""
        return F.mse_loss(self.decode(self.encode(pictures)), pictures)


class Mixed(Wrapped):
    """With a fully connected layer in the middle: every number of the code is about the whole picture."""

    def __init__(self, inner: Convolutional, side: int) -> None:
        super().__init__(inner)
        self.shape = (CHANNELS, side // 8, side // 8)
        size = CHANNELS * (side // 8) ** 2
        self.mix, self.unmix = nn.Linear(size, size), nn.Linear(size, size)
        for layer in (self.mix, self.unmix):
            nn.init.eye_(layer.weight)
            nn.init.zeros_(layer.bias)

    def encode(self, pictures: Tensor) -> Tensor:
        """As above."""
        return self.mixed(self.mix, super().encode(pictures))

    def decode(self, code: Tensor) -> Tensor:
        """As above."""
        return super().decode(self.mixed(self.unmix, code))

    def mixed(self, layer: nn.Linear, code: Tensor) -> Tensor:
        """The layer, on all numbers of a code."""
        changed: Tensor = layer(code.flatten(1))
        return changed.reshape(-1, *self.shape)


class Normalised(Wrapped):
    """Samples have mean 0 and deviation 1, and so have, after training, the numbers of the code."""

    def __init__(self, pictures: Tensor) -> None:
        self.mean, self.deviation = pictures.mean(), pictures.std()
        super().__init__(Convolutional((pictures - self.mean) / self.deviation + 0.5))
        self.code_mean, self.code_deviation = torch.zeros(()), torch.ones(())

    def encode(self, pictures: Tensor) -> Tensor:
        """As above."""
        return (super().encode((pictures - self.mean) / self.deviation + 0.5) - self.code_mean) / self.code_deviation

    def decode(self, code: Tensor) -> Tensor:
        """As above."""
        pictures = super().decode(code * self.code_deviation + self.code_mean)
        return (pictures - 0.5) * self.deviation + self.mean

    def standardise(self, pictures: Tensor) -> None:
        """The numbers of the code, by what they are for these pictures."""
        code = codes(self, pictures)
        self.code_mean, self.code_deviation = code.mean(0), code.std(0) + 1e-6


class Variational(Wrapped):
    """Its code is drawn to a normal distribution, which fixes the scale of its coordinates, not their directions."""

    def __init__(self, inner: Convolutional) -> None:
        super().__init__(inner)
        self.log_variance = nn.Parameter(torch.full((CHANNELS, 1, 1), -4.0))

    def loss(self, pictures: Tensor) -> Tensor:
        """The evidence lower bound; one variance for each channel."""
        code, nats = sampled(self.encode(pictures), self.log_variance)
        error = (self.decode(code) - pictures).square().sum()
        return (error + DIVERGENCE * nats) / pictures.numel()


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

    def cells(self) -> list[str]:
        """Of the table."""
        shares = [f"{share:.0%}" for share in self.explained] if self.explained else ["-", "-"]
        return [self.name, *shares, f"{self.psnr:.1f}", f"{self.direct:.1f}", f"{self.psnr - self.direct:+.1f}"]


def perceptron(source: Tensor, target: Tensor) -> nn.Module:
    """The blog's network between codes [N, ...]: every number of one depends on every number of the other."""
    shape = target.shape[1:]
    return nn.Sequential(
        *(nn.Flatten(), nn.Linear(source[0].numel(), HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()),
        *(nn.Linear(HIDDEN, shape.numel()), nn.Unflatten(1, shape)),
    )


class Convolutions(nn.Module):
    """The same rule everywhere, from 4 x 4 places to the one in their middle: the best linear one, and a correction."""

    def __init__(self, source: Tensor, target: Tensor) -> None:
        super().__init__()
        channels, to = source.shape[1], target.shape[1]
        self.linear = nn.Conv2d(channels, to, 4, 2, 1)
        self.correction = nn.Sequential(
            *(nn.Conv2d(channels, 64, 4, 2, 1), nn.ReLU(), nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU()),
            nn.Conv2d(64, to, 3, 1, 1),
        )
        nn.init.zeros_(self.correction[-1].get_parameter("weight"))
        nn.init.zeros_(self.correction[-1].get_parameter("bias"))
        self.solve(source, target)

    @torch.no_grad()
    def solve(self, source: Tensor, target: Tensor) -> None:
        """Least squares over all places."""
        around = F.unfold(source, 4, padding=1, stride=2).transpose(1, 2).flatten(0, 1)
        wanted = target.flatten(2).transpose(1, 2).flatten(0, 1)
        with_one = torch.cat([around, torch.ones(len(around), 1)], 1)
        weight = torch.linalg.lstsq(with_one, wanted).solution
        self.linear.weight.copy_(weight[:-1].T.reshape(self.linear.weight.shape))
        self.linear.bias.copy_(weight[-1])  # type: ignore[union-attr]

    def forward(self, code: Tensor) -> Tensor:
        """[N, K, s, s] -> [N, K, s / 2, s / 2]."""
        found: Tensor = self.linear(code) + self.correction(code)
        return found


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
    """High's code is given, and medium's decoder has never known another one."""
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
    variational = Two(Variational(Convolutional(high)), Variational(Convolutional(medium)))
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
    separate_high = psnr(pictures_of(two.high, codes(two.high, data.test.high)), data.test.high)
    report.values.update(
        high_alone=f"{separate_high:.1f}",
        high_joint=f"{joint_high:.1f}",
        share=f"{stored.front / stored.whole:.0%}",
        saved=f"{1 - stored.whole / (stored.whole + stored.alone):.0%}",
        extra=f"{stored.front / stored.alone - 1:+.0%}",
    )
    report.write(given.out, figure_of(rows, data.test.medium))


def figure_of(rows: list[Row], medium: Tensor) -> Figure:
    """How far each is from what medium's own autoencoder does, and what that looks like."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(15, 7), width_ratios=(1, 1), layout="constrained")
    below = [row.psnr - row.direct for row in rows]
    left.barh([row.name for row in rows], below, color=["tab:green" if one > -0.5 else "tab:red" for one in below])
    left.axvline(-0.5, color="gray", ls="--")
    left.invert_yaxis()
    left.set(xlabel="dB beside medium's own autoencoder", title="Medium from high's code")
    shown = {"medium": medium} | {row.name: row.pictures for row in rows if row.pictures.shape == medium.shape}
    show(right, {name: pictures[:10] for name, pictures in shown.items()})
    return figure


if __name__ == "__main__":
    main()
