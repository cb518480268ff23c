"""Networks from one code to another."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

HIDDEN = 512


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
