"""Real pictures and the command line, for all tests."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

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


def start_browser(folder: Path, size: str) -> Chrome:
    """Headless Chromium, "width,height" in pixels, without anything that would look for a network."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("needs chromium and chromium-driver")
    options = ChromeOptions()
    options.binary_location = chromium
    for argument in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync"):
        options.add_argument(f"--{argument}")
    options.add_argument("--disable-background-networking")
    options.add_argument("--disable-component-update")
    options.add_argument(f"--user-data-dir={folder / 'chromium'}")
    options.add_argument(f"--window-size={size}")
    return Chrome(options, ChromeService(driver))


def psnr(image: Image.Image | np.ndarray, expected: Image.Image | np.ndarray) -> float:
    """PSNR in dB of 8-bit samples."""
    error = np.asarray(image, float) - np.asarray(expected, float)
    return 10 * math.log10(255**2 / max(float(np.square(error).mean()), 1e-9))
