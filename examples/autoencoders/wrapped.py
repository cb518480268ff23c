"""Autoencoders of the attempts to mend the translation: each is the convolutional one with something around it."""

import torch
from networks import CHANNELS, Convolutional, sampled
from rate import codes
from torch import Tensor, nn
from torch.nn import functional as F

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


class WithDistribution(Wrapped):
    """Its code is drawn to a normal distribution, which fixes the scale of its coordinates, not their directions."""

    def __init__(self, inner: Convolutional) -> None:
        super().__init__(inner)
        self.log_variance = nn.Parameter(torch.full((CHANNELS, 1, 1), -4.0))

    def loss(self, pictures: Tensor) -> Tensor:
        """The evidence lower bound; one variance for each channel."""
        code, nats = sampled(self.encode(pictures), self.log_variance)
        error = (self.decode(code) - pictures).square().sum()
        return (error + DIVERGENCE * nats) / pictures.numel()
