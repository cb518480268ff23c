"""What `aez models` does."""

import json
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from .. import api
from ..errors import AezError, DamagedError, ModelError, QualityWarning, warn
from ..model.folder import FILES, NEEDED, PARAMS, is_name, read_description, read_file
from ..model.registry import DEFAULT_MODEL, VARIABLE, Found, known_models, look_for_models, stamp, user_folder
from .names import printable
from .reporter import Reporter

_SCRATCH = ".scratch-"
_PATIENCE = 60  # seconds; installing takes a few
_SAMPLE = (150, 100)


def list_models(report: Reporter, as_json: bool) -> None:
    """Say name, id and place of every model, and what was left out and why."""
    for model in look_for_models():
        if not isinstance(model, Found):
            report.fail(printable(model.reason))
        elif as_json:
            shown = {"name": model.name, "id": f"{model.id:08x}", "default": model.name == DEFAULT_MODEL}
            report.say(json.dumps({**shown, "origin": model.origin, "folder": str(model.folder)}))
        else:
            notes = f"{model.origin}, default" if model.name == DEFAULT_MODEL else model.origin
            report.say(printable(f"{model.name}  {model.id:08x}  ({notes})  {model.folder}"))


def install(source: Path) -> Found:
    """Copy a model into the user's folder, whole or not at all. It is tried before; what it lacks is an `AezWarning`.

    Raises:
        ModelError: the folder holds no model, one that does not work, or one whose name or id is taken.
        AezError, OSError: it cannot be copied.
    """
    description, before = read_description(source), stamp(source)
    with _alone() as home:
        _refuse_taken(description.name, description.id, source)
        _try(source)
        target = home / description.name
        if os.path.lexists(target):
            raise ModelError(f"{target} exists", f"aez models remove {description.name}")
        with TemporaryDirectory(dir=home, prefix=_SCRATCH) as scratch:
            new = Path(scratch) / description.name
            new.mkdir()
            for name in FILES:
                if name in NEEDED or os.path.lexists(source / name):
                    _write(new / name, read_file(source, name))
            if stamp(source) != before:
                raise ModelError(f"{source} has just changed; try again")
            new.rename(target)
    if not (target / PARAMS).exists():
        warn(f"there is no {PARAMS}: its id is believed, and it has no --effort")
    return Found(description.name, description.id, target, "installed", description.scale)


def remove(name: str) -> Path:
    """Remove a model from the user's folder, also a broken one; returns where it was.

    Raises:
        ModelError: there is no such model in that folder.
        AezError, OSError: it cannot be removed.
    """
    folder = _installed_folder(name)
    with _alone() as home, TemporaryDirectory(dir=home, prefix=_SCRATCH) as scratch:
        folder.rename(Path(scratch) / "model")
    return folder


def _refuse_taken(name: str, model_id: int, source: Path) -> None:
    for known in known_models():
        if (known.name == name or known.id == model_id) and not known.folder.samefile(source):
            word = f"name {name}" if known.name == name else f"id {model_id:08x}"
            raise ModelError(f"{source}: the {word} is taken by {known.name} in {known.folder}")


def _try(source: Path) -> None:
    """Encode and decode with a model, which starts all of its networks.

    Raises:
        ModelError: it does not work.
    """
    noise = np.random.default_rng(0).integers(0, 256, (*_SAMPLE, 3), np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QualityWarning)  # no model shows noise
        data = api.encode(Image.fromarray(noise), model=source, device="cpu")
    try:
        for resolution in ("high", "medium"):
            api.decode(data, resolution, model=source, device="cpu")
    except DamagedError as error:
        raise ModelError(f"{source}: it does not decode what it encodes ({error})") from error


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _installed_folder(name: str) -> Path:
    folder = user_folder() / name
    if is_name(name) and os.path.lexists(folder):
        return folder
    known = next((model for model in known_models() if model.name == name), None)
    if known is None:
        raise ModelError(f"no model named {name} is installed in {user_folder()}")
    if known.origin == "installed":
        return known.folder
    origin = "shipped with aez" if known.origin == "shipped" else f"found by {VARIABLE} in {known.folder}"
    raise ModelError(f"{name} is {origin}; only installed models can be removed")


@contextmanager
def _alone() -> Iterator[Path]:
    """The user's folder, in which nobody else installs or removes; without what killed commands left there."""
    from filelock import FileLock, Timeout

    home = user_folder()
    if not home.is_absolute():
        raise AezError("there is no home folder to install into", f"{VARIABLE} can name others")
    home.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home / ".lock", timeout=_PATIENCE):
            for leftover in home.glob(f"{_SCRATCH}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield home
    except Timeout as error:
        raise AezError(f"{home}: another aez installs or removes a model") from error
