"""The one training loop of all experiments."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

SEED = 1


def seeded() -> None:
    """Make what follows repeatable."""
    torch.manual_seed(SEED)


def train(
    parameters: Iterator[nn.Parameter] | list[nn.Parameter],
    data: Tensor,
    loss: Callable[[Tensor], Tensor],
    steps: int,
    batch: int = 64,
    rate: float = 1e-3,
) -> None:
    """Adam on batches of data [N, ...], drawn at random, its rate falling to zero along a cosine."""
    optimizer = torch.optim.Adam(list(parameters), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(data[torch.randint(len(data), (batch,))]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
