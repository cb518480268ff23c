"""Models whose files are damaged."""

import shutil
from pathlib import Path

import pytest

from aez import ModelError
from aez.model import registry
from aez.model.model import Model
from aez.model.registry import DEFAULT_MODEL, WEIGHTS, installed_models


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the default model."""
    return shutil.copytree(WEIGHTS / DEFAULT_MODEL, tmp_path / "models" / "copy")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_damaged_tables_are_said(folder: Path, content: bytes) -> None:
    (folder / "entropy.npz").write_bytes(content)
    with pytest.raises(ModelError, match="copy: not a model"):
        Model(folder)


def test_truncated_tables_are_said(folder: Path) -> None:
    tables = folder / "entropy.npz"
    tables.write_bytes(tables.read_bytes()[:-100])
    with pytest.raises(ModelError, match="copy: not a model"):
        Model(folder)


@pytest.mark.parametrize(
    "description", ["", "[]", "3", "{}", '{"name": "copy", "id": 5}', '{"name": "copy", "id": "x"}']
)
def test_damaged_descriptions_are_said_and_hide_no_other_model(
    folder: Path, monkeypatch: pytest.MonkeyPatch, description: str
) -> None:
    shutil.copytree(folder, folder.parent / "other")
    (folder / "model.json").write_text(description)
    with pytest.raises(ModelError, match="copy: not a model"):
        Model(folder)
    monkeypatch.setattr(registry, "WEIGHTS", folder.parent)
    assert list(installed_models()) == [DEFAULT_MODEL]
