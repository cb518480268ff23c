"""What a picture looks like at a glance: the colour of each 16 x 16 pixels, read off its base latents.

No synthesis is needed. Colours are where uniform pictures lead the analysis to, which is nearly linear in them.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..arrays import Floats
from ..coding.scaled import analysed_latents
from ..format.blocks import BLOCK
from ..model.model import Model

_GRAY = 128
_CHANGES = ((64, 64, 64), (40, 0, 0), (0, 0, 40))
"""By which a uniform picture is made brighter, redder and bluer, and the opposite."""


def glance(model: Model, latents: Floats) -> Floats:
    """Brightness, red less green and blue less green in levels, about [3, H / 16, W / 16], of latents [base, ...].

    Raises:
        ModelError: the model does not work on this machine.
    """
    gray, levels = _axes(model)
    planes: Floats = np.tensordot(levels, latents - gray[:, None, None], 1)
    return planes


@lru_cache(maxsize=8)
def _axes(model: Model) -> tuple[Floats, Floats]:
    """Latents of gray, [base], and levels for what latents differ from these, [3, base]."""
    differences = [
        (_uniform(model, change) - _uniform(model, -change)) / (2 * change.max()) for change in map(np.array, _CHANGES)
    ]
    levels: Floats = np.linalg.pinv(np.stack(differences, 1)).astype(np.float32)
    return _uniform(model, np.zeros(3, int)), levels


def _uniform(model: Model, change: npt.NDArray[np.int_]) -> Floats:
    """Mean latents, [base], of one block whose samples differ from gray by so many levels."""
    samples = np.full((BLOCK, BLOCK, 3), _GRAY + change, np.uint8)
    mean: Floats = analysed_latents(model, samples).mean((1, 2))
    return mean
