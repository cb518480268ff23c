"""Weights of a codec as they are kept with a model: to train on from, and for `effort`."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from ..errors import ModelError, first_line
from .codec import Codec
from .networks import Architecture


def save_params(codec: Codec, path: Path) -> None:
    """Write weights as float16; the architecture is in the metadata."""
    state = {key: value.half().contiguous() for key, value in codec.state_dict().items()}
    path.write_bytes(save(state, {"architecture": json.dumps(asdict(codec.arch))}))


def load_params(path: Path) -> Codec:
    """A codec from a model's `params.safetensors`.

    Raises:
        ModelError: it is damaged, or something else.
    """
    try:
        with safe_open(path, "pt") as file, torch.device("meta"):
            codec = Codec(Architecture(**json.loads(file.metadata()["architecture"])))
            state = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path}: not the weights of a codec ({first_line(error)})") from error
    try:
        codec.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise ModelError(f"{path}: its weights are not those of its architecture") from error
    return codec
