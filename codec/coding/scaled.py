"""Base latents in one scale, whatever the quality of a file: a description of what a picture shows.

A file's latents are whole numbers of steps, which are the finer the higher its quality; times the step sizes, which are
stored with the model, latents of all qualities are those of one analysis, with more or less rounding.
"""

import numpy as np

from ..arrays import Floats, Samples
from ..format.blocks import BLOCK
from ..format.container import Flags, Header
from ..format.contents import Contents
from ..model.model import Model
from ..model.networks import LATENT_UNIT
from ..model.registry import DEFAULT_MODEL, AnyModel, find_model, load_model
from ..model.sessions import Device
from ..model.tiled import CELLS_PER_BLOCK
from ..picture.samples import pad
from .decode import decode_base, decode_exact, decode_high

CELL = BLOCK // CELLS_PER_BLOCK
"""Pixels that a latent stands for, across and down."""
_QUALITY = 90.0
"""At which pictures are analysed of which there are samples instead of latents; it decides next to nothing."""


def describing_model(header: Header, model: AnyModel | None = None, threads: int = 0, device: Device = "auto") -> Model:
    """The model whose latents describe a file: its own, or `model`; any that is asked for where it has none.

    Raises:
        ModelError: it is not installed, or does not work on this machine.
    """
    if header.all_exact:
        return load_model(model or DEFAULT_MODEL, threads, device)
    return find_model(header.model, model, threads, device)


def scaled_latents(model: Model, contents: Contents) -> Floats:
    """Base latents [base, H / 16, W / 16] of a file, rounded up; analysed anew where blocks of it are exact.

    Raises:
        DamagedError: the front part is damaged.
        FormatError: a file of samples is written in a newer format.
        ModelError: the model does not work on this machine, or does not say its step sizes.
    """
    header = contents.header
    if header.all_exact:
        return analysed_latents(model, decode_exact(contents, medium=False).rgb)
    if Flags.EXACT in header.flags:
        return analysed_latents(model, decode_high(model, contents, upscale=True).rgb)  # generated is alike enough
    latents = np.divide(decode_base(model, contents).latents, LATENT_UNIT, dtype=np.float32)
    return _scaled(model, latents, header.quality, header.width, header.height)


def analysed_latents(model: Model, rgb: Samples) -> Floats:
    """Base latents of samples [H, W, 3] that are in no file; they are not rounded.

    Raises:
        ModelError: the model does not work on this machine, or does not say its step sizes.
    """
    quality = model.scale.to_stored(_QUALITY)
    return _scaled(model, model.analysis(pad(rgb, BLOCK), quality), quality, rgb.shape[1], rgb.shape[0])


def _scaled(model: Model, latents: Floats, quality: int, width: int, height: int) -> Floats:
    """Base latents in steps of a stored quality, times these."""
    rows, columns = -(-height // CELL), -(-width // CELL)
    scaled: Floats = latents[0, : model.base, :rows, :columns] * model.step_sizes(quality)[: model.base, None, None]
    return scaled
