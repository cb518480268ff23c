"""The documentation is that of the code: examples run, and what is generated is current."""

import doctest
import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from conftest import SAMPLE
from PIL import Image

import aez
from aez.cli import main as aez_main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTED = [aez, *(getattr(aez, name) for name in aez.__all__ if inspect.isfunction(getattr(aez, name))), aez.Target]


@pytest.mark.parametrize("subject", DOCUMENTED, ids=lambda subject: subject.__name__)
def test_examples_run(
    subject: object, photograph: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photograph.save(tmp_path / "img.png")
    monkeypatch.chdir(tmp_path)
    names = {"aez": aez, "Image": Image}
    (found,) = doctest.DocTestFinder(recurse=False).find(subject, "example", globs=names)
    assert found.examples
    assert doctest.DocTestRunner().run(found).failed == 0


@pytest.fixture
def beside_img_png(photograph: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder holds img.png, and photos/ with another picture."""
    photograph.save(tmp_path / "img.png")
    (tmp_path / "photos").mkdir()
    shutil.copy(SAMPLE, tmp_path / "photos")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("beside_img_png")
def test_python_of_the_readme_runs_as_written() -> None:
    shutil.copy(SAMPLE, "img.png")
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    subprocess.run([sys.executable, "-W", "error", "-c", block], check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})


@pytest.mark.usefixtures("beside_img_png")
@pytest.mark.parametrize("text", [README, aez_main.help], ids=["README", "help"])
def test_commands_of_the_readme_and_of_help_run_one_after_the_other(run: Callable[..., Result], text: str) -> None:
    examples = text.partition("```\n\n")[0]
    lines = re.findall(r"^ *aez ((?:encode|decode|info|compare|batch) .*?)(?:  .*)?$", examples, re.MULTILINE)
    assert len(lines) >= 3
    for line in lines:
        result = run(*shlex.split(line))
        assert result.exit_code == 0, f"aez {line}: {result.stderr}"


@pytest.mark.parametrize("command", [[], ["models"]])
def test_help_names_every_command_in_whole_sentences(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert "..." not in run(*command, "--help").stdout.partition("Commands:")[2]


def test_man_pages_are_named_in_whole_sentences() -> None:
    for page in (ROOT / "docs" / "man").iterdir():
        assert "..." not in page.read_text().partition(".SH NAME")[2].partition(".SH SYNOPSIS")[0], page


def test_generated_pages_are_current() -> None:
    made = subprocess.run(
        [sys.executable, ROOT / "docs" / "make.py", "--check"], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
