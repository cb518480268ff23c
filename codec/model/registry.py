"""Which models there are and where: by name for encoding, by id for decoding.

Those shipped with aez come first, then those of `AEZ_MODELS`, then those in the user's folder; so nothing can take the
place of a shipped model. Where a model is wanted by name, its folder does as well.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from ..errors import ModelError
from ..format.quality import QualityScale
from .folder import DESCRIPTION, FILES, is_name, read_description
from .identity import check_identity
from .model import Model
from .sessions import Device

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
VARIABLE = "AEZ_MODELS"
DEFAULT_MODEL = "eyes-2"

AnyModel = str | os.PathLike[str]
"""A model's name, or its folder."""
ModelOrigin = Literal["shipped", "AEZ_MODELS", "installed", "given"]
Stamp = tuple[tuple[int, int, int] | None, ...]

_LOADED_MAX = 4  # a model takes up to 80 MB, and few work with more than two at a time
_loading = threading.Lock()


@dataclass(frozen=True)
class Found:
    """A model on disk, and why it is known."""

    name: str
    id: int
    folder: Path
    origin: ModelOrigin
    scale: QualityScale


@dataclass(frozen=True)
class LeftOut:
    """A folder that holds a broken model, or one whose name or id is taken; and a line that says so."""

    name: str
    reason: str


def look_for_models() -> Iterator[Found | LeftOut]:
    """All models, in the order in which they are looked for; names and ids of those found are their own."""
    taken: list[Found] = []
    for origin, folder in _folders():
        try:
            found = _described(folder, origin)
        except ModelError as error:
            yield LeftOut(folder.name, str(error))
            continue
        other = next((model for model in taken if model.name == found.name or model.id == found.id), None)
        if other is None:
            taken.append(found)
            yield found
        elif (other.name, other.id) != (found.name, found.id):
            word = "name" if other.name == found.name else "id"
            yield LeftOut(found.name, f"{folder}: left out, as its {word} is that of {other.name} in {other.folder}")


def known_models() -> Iterator[Found]:
    """Models that can be used by name and by id."""
    return (model for model in look_for_models() if isinstance(model, Found))


def find_by_name(model: AnyModel) -> Found:
    """A model by its name; where no model has that name, by its folder.

    Raises:
        ModelError: there is none, or it is broken.
    """
    wanted = os.fspath(model)
    left_out: LeftOut | None = None
    if isinstance(model, str) and is_name(model):
        for known in look_for_models():
            if known.name == wanted and isinstance(known, Found):
                return known
            if known.name == wanted and isinstance(known, LeftOut):
                left_out = left_out or known
    if wanted and os.path.isdir(wanted):  # noqa: PTH112 - is_dir raises where it must not look
        return _described(Path(wanted), "given")
    if left_out:
        raise ModelError(left_out.reason)
    names = ", ".join(known.name for known in known_models())
    raise ModelError(f"no model named {wanted}, and no such folder; there are {names or 'none'}", _places())


def find_by_id(model_id: int) -> Found | None:
    """The model that decodes files with that id, if it is known."""
    return next((model for model in known_models() if model.id == model_id), None)


def load_model(model: AnyModel = DEFAULT_MODEL, threads: int = 0, device: Device = "auto") -> Model:
    """A model to encode with, by its name or folder. It is loaded once, and anew when its files have changed.

    Raises:
        ModelError: there is no such model, it is broken, or its id is not that of its arrays: nobody could decode what
            it encodes.
    """
    found = find_by_name(model)
    loaded = _load(found, threads, device)
    if found.origin != "shipped":
        _check_identity(found.folder, stamp(found.folder))
    return loaded


def find_model(model_id: int, model: AnyModel | None = None, threads: int = 0, device: Device = "auto") -> Model:
    """The model that a file needs, loaded.

    Raises:
        ModelError: as `find_needed`.
    """
    return _load(find_needed(model_id, model), threads, device)


def find_needed(model_id: int, model: AnyModel | None = None) -> Found:
    """The model that a file needs: the one that is known by that id, or `model`, by its name or folder.

    Whether its id is right shows when latents are compared with their checksum.

    Raises:
        ModelError: it is not known, another one, or broken.
    """
    found = find_by_id(model_id) if model is None else find_by_name(model)
    if found is None:
        raise ModelError(
            f"needs model {model_id:08x}, which is neither shipped nor in {VARIABLE} nor installed",
            f"{_places()}; `aez models install FOLDER` adds one",
        )
    if found.id != model_id:
        raise ModelError(f"needs model {model_id:08x}, not {found.name} ({found.id:08x})")
    return found


def _described(folder: Path, origin: ModelOrigin) -> Found:
    description = read_description(folder)
    return Found(description.name, description.id, folder, origin, description.scale)


def user_folder() -> Path:
    """Where `aez models install` puts models."""
    import platformdirs

    return platformdirs.user_data_path("aez", appauthor=False) / "models"


def _load(found: Found, threads: int, device: Device) -> Model:
    with _loading:
        folder = found.folder.absolute()  # networks are started later, perhaps from elsewhere
        return _loaded(folder, stamp(folder), threads, device, trusted=found.origin == "shipped")


@lru_cache(_LOADED_MAX)
def _loaded(folder: Path, _: Stamp, threads: int, device: Device, *, trusted: bool) -> Model:
    return Model(folder, threads, device, trusted=trusted)


@lru_cache
def _check_identity(folder: Path, _: Stamp) -> None:
    check_identity(folder)


def stamp(folder: Path) -> Stamp:
    """What differs when a file of a model has changed."""
    return tuple(_file_stamp(folder / name) for name in FILES)


def _file_stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _folders() -> Iterator[tuple[ModelOrigin, Path]]:
    """All folders of models, those that come first first."""
    yield from (("shipped", folder) for folder in _models_below(WEIGHTS))
    for part in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        folder = Path(part).absolute()
        yield from (("AEZ_MODELS", model) for model in ([folder] if _has_model(folder) else _models_below(folder)))
    yield from (("installed", folder) for folder in _models_below(user_folder()))


def _has_model(folder: Path) -> bool:
    return os.path.lexists(folder / DESCRIPTION)


def _models_below(folder: Path) -> list[Path]:
    with suppress(OSError):  # what is not there, or not for us, holds no models
        return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and _has_model(path))
    return []


def _places() -> str:
    variable = os.environ.get(VARIABLE)
    return f"models are looked for in {VARIABLE}{f'={variable}' if variable else ' (not set)'} and {user_folder()}"
