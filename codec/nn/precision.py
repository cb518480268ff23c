"""In what precision to compute."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 there."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


@contextmanager
def tensor_float_32(*, allowed: bool) -> Iterator[None]:
    """Whether convolutions on CUDA may round to ten bits meanwhile, as they do by default; other devices never do.

    Networks lose nothing by it. Variances, which are small differences of large numbers, drown.
    """
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before
