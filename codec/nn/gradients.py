"""Operations whose gradient is not their derivative."""

from typing import Any

import torch
from torch import Tensor


def straight_through(x: Tensor, value: Tensor) -> Tensor:
    """Exactly `value` forward, the gradient of `x` backward (Bengio et al. 2013)."""
    return value.detach() + (x - x.detach())


def round_through(x: Tensor) -> Tensor:
    """Round half to even, with the gradient of the identity."""
    return straight_through(x, torch.round(x))


class _LowerBound(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, bound: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.bound = bound
        return x.clamp_min(bound)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        (gradient,) = gradients
        return gradient * ((x >= ctx.bound) | (gradient < 0)), None


def lower_bound(x: Tensor, bound: float) -> Tensor:
    """max(x, bound), whose gradient still passes where it would raise x (Balle et al. 2018, compression library)."""
    result: Tensor = _LowerBound.apply(x, bound)  # type: ignore[no-untyped-call]
    return result
