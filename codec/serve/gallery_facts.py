"""What JPEG and AVIF would need for what an .aez file shows, as it is kept beside the files of a folder."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from ..metrics.rate_distortion import Metric
from ..output import write_file

FILE = ".aez-gallery.json"
_VERSION = 1


@dataclass(frozen=True)
class Facts:
    """Fidelity of a resolution, and bytes of the JPEG and the AVIF of nearest fidelity."""

    fidelity: float
    jpeg: int
    avif: int | None


@dataclass(frozen=True)
class Measured:
    """Both resolutions of a file by one measure; `bytes` tells whether the file is still the same."""

    bytes: int
    metric: Metric
    high: Facts
    medium: Facts


def load_facts(root: Path) -> dict[str, Measured]:
    """What was measured of the files of a folder, by names without suffix; nothing where that cannot be read."""
    try:
        stored = json.loads((root / FILE).read_text())
        if stored["version"] != _VERSION:
            return {}
        return {
            name: Measured(int(facts["bytes"]), _metric(facts), _read(facts["high"]), _read(facts["medium"]))
            for name, facts in stored["pictures"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}


def keep_facts(root: Path, found: Mapping[str, Measured]) -> None:
    """Keep what was measured of the files of a folder.

    Raises:
        OSError: it cannot be written.
    """
    stored = {"version": _VERSION, "pictures": {name: asdict(measured) for name, measured in found.items()}}
    write_file(root / FILE, json.dumps(stored, indent=1).encode(), overwrite=True)


def _metric(facts: Mapping[str, Any]) -> Metric:
    metrics: tuple[Metric, ...] = get_args(Metric)
    return metrics[metrics.index(facts["metric"])]


def _read(facts: Mapping[str, Any]) -> Facts:
    avif = facts["avif"]
    return Facts(float(facts["fidelity"]), int(facts["jpeg"]), None if avif is None else int(avif))
