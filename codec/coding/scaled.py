"""Base latents in one scale, whatever the quality of a file: a description of what a picture shows.

A file's latents are whole numbers of steps, which are the finer the higher its quality; times the step sizes, which are
stored with the model, latents of all qualities are those of one analysis, with more or less rounding.
"""

import numpy as np

from ..arrays import Floats, Samples
from ..format.blocks import BLOCK
from ..format.container import Flags
from ..format.contents import Contents
from ..model.model import Model
from ..model.networks import LATENT_UNIT
from ..model.tiled import CELLS_PER_BLOCK
from ..picture.samples import pad
from .decode import decode_base, decode_exact, decode_high

_CELL = BLOCK // CELLS_PER_BLOCK
"""Pixels that a latent stands for, across and down."""
_QUALITY = 90.0
"""At which pictures are analysed of which a file has samples instead of latents; it decides next to nothing."""


def scaled_latents(model: Model, contents: Contents) -> Floats:
    """Base latents [base, H / 16, W / 16] of a file, rounded up; analysed anew where blocks of it are exact.

    Raises:
        DamagedError: what it needs is missing or damaged.
        FormatError: what it needs is written in a newer format.
        ModelError: the model does not work on this machine, or does not say its step sizes.
    """
    header = contents.header
    if header.all_exact:
        latents, quality = _analysed(model, decode_exact(contents, medium=False).rgb)
    elif Flags.EXACT in header.flags:
        latents, quality = _analysed(model, decode_high(model, contents, upscale=False).rgb)
    else:
        decoded = decode_base(model, contents).latents
        latents, quality = np.divide(decoded, LATENT_UNIT, dtype=np.float32), header.quality
    rows, columns = -(-header.height // _CELL), -(-header.width // _CELL)
    steps = model.step_sizes(quality)[: model.base, None, None]
    scaled: Floats = latents[0, : model.base, :rows, :columns] * steps
    return scaled


def _analysed(model: Model, rgb: Samples) -> tuple[Floats, int]:
    """Latents that are not rounded, and the stored quality in whose steps they are."""
    quality = model.scale.to_stored(_QUALITY)
    return model.analysis(pad(rgb, BLOCK), quality), quality
