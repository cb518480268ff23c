"""The experiments of `examples/`: each runs, in a few steps, and the page is what they left behind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

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
    assert all(value in printed for value in found.values())
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.json", f"{name}.png"}
    assert (tmp_path / f"{name}.png").stat().st_size > 10_000


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Two, and two files that will not do."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    with Image.open(ROOT / "samples" / "kodim23.png") as sample:
        for name, image in (
            ("good", sample),
            ("turned", sample.rotate(90, expand=True)),
            ("tiny", sample.resize((9, 9))),
        ):
            image.save(folder / f"{name}.jpg")
    (folder / "damaged.jpg").write_bytes((folder / "good.jpg").read_bytes()[:100])
    return folder


def test_files_that_will_not_do_are_left_out(photographs: Path, tmp_path: Path) -> None:
    arguments = FOLDER / "anomalies.py", "--quick", "--pictures", photographs, "--out", tmp_path / "out"
    assert "2 of 4 files are damaged or smaller than 256 pixels" in run_python(*arguments)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, "not a directory"),
        ([], "no pictures found"),
        (["tiny.jpg", "damaged.jpg"], "no photograph of at least 256 x 256 pixels"),
        (["good.jpg", "turned.jpg"], "2 photographs say nothing; it takes 20, or --quick"),
    ],
)
def test_folders_that_will_not_do(photographs: Path, files: list[str] | None, message: str) -> None:
    for path in photographs.iterdir():
        if path.name not in (files or ()):
            path.unlink()
    if files is None:
        photographs.rmdir()
    command = [sys.executable, FOLDER / "anomalies.py", "--pictures", photographs]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    assert found.returncode == 1
    (line,) = found.stderr.splitlines()
    assert line.startswith("anomalies.py: ") and message in line


def test_photographs_kept_aside_stay_there_when_others_are_added() -> None:
    code = """
from pathlib import Path
from data import apart
few, many = ([Path(f"{n}.jpg") for n in range(count)] for count in (100, 200))
(training, test), (more_training, more_test) = apart(few), apart(many)
assert not set(training) & set(test) and len(training) + len(test) == 100
assert set(training) <= set(more_training) and set(test) <= set(more_test) and 10 < len(test) < 30
"""
    run_python("-c", code, folder=FOLDER)


def test_bytes_of_a_code_are_read_back() -> None:
    code = """
import numpy as np
from coding import Coder
codes = np.random.default_rng(0).normal(0, [[[[0.2]], [[3]], [[40]]]], (50, 3, 4, 4)).round().astype(np.int32)
coder = Coder.fitted(codes)
data = coder.encode(codes[:7])
assert np.array_equal(coder.decode(data, (7, 3, 4, 4)), codes[:7])
alone, together = coder.sizes(codes)
shares = [np.unique(channel, return_counts=True)[1] / channel.size for channel in codes.swapaxes(0, 1)]
entropy = sum(-16 * (share * np.log2(share)).sum() for share in shares) / 8
assert entropy < together < 1.05 * entropy < alone
"""
    run_python("-c", code, folder=FOLDER)


def test_the_page_has_the_figures_that_are_stored() -> None:
    made = run_python("-c", "import page; print(page.page(page.DOCS), end='')", folder=FOLDER)
    assert made == (ROOT / "docs" / "autoencoders.md").read_text()
