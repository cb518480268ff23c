"""Weights of a codec as they are kept with a model: to train on from, and for `effort`."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

import torch
from safetensors import safe_open
from safetensors.torch import save

from ..errors import ModelError, first_line
from ..output import write_file
from .codec import Codec
from .loss import LossName
from .networks import Architecture

SIZE_MAX = 4096  # of anything in an architecture; beyond, it would take long to build


@dataclass(frozen=True)
class Params:
    """A codec, and the loss that it was trained with."""

    codec: Codec
    loss: LossName


def save_params(params: Params, path: Path) -> None:
    """Write weights as float16, whole or not at all; architecture and loss are in the metadata."""
    codec = params.codec
    state = {key: value.cpu().half().contiguous() for key, value in codec.state_dict().items()}
    metadata = {"architecture": json.dumps(asdict(codec.arch)), "loss": params.loss}
    write_file(path, save(state, metadata), overwrite=True)


def load_params(path: Path) -> Params:
    """What `save_params` wrote.

    Raises:
        ModelError: it is damaged, or something else.
    """
    try:
        with safe_open(path, "pt") as file, torch.device("meta"):
            metadata = file.metadata()
            codec = Codec(_architecture(metadata["architecture"]))
            loss = next(name for name in get_args(LossName) if name == metadata["loss"])
            state = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    except Exception as error:  # whatever parsing meets
        raise ModelError(f"{path}: not the weights of a codec ({first_line(error)})") from error
    try:
        codec.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise ModelError(f"{path}: its weights are not those of its architecture") from error
    return Params(codec, loss)


def _architecture(stored: str) -> Architecture:
    sizes = json.loads(stored)
    if any(type(size) is not int or not 0 <= size <= SIZE_MAX for size in sizes.values()):
        raise ValueError("impossible sizes")
    return Architecture(**sizes)
