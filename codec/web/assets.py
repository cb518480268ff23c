"""What browsers fetch to show .aez files: scripts, which are built from `web/`, and bundles of weights."""

import hashlib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from ..model.registry import Found, find_by_id, stamp
from .bundle import PARTS, VERSION, Part, make_bundle

SCRIPT, DECODER, FALLBACK = "aez.js", "decoder.js", "webp.js"
"""The script that pages include; what its workers run; what these fetch where browsers alter samples of WebP."""
WORKERS = (DECODER, FALLBACK)
FOLDER = "aez"
"""Beside the script: where it looks for all else."""
_STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Asset:
    """A file, named as below the root of a web server."""

    name: str
    data: bytes


def script(name: str) -> str:
    """`SCRIPT`, `DECODER` or `FALLBACK`."""
    return (_STATIC / name).read_text("utf-8")


@cache
def hashed_name(name: str) -> str:
    """Where `aez.js` looks for one of `WORKERS` within `FOLDER`: no other version of it is called the same."""
    stem, suffix = name.split(".")
    return f"{stem}-{hashlib.sha256(script(name).encode()).hexdigest()[:8]}.{suffix}"


def bundle(model: Found, part: Part) -> bytes:
    """A model's weights.

    Raises:
        ModelError: they cannot be read.
    """
    return _made(model.folder, stamp(model.folder), part)


def bundle_name(model: Found, part: Part) -> str:
    """Where `aez.js` looks for weights, within `FOLDER`."""
    return f"{model.id:08x}-{VERSION}.{part}"


def find_asset(name: str) -> bytes | None:
    """What a browser gets that asks for `name` within `FOLDER`; None if there is no such thing.

    Raises:
        ModelError: weights cannot be read.
    """
    for worker in WORKERS:
        if name == hashed_name(worker):
            return script(worker).encode()
    model = _find(name.partition("-")[0])
    return next((bundle(model, part) for part in PARTS if name == bundle_name(model, part)), None) if model else None


def all_assets(models: list[Found]) -> list[Asset]:
    """Everything that a web server needs to show files of some models; last the script, which asks for all else.

    Raises:
        ModelError: weights cannot be read.
    """
    parts = [(model, part) for model in models for part in PARTS]
    weights = [Asset(f"{FOLDER}/{bundle_name(model, part)}", bundle(model, part)) for model, part in parts]
    workers = [Asset(f"{FOLDER}/{hashed_name(name)}", script(name).encode()) for name in WORKERS]
    return [*workers, *weights, Asset(SCRIPT, script(SCRIPT).encode())]


def _find(text: str) -> Found | None:
    try:
        return find_by_id(int(text, 16))
    except ValueError:
        return None


@lru_cache(8)
def _made(folder: Path, _: object, part: Part) -> bytes:
    return make_bundle(folder, part)
