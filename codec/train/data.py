"""Training pictures: decoded once, kept as uint8 on the training device, cropped there."""

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import AezError, AezWarning, warn
from ..picture.convert import from_pillow
from ..picture.files.formats import READABLE
from ..picture.files.opening import open_picture

SMALLEST_SCALE = 0.6


class DataError(AezError):
    """The training pictures cannot be used."""


def find_pictures(folders: Iterable[Path]) -> list[Path]:
    """Every picture file below the folders, by its real path, sorted.

    Raises:
        DataError: a folder does not exist, or there is no picture.
    """
    folders = list(folders)
    found: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise DataError(f"{folder}: not a directory")
        found += [path.resolve() for path in folder.rglob("*") if path.suffix.lower() in READABLE]
    if not found:
        raise DataError(f"no pictures found in {named(folders)}")
    return sorted({*found})


def named(folders: Iterable[Path]) -> str:
    """Folders in a sentence."""
    return ", ".join(map(str, folders))


def load_pictures(paths: Iterable[Path], smallest: int, device: torch.device) -> Iterator[Tensor]:
    """RGB pictures [3, H, W] of uint8; those that are too small are left out, unreadable ones with a warning."""
    for path in paths:
        try:
            with open_picture(path.read_bytes()) as image, warnings.catch_warnings():
                warnings.simplefilter("ignore", AezWarning)
                rgb = from_pillow(image).seen if min(image.size) >= smallest else None
        except (AezError, OSError) as error:
            warn(f"{path} is left out: {error}")
            continue
        if rgb is not None:
            yield torch.tensor(rgb).permute(2, 0, 1).contiguous().to(device)


class Crops:
    """Random square crops, flipped, transposed and scaled down at random; larger pictures are drawn more often."""

    def __init__(self, pictures: list[Tensor], seed: int) -> None:
        self.pictures = pictures
        areas = np.array([p.shape[1] * p.shape[2] for p in pictures], float)
        self.probabilities = areas / areas.sum()
        self.random = np.random.default_rng(seed)

    def batch(self, count: int, size: int) -> Tensor:
        """Crops [count, 3, size, size] in 0..1, channels last, on the pictures' device."""
        chosen = self.random.choice(len(self.pictures), count, p=self.probabilities)
        crops = torch.stack([self._crop(self.pictures[i], size) for i in chosen])
        return (crops.float() / 255).contiguous(memory_format=torch.channels_last)

    def _crop(self, picture: Tensor, size: int) -> Tensor:
        random = self.random
        height, width = picture.shape[1:]
        scaled = random.random() < 0.5
        extent = min(round(size / random.uniform(SMALLEST_SCALE, 1)), height, width) if scaled else size
        top, left = random.integers(0, height - extent + 1), random.integers(0, width - extent + 1)
        crop = picture[:, top : top + extent, left : left + extent]
        if extent > size:
            crop = F.interpolate(crop[None].float(), (size, size), mode="bicubic", antialias=True)[0]
            crop = crop.round().clamp(0, 255).to(torch.uint8)
        if random.random() < 0.5:
            crop = crop.flip(2)
        if random.random() < 0.5:
            crop = crop.transpose(1, 2)
        return crop
