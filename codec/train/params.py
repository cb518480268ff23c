"""Weights of a codec as they are kept with a model, to train on from."""

import json
from dataclasses import asdict
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save

from aez.train.model import Architecture, Codec


def save_params(codec: Codec, path: Path) -> None:
    """Write weights as float16; the architecture is in the metadata."""
    state = {key: value.half().contiguous() for key, value in codec.state_dict().items()}
    path.write_bytes(save(state, {"architecture": json.dumps(asdict(codec.arch))}))


def load_params(path: Path) -> Codec:
    """A codec from a model's `params.safetensors`."""
    with safe_open(path, "pt") as file:
        codec = Codec(Architecture(**json.loads(file.metadata()["architecture"])))
        codec.load_state_dict({key: file.get_tensor(key).float() for key in file.keys()})  # noqa: SIM118
    return codec
