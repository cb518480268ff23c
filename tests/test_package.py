"""The wheel: what is in it, and that it works where nothing else is installed."""

import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from conftest import SAMPLE

from aez.model.registry import DEFAULT_MODEL

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", folder, ROOT], check=True)
    (path,) = folder.glob("*.whl")
    return path


def test_only_aez_lands_in_site_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names if not re.search(r"\.(dist-info|data)/", name)} == {"aez"}
    assert all("/share/man/man1/aez" in name for name in names if ".data/" in name)
    for needed in ("aez/py.typed", "aez/cli.py", f"aez/weights/{DEFAULT_MODEL}/synthesis.onnx"):
        assert needed in names
    assert not [name for name in names if "__pycache__" in name]


def test_it_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    scripts = tmp_path / "env" / "bin"
    subprocess.run([scripts / "pip", "-q", "--disable-pip-version-check", "install", wheel], check=True)
    for arguments in (
        ["encode", SAMPLE, "-o", "x.aez"],
        ["decode", "x.aez"],
        ["decode", "x.aez", "--res", "medium"],
        ["info", "x.aez"],
    ):
        subprocess.run([scripts / "aez", *arguments], check=True, cwd=tmp_path, capture_output=True)
    assert (tmp_path / "x.png").exists()
    assert (tmp_path / "x.medium.png").exists()
    compared = subprocess.run(
        [scripts / "aez", "compare", "x.medium.png"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "JPEG 4:2:0" in compared.stdout
    assert "JPEG XL" not in compared.stdout
    (note,) = compared.stderr.splitlines()
    assert note.startswith("aez: note: left out: JPEG XL (needs pillow_jxl), SSIMULACRA2")
    assert note.endswith("pip install 'aez[compare]'")
    for extra, arguments in (
        ("train", ["train", tmp_path]),
        ("effort", ["encode", "x.png", "--effort", "1", "-o", "y.aez"]),
        ("compare", ["compare", "x.png", "--report", "report"]),
    ):
        failed = subprocess.run(
            [scripts / "aez", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert failed.returncode == 1
        assert failed.stderr.count("\n") == 1
        assert f"pip install 'aez[{extra}]'" in failed.stderr
    assert not (tmp_path / "report").exists()
    assert not (tmp_path / "y.aez").exists()


def test_nothing_is_left_at_home_to_be_reported(tmp_path: Path) -> None:
    said = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    home = {name: str(tmp_path) for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    command = [sys.executable, "-m", "aez.cli", "encode", SAMPLE, "-o", os.devnull]
    subprocess.run(command, env=said | home, check=True, capture_output=True)
    assert list(tmp_path.iterdir()) == []
