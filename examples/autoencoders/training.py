"""The one training loop of all experiments."""

from collections.abc import Callable, Iterator

import numpy as np
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
    """Adam on batches of data [N, ...], its rate falling to zero along a cosine."""
    optimizer = torch.optim.Adam(list(parameters), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    choose = np.random.default_rng(SEED)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(data[torch.from_numpy(choose.integers(len(data), size=batch))]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
