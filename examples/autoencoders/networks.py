"""Networks of the experiments with photographs: each begins as the KLT, as aez does, and is corrected by layers."""

import math

import torch
from rate import like
from torch import Tensor, nn
from torch.nn import functional as F

from aez.train.klt import principal

STRIDE, CHANNELS = 8, 32
"""A convolutional code is an eighth of the picture in height and width."""
HIDDEN = 256
"""Numbers of the layers before and after a fully connected code."""


class Corrected(nn.Module):
    """A linear transform and its inverse, and layers each way that correct them and begin with zeros."""

    def __init__(self, into: nn.Module, back: nn.Module, encoder: nn.Sequential, decoder: nn.Sequential) -> None:
        super().__init__()
        self.into, self.back, self.encoder, self.decoder = into, back, encoder, decoder
        for layers in (encoder, decoder):
            last = next(layer for layer in reversed(layers) if list(layer.parameters()))
            for parameter in last.parameters():
                nn.init.zeros_(parameter)

    def encode(self, pictures: Tensor) -> Tensor:
        """[N, 3, S, S] -> [N, K, s, s]; edges are repeated where S is no multiple of 8 and has to be one."""
        centred = self.padded(pictures) - 0.5
        code: Tensor = self.into(centred) + self.encoder(centred)
        return code

    def decode(self, code: Tensor) -> Tensor:
        """[N, K, s, s] -> [N, 3, S, S], or up to the next multiple of 8."""
        centred: Tensor = self.back(code) + self.decoder(code)
        return centred + 0.5

    def loss(self, pictures: Tensor) -> Tensor:
        """Mean squared error."""
        decoded = self.decode(self.encode(pictures))
        return F.mse_loss(like(decoded, pictures), pictures)

    def decoding(self) -> list[nn.Parameter]:
        """The parameters of the way back."""
        return [*self.back.parameters(), *self.decoder.parameters()]

    def padded(self, pictures: Tensor) -> Tensor:
        """As the network needs them."""
        return pictures


class FullyConnected(Corrected):
    """Every number of the code sees every sample, and the other way round: [N, 3, S, S] <-> [N, K, k, 1].

    Coding tells K channels apart, so k numbers of about the same variance share a table.
    """

    def __init__(self, pictures: Tensor, code: tuple[int, int, int]) -> None:
        shape = pictures.shape[1:]
        samples, numbers = math.prod(shape), math.prod(code)
        into, back = nn.Linear(samples, numbers, bias=False), nn.Linear(numbers, samples, bias=False)
        super().__init__(
            nn.Sequential(nn.Flatten(), into, nn.Unflatten(1, code)),
            nn.Sequential(nn.Flatten(), back, nn.Unflatten(1, shape)),
            nn.Sequential(
                *(nn.Flatten(), nn.Linear(samples, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, numbers)),
                nn.Unflatten(1, code),
            ),
            nn.Sequential(
                *(nn.Flatten(), nn.Linear(numbers, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, samples)),
                nn.Unflatten(1, shape),
            ),
        )
        if not pictures.is_meta:
            components = torch.pca_lowrank(pictures.flatten(1) - 0.5, numbers, center=False)[2]
            into.weight.data, back.weight.data = components.T.contiguous(), components


class Convolutional(Corrected):
    """The same everywhere in a picture of any size: [N, 3, S, S] <-> [N, 32, S / 8, S / 8]."""

    def __init__(self, pictures: Tensor, width: int = 32, heads: int = 1, klt: bool = True) -> None:
        patches = F.unfold(pictures[:1000] - 0.5, STRIDE, stride=STRIDE).transpose(1, 2).flatten(0, 1)
        components = torch.from_numpy(principal(patches.double().numpy(), CHANNELS)).float()
        kernel = components.reshape(CHANNELS, 3, STRIDE, STRIDE)
        into = nn.Conv2d(3, heads * CHANNELS, STRIDE, STRIDE, bias=False)
        back = nn.ConvTranspose2d(CHANNELS, 3, STRIDE, STRIDE, bias=False)
        super().__init__(
            *(into, back),
            nn.Sequential(
                *(nn.Conv2d(3, width, 4, 2, 1), nn.ReLU(), nn.Conv2d(width, 2 * width, 4, 2, 1), nn.ReLU()),
                nn.Conv2d(2 * width, heads * CHANNELS, 4, 2, 1),
            ),
            nn.Sequential(
                *(nn.ConvTranspose2d(CHANNELS, 2 * width, 4, 2, 1), nn.ReLU()),
                *(nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(width, 3, 4, 2, 1)),
            ),
        )
        if not klt:
            return
        into.weight.data = torch.cat([kernel, torch.zeros_like(kernel).repeat(heads - 1, 1, 1, 1)])
        back.weight.data = kernel.clone()

    def padded(self, pictures: Tensor) -> Tensor:
        """To whole patches."""
        missing = -pictures.shape[-1] % STRIDE
        return F.pad(pictures, (0, missing, 0, missing), "replicate")


class Variational(Convolutional):
    """A convolutional one whose code is a normal distribution, of which the means are stored."""

    def __init__(self, pictures: Tensor) -> None:
        super().__init__(pictures, heads=2)

    def encode(self, pictures: Tensor) -> Tensor:
        """[N, 3, S, S] -> means [N, 32, S / 8, S / 8]."""
        return self.posterior(pictures)[0]

    def posterior(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Means and logarithms of variances."""
        mean, log_variance = super().encode(pictures).chunk(2, 1)
        return mean, log_variance

    def sampled(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """A code drawn from its distribution, and bits a pixel by which that differs from a normal one (KL)."""
        code, nats = sampled(*self.posterior(pictures))
        return code, nats / (math.log(2) * pictures[:, 0].numel())


def sampled(mean: Tensor, log_variance: Tensor) -> tuple[Tensor, Tensor]:
    """A code drawn from normal distributions, and by how many nats in all they differ from standard ones (KL)."""
    code = mean + (log_variance / 2).exp() * torch.randn_like(mean)
    return code, 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum()
