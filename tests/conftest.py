"""Real pictures and the command line, for all tests."""

import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import settings
from own_models import make_model
from PIL import Image

from aez.cli import main

settings.register_profile("thorough", max_examples=1000)

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
def grain() -> Image.Image:
    """Noise of 8 x 8 pixels, whose .aez is larger than its PNG."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8))


@pytest.fixture(scope="session", autouse=True)
def no_models_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Only the shipped models are there, whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AEZ_MODELS", raising=False)
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def own_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is not shipped, mine-1, which no test changes."""
    return make_model(tmp_path_factory.mktemp("own") / "mine-1")


@pytest.fixture
def own(own_model: Path, tmp_path: Path) -> Path:
    """A copy of it in a folder for models."""
    return shutil.copytree(own_model, tmp_path / "models" / "mine-1")


@pytest.fixture(scope="session")
def run() -> Callable[..., Result]:
    """Run the command line in this process."""
    return lambda *arguments, **options: CliRunner().invoke(main, [str(a) for a in arguments], **options)


def psnr(image: Image.Image | np.ndarray, expected: Image.Image | np.ndarray) -> float:
    """PSNR in dB of 8-bit samples."""
    error = np.asarray(image, float) - np.asarray(expected, float)
    return 10 * math.log10(255**2 / max(float(np.square(error).mean()), 1e-9))
