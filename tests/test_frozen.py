"""The format is frozen: what was released stays, and stays as it was."""

import hashlib
import re
from pathlib import Path

import pytest

from aez.model.folder import PARAMS, read_arrays
from aez.model.identity import arrays_hash, check_identity, read_params
from aez.model.registry import find_by_id, find_by_name

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
SPECIFICATION = (HERE.parent / "format_spec.md").read_text()
RELEASED = re.findall(r"^\| `([\w-]+)` \| `([0-9a-f]{8})` \| `([0-9a-f]{64})` \|", SPECIFICATION, re.MULTILINE)


@pytest.mark.parametrize(("name", "model_id", "sha256"), RELEASED)
def test_released_models_are_shipped(name: str, model_id: str, sha256: str) -> None:
    number = int(model_id, 16)
    found = find_by_id(number)
    assert found == find_by_name(name)
    assert found.origin == "shipped"
    check_identity(found.folder)
    if (found.folder / PARAMS).exists():
        assert arrays_hash({**read_arrays(found.folder), **read_params(found.folder)}) == sha256
    assert sha256.startswith(model_id)


def test_all_shipped_models_are_released() -> None:
    shipped = {folder.name for folder in (HERE.parent / "weights").iterdir()}
    assert shipped == {name for name, _, _ in RELEASED}


def test_golden_files_stay_what_they_are() -> None:
    listed = dict(reversed(line.split()) for line in (GOLDEN / "SHA256SUMS").read_text().splitlines())
    there = {path.name for path in GOLDEN.iterdir() if path.suffix in {".aez", ".png"}}
    assert there == listed.keys()
    for name, expected in listed.items():
        assert hashlib.sha256((GOLDEN / name).read_bytes()).hexdigest() == expected, name
