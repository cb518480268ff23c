"""Models of one's own, and changes to them."""

import json
import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from aez.model.identity import decides_samples, model_id
from aez.model.registry import DEFAULT_MODEL, WEIGHTS

SHIPPED = WEIGHTS / DEFAULT_MODEL


def describe(folder: Path, **changes: object) -> None:
    """Change model.json."""
    description = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(description | changes))


def change_arrays(folder: Path, **changes: np.ndarray | None) -> None:
    """Change entropy.npz; None takes an array away."""
    with np.load(folder / "entropy.npz") as stored:
        arrays = {name: array for name, array in {**stored, **changes}.items() if array is not None}
    np.savez_compressed(folder / "entropy.npz", **arrays)


def make_model(folder: Path, name: str = "mine-1") -> Path:
    """A model of its own id: the default one, with another table."""
    shutil.copytree(SHIPPED, folder)
    with np.load(folder / "entropy.npz") as arrays:
        frequencies = arrays["hyper_frequencies"]
    frequencies[0, 0] = np.roll(frequencies[0, 0], len(name))
    change_arrays(folder, hyper_frequencies=frequencies)
    params = load_file(folder / "params.safetensors")
    floats = {key: array for key, array in params.items() if decides_samples(key)}
    describe(folder, name=name, id=f"{model_id({**np.load(folder / 'entropy.npz'), **floats}):08x}")
    return folder
