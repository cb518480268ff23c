"""Where the search for better latents comes from, which `effort` asks for: PyTorch, which few have installed."""

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from ..errors import ModelError, needs_extra
from ..model.folder import PARAMS, plain_file
from ..model.model import Model

if TYPE_CHECKING:
    from ..nn.refine import Refiner


@lru_cache(maxsize=1)
def refiner(model: Model) -> "Refiner":
    """What searches for better latents of a model; the last one is kept.

    Raises:
        AezError: PyTorch is not installed.
        ModelError: it has no CUDA where that is asked for, or the model's parameters cannot be read.
    """
    try:
        from ..nn.refine import Refiner
    except ImportError as error:
        raise needs_extra("effort", error.name or "PyTorch", "effort") from error
    if not os.path.lexists(model.folder / PARAMS):
        raise ModelError(f"{model.name} has no {PARAMS}, which effort needs")
    return Refiner(plain_file(model.folder, PARAMS), model.threads, model.device, model.tile)
