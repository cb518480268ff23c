"""The experiments of `examples/`: each runs, in a few steps, and the page is what they left behind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "autoencoders"
WITH_PICTURES = "kinds", "translation", "upscaling", "family", "anomalies", "video"
EXPERIMENTS = {"digits": ()} | dict.fromkeys(WITH_PICTURES, ("--pictures", ROOT / "samples"))


def run_python(*arguments: object, folder: Path = ROOT) -> str:
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_leaves_its_figures(name: str, tmp_path: Path) -> None:
    printed = run_python(FOLDER / f"{name}.py", "--quick", "--out", tmp_path, *EXPERIMENTS[name])
    found = json.loads((tmp_path / f"{name}.json").read_text())
    assert found.keys() == json.loads((ROOT / "docs" / "autoencoders" / f"{name}.json").read_text()).keys()
    assert all(value in printed for value in found.values() if value.startswith("|"))
    assert (tmp_path / f"{name}.png").stat().st_size > 10_000


def test_the_page_has_the_figures_that_are_stored() -> None:
    made = run_python("-c", "import page; print(page.page(page.DOCS), end='')", folder=FOLDER)
    assert made == (ROOT / "docs" / "autoencoders.md").read_text()
