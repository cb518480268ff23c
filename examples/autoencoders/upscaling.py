"""High from medium: what invents detail, and whether it is the right one.

python examples/autoencoders/upscaling.py --pictures DIR
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import torch
from data import crops, image_of
from matplotlib.figure import Figure
from PIL import Image
from report import Report, with_photographs
from torch import Tensor, nn
from torch.nn import functional as F
from training import SEED, seeded, train

import aez
from aez.metrics.fidelity import psnr
from aez.metrics.ssimulacra2 import ssimulacra2

SIDE, SHOWN_SIDE = 64, 256
"""Of high, while training and in the test."""
QUALITY = 90
WIDTH, BATCH = 32, 16
NOISE_CHANNELS = 2
ADVERSARIAL = 2e-3
"""Weight of what the critic says, beside the squared error."""
GENERATIVE, WHOLE = "a generative one", "aez, the whole file"
DRAWS = 8
"""Pictures that the generative network makes of the same medium, each with other noise."""


class Upscaler(nn.Module):
    """Twice the size: what interpolation gives, and a correction by convolutions at medium's size."""

    def __init__(self, noise_channels: int = 0) -> None:
        super().__init__()
        self.noise_channels = noise_channels
        self.correction = nn.Sequential(
            *(nn.Conv2d(3 + noise_channels, WIDTH, 3, 1, 1), nn.ReLU()),
            *(nn.Conv2d(WIDTH, WIDTH, 3, 1, 1), nn.ReLU(), nn.Conv2d(WIDTH, WIDTH, 3, 1, 1), nn.ReLU()),
            *(nn.Conv2d(WIDTH, 12, 3, 1, 1), nn.PixelShuffle(2)),
        )

    def forward(self, medium: Tensor) -> Tensor:
        """[N, 3, h, w] -> [N, 3, 2 h, 2 w]; noise, if it has any, is drawn anew each time."""
        noise = torch.randn(len(medium), self.noise_channels, *medium.shape[-2:])
        high = F.interpolate(medium, scale_factor=2, mode="bicubic", align_corners=False)
        corrected: Tensor = high + self.correction(torch.cat([medium, noise], 1))
        return corrected


def critic() -> nn.Sequential:
    """How real each place of a picture looks, [N, 3, H, W] -> [N, 1, H / 4, W / 4]."""
    return nn.Sequential(
        *(nn.Conv2d(3, WIDTH, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(WIDTH, 2 * WIDTH, 4, 2, 1), nn.LeakyReLU(0.2)),
        nn.Conv2d(2 * WIDTH, 1, 3, 1, 1),
    )


@dataclass(frozen=True)
class Pairs:
    """What networks are trained with: pictures [N, 3, 64, 64], and aez's medium of each [N, 3, 32, 32]."""

    high: Tensor
    medium: Tensor

    @classmethod
    def of(cls, high: Tensor) -> "Pairs":
        """Through aez, as in the test."""
        return cls(high, torch.stack([tensor_of(Stored.of(image_of(one)).medium) for one in high]))

    def __getitem__(self, numbers: Tensor) -> "Pairs":
        return Pairs(self.high[numbers], self.medium[numbers])

    def __len__(self) -> int:
        return len(self.high)


def for_squared_error(pairs: Pairs, steps: int) -> Upscaler:
    """The mean of all that could have been there."""
    network = Upscaler()

    def loss(numbers: Tensor) -> Tensor:
        chosen = pairs[numbers]
        return F.mse_loss(network(chosen.medium), chosen.high)

    train(network.parameters(), torch.arange(len(pairs)), loss, steps, BATCH)
    return network


def generative(trained: Upscaler, pairs: Pairs, steps: int) -> Upscaler:
    """What a critic takes for real (Goodfellow et al. 2014, hinge loss)."""
    network, judge = Upscaler(NOISE_CHANNELS), critic()
    begin_as(network, trained)
    optimizer = torch.optim.Adam(network.parameters(), 2e-4, betas=(0.5, 0.9))
    optimizer_of_judge = torch.optim.Adam(judge.parameters(), 4e-4, betas=(0.5, 0.9))
    choose = np.random.default_rng(SEED)
    for _ in range(steps):
        chosen = pairs[torch.from_numpy(choose.integers(len(pairs), size=BATCH))]
        made = network(chosen.medium)
        optimizer_of_judge.zero_grad()
        torch.autograd.backward(F.relu(1 - judge(chosen.high)).mean() + F.relu(1 + judge(made.detach())).mean())
        optimizer_of_judge.step()
        optimizer.zero_grad()
        torch.autograd.backward(F.mse_loss(made, chosen.high) - ADVERSARIAL * judge(made).mean())
        optimizer.step()
    return network


@torch.no_grad()
def begin_as(network: Upscaler, trained: Upscaler) -> None:
    """The same weights, and none for the noise."""
    weights = dict(trained.named_parameters())
    for name, parameter in network.named_parameters():
        parameter.zero_()
        parameter[tuple(slice(length) for length in weights[name].shape)] = weights[name]


@dataclass(frozen=True)
class Stored:
    """A photograph, and the two parts of its file."""

    original: Image.Image
    file: bytes

    @classmethod
    def of(cls, original: Image.Image) -> "Stored":
        """At the quality of the test."""
        return cls(original, aez.encode(original, QUALITY, exact="never"))

    @property
    def front(self) -> bytes:
        """What medium needs."""
        return self.file[: aez.info(self.file).medium_bytes]

    @property
    def medium(self) -> Image.Image:
        """As aez gives it back."""
        return aez.decode(self.front, "medium")


Way = Callable[[Stored], Image.Image]


def by_aez(stored: Stored) -> Image.Image:
    """What aez's synthesis makes of the part for medium alone, which it says in a warning."""
    with warnings.catch_warnings(action="ignore", category=aez.AezWarning):
        return aez.decode(stored.front, upscale=True)


def by_network(network: Upscaler) -> Way:
    """From aez's medium."""

    @torch.no_grad()
    def upscaled(stored: Stored) -> Image.Image:
        return image_of(network(tensor_of(stored.medium)[None])[0])

    return upscaled


def tensor_of(image: Image.Image) -> Tensor:
    """[3, H, W] in 0..1."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def detail(image: Image.Image) -> Tensor:
    """What medium does not have: the differences within squares of 2 x 2 pixels."""
    picture = tensor_of(image)
    return picture - F.interpolate(F.avg_pool2d(picture[None], 2), scale_factor=2)[0]


@torch.no_grad()
def spread(network: Upscaler, pictures: list[Stored]) -> float:
    """By how much pictures of the same medium differ: standard deviation over draws of noise, in levels of 255."""
    mediums = torch.stack([tensor_of(stored.medium) for stored in pictures])
    return 255 * rms(torch.stack([network(mediums) for _ in range(DRAWS)]).std(0))


def rms(numbers: Tensor) -> float:
    """Root of the mean square."""
    return numbers.square().mean().sqrt().item()


def main() -> None:
    given = with_photographs(__doc__, SHOWN_SIDE)
    steps, count = (4, 50) if given.quick else (800, 3000)
    seeded()
    pairs = Pairs.of(crops(given.training, SIDE, count, seed=1))
    squared = for_squared_error(pairs, steps)
    inventing = generative(squared, pairs, steps)
    ways: dict[str, Way] = {
        "Lanczos": lambda stored: stored.medium.resize(stored.original.size, Image.Resampling.LANCZOS),
        "aez, upscaled": by_aez,
        "a network for squared error": by_network(squared),
        GENERATIVE: by_network(inventing),
        WHOLE: lambda stored: aez.decode(stored.file),
    }
    originals = crops(given.test, SHOWN_SIDE, 2 if given.quick else 24, seed=2)
    pictures = [Stored.of(image_of(original)) for original in originals]
    results = {name: [way(stored) for stored in pictures] for name, way in ways.items()}
    report = Report("upscaling")
    heads = ["high from medium", "bpp", "PSNR, dB", "SSIMULACRA2", "detail", "of it right"]
    report.table("ways", heads, [row(name, found, pictures) for name, found in results.items()])
    report.values.update(
        count=str(len(pictures)),
        draws=str(DRAWS),
        spread=f"{spread(inventing, pictures):.1f}",
        detail=f"{255 * rms(torch.stack([detail(image) for image in results[GENERATIVE]])):.1f}",
    )
    report.write(given.out, figure_of(results, pictures))


def row(name: str, found: list[Image.Image], pictures: list[Stored]) -> list[str]:
    """Means over the pictures; detail as a share of the original's variance, and its correlation with it."""
    ours = torch.stack([detail(image) for image in found])
    theirs = torch.stack([detail(stored.original) for stored in pictures])
    sizes = [len(stored.file if name == WHOLE else stored.front) for stored in pictures]
    pairs = list(zip(found, pictures, strict=True))
    return [
        name,
        f"{8 * np.mean(sizes) / SHOWN_SIDE**2:.2f}",
        f"{np.mean([psnr(np.asarray(image), np.asarray(stored.original)) for image, stored in pairs]):.1f}",
        f"{np.mean([ssimulacra2(image, stored.original) for image, stored in pairs]):.1f}",
        f"{(ours.square().mean() / theirs.square().mean()).item():.0%}",
        f"{(ours * theirs).sum().item() / (ours.norm() * theirs.norm()).item():.2f}",
    ]


def figure_of(results: dict[str, list[Image.Image]], pictures: list[Stored]) -> Figure:
    """Details of the first pictures, every pixel as four."""
    shown = {"original": [stored.original for stored in pictures]} | results
    side = SHOWN_SIDE // 2
    box = (side // 2, side // 2, side // 2 + side, side // 2 + side)
    figure, axes = plt.subplots(2, len(shown), figsize=(3 * len(shown), 6), layout="constrained")
    for column, (name, images) in enumerate(shown.items()):
        for row, image in enumerate(images[:2]):
            axes[row, column].imshow(image.crop(box), interpolation="nearest")
            axes[row, column].axis("off")
        axes[0, column].set_title(name, fontsize=10)
    return figure


if __name__ == "__main__":
    main()
