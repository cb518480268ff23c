"""What one file of aez for both resolutions takes beside two files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from data import crops, image_of
from PIL import Image
from torch.nn import functional as F

import aez
from aez.metrics.fidelity import psnr
from aez.metrics.rate_distortion import Point, bpp_at

QUALITY, SIDE = 70, 512


@dataclass(frozen=True)
class OneFile:
    """Bytes of one file of aez, of the part of it that medium needs, and of a file of medium alone, as good.

    Sums over so many photographs: those for which there is a file of medium that is as good.
    """

    count: int
    whole: float
    front: float
    alone: float


def one_file(paths: list[Path]) -> OneFile:
    """Of details of photographs."""
    sums, count = np.zeros(3), 0
    for picture in crops(paths, SIDE, len(paths), seed=3):
        high = image_of(picture)
        medium = image_of(F.avg_pool2d(picture[None], 2)[0])
        file = aez.encode(high, QUALITY, exact="never")
        info = aez.info(file)
        reached = fidelity(aez.decode(file, "medium"), medium)
        by_itself = []
        for quality in range(20, 100, 10):
            of_medium = aez.encode(medium, quality, exact="never", layers="all")
            by_itself.append(Point(quality, len(of_medium), fidelity(aez.decode(of_medium), medium)))
        alone = bpp_at(by_itself, reached)
        if alone:
            sums += len(file), info.medium_bytes, alone
            count += 1
    whole, front, alone = sums
    return OneFile(count, whole, front, alone)


def fidelity(found: Image.Image, wanted: Image.Image) -> float:
    """PSNR in dB."""
    return psnr(np.asarray(found), np.asarray(wanted))
