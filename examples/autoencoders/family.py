"""Eight kinds of autoencoders, one architecture, one budget: what each is good for.

python examples/autoencoders/family.py --pictures DIR
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import mean
from typing import Protocol

import matplotlib.pyplot as plt
import rate
import torch
from data import crops, digits
from matplotlib.figure import Figure
from networks import Variational, sampled
from rate import Autoencoder, Scaled, best_step, coded, codes, curve, for_rate, largest, pictures_of, psnr, psnr_at_each
from report import Report, show, with_photographs
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from training import seeded, train

from aez.metrics.rate_distortion import Point, rising

SIDE_OF_CROP = 32
PIXELS_OF_DIGIT = 28 * 28
CODE, CODE_OF_CROP = 32, 512
"""How many numbers stand for a digit and for a crop."""
NOISE, NOISE_OF_CROP = 0.3, 0.1
ACTIVE = 8
"""Numbers of a code that top-k keeps."""
SPARSITY, CONTRACTION = 0.1, 0.02
DIVERGENCE, DIVERGENCE_OF_CROP = 1.0, 0.01
"""Weights of what is added to the squared error of a picture."""
RATE_WEIGHT, RATE_WEIGHTS = 100.0, (1000.0, 300.0, 100.0, 30.0, 10.0)
"""Of the mean squared error against bits a pixel: in general, and for the curve."""
FINENESS = 16
"""Steps into which the largest number of a digit's code is cut when training for rate begins, at RATE_WEIGHT."""
DIVISORS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128)
"""Steps into which the largest number of a code is cut."""
BYTES = 8, 12, 16, 20


class Linear:
    """Principal components (PCA, or KLT): the best that a linear autoencoder can do, without training."""

    def __init__(self, pictures: Tensor, code: int) -> None:
        self.shape = pictures.shape[1:]
        self.mean = pictures.flatten(1).mean(0)
        self.components = torch.linalg.svd(pictures.flatten(1) - self.mean, full_matrices=False).Vh[:code]

    def encode(self, pictures: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, K, 1, 1]."""
        code: Tensor = (pictures.flatten(1) - self.mean) @ self.components.T
        return code[:, :, None, None]

    def decode(self, code: Tensor) -> Tensor:
        """[N, K, 1, 1] -> [N, C, H, W]."""
        pictures: Tensor = code.flatten(1) @ self.components + self.mean
        return pictures.reshape(-1, *self.shape)


class TrainableKind(rate.Network, Protocol):
    """An autoencoder that all kinds can be trained with."""

    def posterior(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Codes, and logarithms of the variances that a variational one gives them."""

    def effects(self) -> Tensor:
        """What one more of each number of the code does to the layer after it, [K, 1, 1]."""


class OfDigits(nn.Module):
    """Two convolutions and a fully connected layer to a code [N, 32, 1, 1], and the same back."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(), nn.Flatten())
        )
        self.mean, self.log_variance = nn.Linear(32 * 7 * 7, CODE), nn.Linear(32 * 7 * 7, CODE)
        self.unfold = nn.Linear(CODE, 32 * 7 * 7)
        self.decoder = nn.Sequential(
            *(nn.ReLU(), nn.Unflatten(1, (32, 7, 7)), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU()),
            nn.ConvTranspose2d(16, 1, 4, 2, 1),
        )

    def encode(self, pictures: Tensor) -> Tensor:
        """[N, 1, 28, 28] -> [N, 32, 1, 1]."""
        return self.posterior(pictures)[0]

    def decode(self, code: Tensor) -> Tensor:
        """[N, 32, 1, 1] -> [N, 1, 28, 28]."""
        pictures: Tensor = self.decoder(self.unfold(code.flatten(1)))
        return pictures

    def posterior(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Means and logarithms of variances."""
        features = self.features(pictures)
        mean, log_variance = self.mean(features), self.log_variance(features)
        return mean[:, :, None, None], log_variance[:, :, None, None]

    def effects(self) -> Tensor:
        """Lengths of the columns of the layer after the code."""
        return column_lengths(self.unfold.weight.T)


class OfCrops(Variational):
    """The convolutional network of the other experiments, its code [N, 32, 4, 4]."""

    def effects(self) -> Tensor:
        """Lengths of the patches that the numbers of a code stand for."""
        return column_lengths(self.back.get_parameter("weight"))


class TopK(nn.Module):
    """All but the largest channels of a code are zero at each place (Makhzani and Frey 2014)."""

    def __init__(self, network: TrainableKind) -> None:
        super().__init__()
        self.network = network

    def encode(self, pictures: Tensor) -> Tensor:
        """As the network, and then most of it is left out."""
        code = self.network.encode(pictures)
        least = code.abs().topk(ACTIVE, 1).values[:, -1:]
        return code * (code.abs() >= least)

    def decode(self, code: Tensor) -> Tensor:
        """As the network."""
        return self.network.decode(code)


def column_lengths(weight: Tensor) -> Tensor:
    """[K, ...] -> [K, 1, 1]."""
    lengths: Tensor = torch.linalg.vector_norm(weight.flatten(1), dim=1)
    return lengths[:, None, None]


def error(decoded: Tensor, pictures: Tensor) -> Tensor:
    """Squared error of a picture."""
    return (decoded - pictures).square().sum() / len(pictures)


def plain(network: Autoencoder, x: Tensor) -> Tensor:
    """Give back what was given."""
    return error(network.decode(network.encode(x)), x)


def sparse(network: TrainableKind, x: Tensor) -> Tensor:
    """Few numbers are not zero; measured by what they do in the decoder, since small ones could have large weights."""
    code = network.encode(x)
    effect = code.abs() * network.effects()
    return error(network.decode(code), x) + SPARSITY * effect.sum() / len(x)


def denoising(network: TrainableKind, x: Tensor) -> Tensor:
    """Give back the picture without its noise (Vincent et al. 2008)."""
    return error(network.decode(network.encode(with_noise(x))), x)


def contractive(network: TrainableKind, x: Tensor) -> Tensor:
    """What comes back changes little when a pixel does (Rifai et al. 2011; of code and decoder: Alain and Bengio 2014).

    ||J||^2 of the Jacobian matrix is the mean of ||v J||^2 over random v (Hutchinson).
    """
    x.requires_grad_()
    decoded = network.decode(network.encode(x))
    (change,) = torch.autograd.grad((decoded * torch.randn_like(decoded)).sum(), x, create_graph=True)
    return error(decoded, x) + CONTRACTION * change.square().sum() / len(x)


def variational(network: TrainableKind, x: Tensor, price: float = 1) -> Tensor:
    """The code is a distribution, and is drawn to a normal one (Kingma and Welling 2014)."""
    code, nats = sampled(*network.posterior(x))
    weight = price * (DIVERGENCE if is_digits(x) else DIVERGENCE_OF_CROP)
    return error(network.decode(code), x) + weight * nats / len(x)


def masked(network: TrainableKind, x: Tensor) -> Tensor:
    """Half of 16 tiles are hidden, and have to be given back (He et al. 2022)."""
    seen = (torch.rand(len(x), 1, 4, 4) < 0.5).float()
    hidden = x * torch.nn.functional.interpolate(seen, x.shape[-2:])
    return error(network.decode(network.encode(hidden)), x)


def with_noise(x: Tensor) -> Tensor:
    """Normal noise, for digits and for crops."""
    return x + noise_of(x) * torch.randn_like(x)


def noise_of(x: Tensor) -> float:
    """Its standard deviation."""
    return NOISE if is_digits(x) else NOISE_OF_CROP


def is_digits(pictures: Tensor) -> bool:
    """Or crops of photographs."""
    return pictures.shape[1] == 1


Loss = Callable[[TrainableKind, Tensor], Tensor]
PLAIN, VARIATIONAL, CHEAPER = "plain", "variational", "variational, a tenth of the price"
LOSSES: dict[str, Loss] = {
    PLAIN: plain,
    "sparse, L1": sparse,
    "denoising": denoising,
    "contractive": contractive,
    VARIATIONAL: variational,
    CHEAPER: partial(variational, price=0.1),
    "masked": masked,
}
LINEAR, TOP_K, FOR_RATE = "linear (PCA)", "sparse, top-k", "rate and distortion"
KINDS = (
    *(LINEAR, PLAIN, "sparse, L1", TOP_K, "denoising", "contractive", VARIATIONAL, CHEAPER, "masked"),
    FOR_RATE,
)


def trained(kind: str, pictures: Tensor, steps: int) -> Autoencoder:
    """One of the kinds after so many steps."""
    if kind == FOR_RATE:
        return for_rates(pictures, steps, [RATE_WEIGHT])[RATE_WEIGHT]
    if kind == LINEAR:
        return Linear(pictures, CODE if is_digits(pictures) else CODE_OF_CROP)
    network = untrained(pictures)
    if kind == TOP_K:
        sparse_network = TopK(network)
        train(sparse_network.parameters(), pictures, lambda x: plain(sparse_network, x), steps)
        return sparse_network
    loss = LOSSES[kind]
    train(network.parameters(), pictures, lambda x: loss(network, x), steps)
    return network


def untrained(pictures: Tensor) -> TrainableKind:
    """The same every time."""
    seeded()
    return OfDigits() if is_digits(pictures) else OfCrops(pictures)


def for_rates(pictures: Tensor, steps: int, weights: Sequence[float]) -> dict[float, Scaled]:
    """Plain for half of the steps, and from there for rate and distortion at each weight for the other half."""
    network = untrained(pictures)
    train(network.parameters(), pictures, lambda x: plain(network, x), steps // 2)
    found = {}
    for weight in weights:
        step = best_step(weight)
        if is_digits(pictures):
            step *= largest(network, pictures) / FINENESS / best_step(RATE_WEIGHT)
        found[weight] = for_rate(network, step, pictures, steps // 2, weight)
    return found


def curve_of(model: Autoencoder, training: Tensor, test: Tensor) -> list[Point]:
    """Real bytes of a code that is rounded in coarser and finer steps."""
    unit = largest(model, training)
    return curve([coded(model, unit / divisor, training, test) for divisor in DIVISORS])


def denoised(model: Autoencoder, noisy: Tensor, clean: Tensor) -> float:
    """PSNR of noisy pictures that went through the network."""
    return psnr(pictures_of(model, codes(model, noisy)), clean)


def surprise(model: Autoencoder, pictures: Tensor) -> Tensor:
    """How badly each picture comes back."""
    return (pictures_of(model, codes(model, pictures)) - pictures).square().flatten(1).sum(1)


def aurocs(kind: str, data: "Digits", steps: int) -> list[float]:
    """Trained without one digit, does the error tell it from the others? For each of the ten."""
    areas = []
    for left_out in range(10):
        model = trained(kind, data.training[data.training_names != left_out], steps)
        areas.append(roc_auc_score(data.test_names == left_out, surprise(model, data.test)))
    return areas


def precision_at_10(known: Tensor, new: Tensor, data: "Digits") -> float:
    """How many of the ten nearest codes of other pictures are the same digit."""
    nearest = NearestNeighbors(n_neighbors=10, metric="cosine").fit(known).kneighbors(new, return_distance=False)
    return (data.training_names[torch.from_numpy(nearest)] == data.test_names[:, None]).float().mean().item()


def probe(known: Tensor, new: Tensor, data: "Digits") -> float:
    """Accuracy of a linear classifier on the codes."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return float(classifier.fit(known, data.training_names).score(new, data.test_names))


@dataclass(frozen=True)
class Digits:
    """Pictures and names to train and to test with."""

    training: Tensor
    test: Tensor
    training_names: Tensor
    test_names: Tensor


def main() -> None:
    given = with_photographs(__doc__, SIDE_OF_CROP)
    steps, count = (10, 200) if given.quick else (1200, 4000)
    steps_of_crops, steps_without = steps // 3, steps // 5
    training, test, training_names, test_names = digits()
    data = Digits(training[:count], test[: count // 4], training_names[:count], test_names[: count // 4])
    crops_to_train = crops(given.training, SIDE_OF_CROP, count, seed=1)
    crops_to_test = crops(given.test, SIDE_OF_CROP, count // 4, seed=2)
    seeded()
    noisy, noisy_crops = with_noise(data.test), with_noise(crops_to_test)

    report = Report("family")
    by_weight = for_rates(data.training, steps, RATE_WEIGHTS)
    rows, curves, models = [], {}, {}
    for kind in KINDS:
        if kind == FOR_RATE:
            model: Autoencoder = by_weight[RATE_WEIGHT]
            points = curve([coded(one, 1.0, data.training, data.test) for one in by_weight.values()])
        else:
            model = trained(kind, data.training, steps)
            points = curve_of(model, data.training, data.test)
        models[kind], curves[kind] = model, points
        known, new = (codes(model, pictures).flatten(1) for pictures in (data.training, data.test))
        of_crops = trained(kind, crops_to_train, steps_of_crops)
        areas = aurocs(kind, data, steps_without)
        if kind == PLAIN:
            report.values |= {f"auroc_{digit}": f"{area:.2f}" for digit, area in enumerate(areas)}
        rows.append(
            [
                kind,
                f"{denoised(model, data.test, data.test):.1f}",
                *psnr_at_each(points, [8 * size / PIXELS_OF_DIGIT for size in BYTES]),
                f"{denoised(model, noisy, data.test):.1f}",
                f"{denoised(of_crops, noisy_crops, crops_to_test):.1f}",
                f"{mean(areas):.2f}",
                f"{precision_at_10(known, new, data):.2f}",
                f"{probe(known, new, data):.1%}",
            ]
        )
        print(rows[-1], flush=True)
    known, new = (pictures.flatten(1) for pictures in (data.training, data.test))
    rows.append(
        [
            *("the pictures themselves", *["-"] * (1 + len(BYTES))),
            f"{psnr(noisy, data.test):.1f}",
            f"{psnr(noisy_crops, crops_to_test):.1f}",
            *("-", f"{precision_at_10(known, new, data):.2f}", f"{probe(known, new, data):.1%}"),
        ]
    )
    sizes = [f"dB at {size} bytes" for size in BYTES]
    heads = ["dB, not rounded", *sizes, "noisy digits, dB", "noisy crops, dB", "AUROC", "precision at 10", "probe"]
    report.table("kinds", ["kind", *heads], rows)
    numbers = {
        "active": ACTIVE,
        "noise": NOISE,
        "noise_of_crop": NOISE_OF_CROP,
        "sparsity": SPARSITY,
        "contraction": CONTRACTION,
        "divergence": DIVERGENCE,
        "divergence_of_crop": DIVERGENCE_OF_CROP,
        "rate_weight": f"{RATE_WEIGHT:.0f}",
        "rate_weights": ", ".join(f"{weight:.0f}" for weight in RATE_WEIGHTS),
        "steps": f"{steps:,}",
        "steps_of_crops": steps_of_crops,
        "steps_without": steps_without,
        "top_k_ends": f"{bytes_of(rising(curves[TOP_K])[-1]):.0f}",
    }
    report.values |= {name: str(number) for name, number in numbers.items()}
    report.write(given.out, figure_of(curves, models, data.test, noisy))


def bytes_of(point: Point) -> float:
    """Of a digit."""
    return point.bpp * PIXELS_OF_DIGIT / 8


def figure_of(curves: dict[str, list[Point]], models: dict[str, Autoencoder], test: Tensor, noisy: Tensor) -> Figure:
    """Rate-distortion curves; what each kind makes of noise; what the variational one has learned."""
    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(16, 5.5), width_ratios=(1.3, 0.8, 0.9), layout="constrained"
    )
    for name, points in curves.items():
        best = rising(points)
        sizes, found = [bytes_of(point) for point in best], [point.fidelity for point in best]
        left.plot(sizes, found, marker=".", label=name, lw=2.5 if name == FOR_RATE else 1)
    left.set(xlim=(0, 40), xlabel="bytes a digit, all together", ylabel="PSNR in dB")
    left.set_title("Codes, rounded and entropy coded")
    left.grid(alpha=0.3)
    left.legend(fontsize=8)
    rows = {"original": test[:8], "noisy": noisy[:8]}
    rows |= {kind: pictures_of(model, codes(model, noisy[:8])) for kind, model in models.items()}
    show(middle, rows)
    middle.set_title("Without their noise")
    show(right, latents_of(models[VARIATIONAL], test) | samples_of(models, test))
    right.set_title("One number of a code changed from -2.5 to 2.5;\ncodes drawn at random")
    return figure


@torch.no_grad()
def latents_of(model: Autoencoder, test: Tensor) -> dict[str, Tensor]:
    """One digit, four numbers of its code changed one at a time from -2.5 to 2.5: those that vary most."""
    found = codes(model, test)
    rows = {}
    for channel in found.std(0).flatten().topk(4).indices.tolist():
        changed = found[:1].repeat(8, 1, 1, 1)
        changed[:, channel, 0, 0] = torch.linspace(-2.5, 2.5, 8)
        rows[f"number {channel}"] = pictures_of(model, changed)
    return rows


@torch.no_grad()
def samples_of(models: dict[str, Autoencoder], test: Tensor) -> dict[str, Tensor]:
    """Codes drawn at random: normal ones for the variational kind, with mean and deviation of real ones for plain."""
    seeded()
    usual = codes(models[PLAIN], test)
    random = torch.randn(8, CODE, 1, 1)
    return {
        "drawn, variational": pictures_of(models[VARIATIONAL], random),
        "a tenth of the price": pictures_of(models[CHEAPER], random),
        "drawn, plain": pictures_of(models[PLAIN], usual.mean(0) + usual.std(0) * random),
    }


if __name__ == "__main__":
    main()
