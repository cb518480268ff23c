"""Autoencoders trained for rate and distortion, and what any autoencoder's codes take in real bytes."""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from coding import Coder
from torch import Tensor, nn
from torch.nn import functional as F
from training import train

from aez.format.quality import KNOTS
from aez.metrics.fidelity import psnr_of
from aez.metrics.rate_distortion import Point, rising
from aez.nn.gradients import round_through
from aez.nn.quantize import perturb
from aez.nn.rate import FactorizedPrior


class Autoencoder(Protocol):
    """Pictures [N, C, H, W] in 0..1 to codes [N, K, h, w] and back."""

    def encode(self, pictures: Tensor) -> Tensor:
        """The codes, not rounded."""

    def decode(self, code: Tensor) -> Tensor:
        """The pictures again; they may have more rows and columns than they had, to be cut off."""


class Network(Autoencoder, Protocol):
    """An autoencoder that can be trained."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """As PyTorch's modules have them."""


class Scaled(nn.Module):
    """A network whose code is multiplied by a learned factor for each of its channels: how finely rounding cuts it."""

    def __init__(self, network: Network, channels: int, factor: float) -> None:
        super().__init__()
        self.network = network
        self.log_factor = nn.Parameter(torch.full((1, channels, 1, 1), math.log(factor)))

    def encode(self, pictures: Tensor) -> Tensor:
        """As the network, times the factors."""
        return self.network.encode(pictures) * self.log_factor.exp()

    def decode(self, code: Tensor) -> Tensor:
        """As the network, of a code that has been multiplied."""
        return self.network.decode(code / self.log_factor.exp())


def for_rate(trained: Network, step: float, pictures: Tensor, steps: int, weight: float, batch: int = 64) -> Scaled:
    """Trained on for bits a pixel + weight * squared error, as aez's networks are (Balle et al. 2017).

    It begins with codes that are rounded to multiples of a step.
    """
    channels, pixels = trained.encode(pictures[:1]).shape[1], pictures[0, 0].numel()
    model, prior = Scaled(copy.deepcopy(trained), channels, 1 / step), FactorizedPrior(channels)
    knots = torch.eye(KNOTS)[:1]  # the prior of aez depends on the quality; here there is one

    def bits(code: Tensor) -> Tensor:
        """For each pixel."""
        return prior.bits(perturb(code), knots).sum() / (len(code) * pixels)

    def loss(x: Tensor) -> Tensor:
        code = model.encode(x)
        return bits(code) + weight * F.mse_loss(like(model.decode(round_through(code)), x), x)

    # A prior that knows nothing yet would make every bit so dear that the code collapses to zeros.
    train(prior.parameters(), pictures, lambda x: bits(model.encode(x).detach()), steps // 5, batch, rate=3e-2)
    train([*model.parameters(), *prior.parameters()], pictures, loss, steps, batch)
    return model


def best_step(weight: float) -> float:
    """Where, for an orthonormal transform of three colours, finer rounding costs the bits that it is worth.

    K numbers take -K log2(step) bits and leave K step^2 / 12 of squared error, which is a mean over 3 samples a pixel.
    """
    return math.sqrt(18 / (math.log(2) * weight))


@torch.no_grad()
def codes(model: Autoencoder, pictures: Tensor, batch: int = 250) -> Tensor:
    """Of so many pictures that not all of them fit at once."""
    return torch.cat([model.encode(part) for part in torch.split(pictures, batch)])


@torch.no_grad()
def pictures_of(model: Autoencoder, code: Tensor, batch: int = 250) -> Tensor:
    """Decoded, in 8 bits a sample as they would be shown."""
    return torch.cat([torch.round(255 * model.decode(part).clamp(0, 1)) / 255 for part in torch.split(code, batch)])


def like(decoded: Tensor, pictures: Tensor) -> Tensor:
    """Cut to the size of pictures [..., H, W]."""
    return decoded[..., : pictures.shape[-2], : pictures.shape[-1]]


def largest(model: Autoencoder, pictures: Tensor) -> float:
    """The largest number of all codes, whatever its sign."""
    return codes(model, pictures).abs().max().item()


@dataclass(frozen=True)
class Coded:
    """Pictures that have been through real bytes: so many each by itself and all together; PSNR in dB."""

    alone: float
    together: float
    psnr: float
    pictures: Tensor


def coded(model: Autoencoder, step: float, training: Tensor, test: Tensor) -> Coded:
    """Codes rounded to multiples of a step, and coded with the frequencies that they have in training."""
    known, new = (torch.round(codes(model, pictures) / step) for pictures in (training, test))
    assert known.isfinite().all() and new.isfinite().all()
    known, new = known.int(), new.int()
    alone, together = Coder.fitted(known.numpy()).sizes(new.numpy())
    decoded = like(pictures_of(model, step * new.float()), test)
    return Coded(alone, together, psnr(decoded, test), decoded)


def psnr(decoded: Tensor, expected: Tensor) -> float:
    """PSNR in dB over all samples of pictures in 0..1."""
    return psnr_of(255**2 * F.mse_loss(decoded, expected).item())


def curve(points: Sequence[Coded]) -> list[Point]:
    """Bits a pixel of pictures stored together, and PSNR."""
    pixels = points[0].pictures[0, 0].numel()
    return [Point(number, 8 * one.together / pixels, one.psnr) for number, one in enumerate(points)]


def psnr_at(points: Sequence[Point], bpp: float) -> float | None:
    """PSNR at a rate, linear between neighbours in log rate; none beyond the curve."""
    best = rising(points)
    if not best[0].bpp <= bpp <= best[-1].bpp:
        return None
    return float(np.interp(math.log(bpp), [math.log(one.bpp) for one in best], [one.fidelity for one in best]))


def psnr_at_each(points: Sequence[Point], rates: Sequence[float]) -> list[str]:
    """For a table; "-" beyond the curve."""
    found = [psnr_at(points, bpp) for bpp in rates]
    return ["-" if value is None else f"{value:.1f}" for value in found]
