"""The documentation is that of the code: examples run, and what is generated is current."""

import doctest
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import aez

ROOT = Path(__file__).parent.parent
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


def test_generated_pages_are_current() -> None:
    made = subprocess.run(
        [sys.executable, ROOT / "docs" / "make.py", "--check"], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
