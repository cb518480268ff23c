"""Real pictures and the command line, for all tests."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from aez.cli import main

SAMPLE = Path(__file__).parent.parent / "samples" / "kodim23.png"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--mutations", type=int, default=2000, help="how many files both decoders are asked about")


@pytest.fixture(scope="session")
def sample() -> Image.Image:
    """A photograph of 768 x 512."""
    with Image.open(SAMPLE) as image:
        image.load()
        return image


@pytest.fixture(scope="session")
def photograph(sample: Image.Image) -> Image.Image:
    """A part of it, small and of odd size, for tests that need no large one."""
    return sample.crop((90, 60, 90 + 171, 60 + 133))


@pytest.fixture(scope="session")
def run() -> Callable[..., Result]:
    """Run the command line in this process."""
    return lambda *arguments, **options: CliRunner().invoke(main, [str(a) for a in arguments], **options)


def psnr(image: Image.Image | np.ndarray, expected: Image.Image | np.ndarray) -> float:
    """PSNR in dB of 8-bit samples."""
    error = np.asarray(image, float) - np.asarray(expected, float)
    return 10 * math.log10(255**2 / max(float(np.square(error).mean()), 1e-9))
