"""Which models there are: by name for encoding, by id for decoding."""

import json
from contextlib import suppress
from functools import cache
from pathlib import Path

from ..errors import ModelError
from .model import Model
from .sessions import Device

WEIGHTS = Path(__file__).parents[1] / "weights"
DEFAULT_MODEL = "fast-6"
RETIRED = {0x9221E8F4: "fast-1", 0xB1D7005D: "fast-2", 0xD1301265: "fast-3", 0xC0623931: "fast-4", 0xE8D85792: "fast-5"}


def installed_models() -> dict[str, int]:
    """Ids of the installed models by their names; broken ones are left out."""
    found = {}
    for path in sorted(WEIGHTS.glob("*/model.json")):
        with suppress(OSError, ValueError, LookupError, TypeError):
            description = json.loads(path.read_text())
            found[description["name"]] = int(description["id"], 16)
    return found


def model_name(model_id: int) -> str | None:
    """Name of an installed model, if it is installed."""
    return next((name for name, known in installed_models().items() if known == model_id), None)


@cache
def load_model(name: str = DEFAULT_MODEL, threads: int = 0, device: Device = "auto") -> Model:
    """An installed model, by name, loaded once.

    Raises:
        ModelError: there is no such model, or it is broken.
    """
    names = installed_models()
    if name not in names:
        raise ModelError(f"no model named {name}; installed: {', '.join(names) or 'none'}")
    return Model(WEIGHTS / name, threads, device)


def find_model(model_id: int, threads: int = 0, device: Device = "auto") -> Model:
    """The installed model that a file needs.

    Raises:
        ModelError: it is not installed.
    """
    name = model_name(model_id)
    if name is None:
        wanted = f"{model_id:08x}" + (f" ({RETIRED[model_id]}, no longer shipped)" if model_id in RETIRED else "")
        installed = ", ".join(f"{name} ({known:08x})" for name, known in installed_models().items())
        raise ModelError(f"needs model {wanted}, which is not installed; installed: {installed or 'none'}")
    return load_model(name, threads, device)
