"""What may be stored of a picture as samples: they themselves, or near ones, which take fewer bits."""

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ..arrays import Floats, Samples
from ..format.exact import Map, pixels_of
from ..picture.convert import Picture
from .encode import Split
from .exact_bits import Estimate, estimate_exact_bits
from .lossless import encode_lossless
from .near_lossless import near_lossless

_PER_ROOT, _MOST = 0.7, 8


def affordable_error(price: float) -> int:
    """How many levels samples may be off at a price of error, in bits per pixel and squared level.

    The step of an ideal code of samples is inversely proportional to the root of the price.
    """
    return min(int(_PER_ROOT / math.sqrt(price)), _MOST)


@dataclass
class Storable:
    """Samples [H, W, 3] of a picture of which blocks may be stored, `candidates` more likely than others.

    What takes time is done once.
    """

    picture: Picture
    candidates: Map
    samples: Samples
    estimate: Estimate
    limit: int = 0
    _last: Split | None = field(default=None, init=False)

    def within(self, limit: int) -> "Storable":
        """Samples that are at most so many levels off."""
        seen = self.picture.seen
        samples = near_lossless(seen, limit, pixels_of(self.candidates, *seen.shape[:2]))
        return Storable(self.picture, self.candidates, samples, estimate_exact_bits(samples), limit)

    @cached_property
    def max_error(self) -> int:
        """How many levels they are off."""
        return int(np.abs(self.samples.astype(np.int16) - self.picture.seen).max()) if self.limit else 0

    @cached_property
    def file(self) -> bytes:
        """The file whose blocks are all exact."""
        picture = replace(self.picture, rgb=self.samples) if self.max_error else self.picture
        return encode_lossless(picture, self.max_error)

    @cached_property
    def whole(self) -> Split:
        """What such a file stores."""
        return self._split(np.ones_like(self.candidates))

    @cached_property
    def candidates_bytes(self) -> int:
        """Bytes of the candidates in a sheet."""
        return len(self.file if self.candidates.all() else self.split(self.candidates).section.content)

    @cached_property
    def bits(self) -> Floats:
        """An estimate for each block [rows, columns], in the proportion that is right for all candidates together."""
        bits = self.estimate.bits
        return bits * np.float32(8 * self.candidates_bytes / max(bits[self.candidates].sum(), 1))

    def split(self, exact: Map) -> Split:
        """With the blocks of a map stored; the last one is kept, as searches ask for it again."""
        if self._last is None or not np.array_equal(self._last.exact, exact):
            self._last = self._split(exact)
        return self._last

    def _split(self, exact: Map) -> Split:
        return Split(self.picture.seen, exact, self.samples, self.max_error)
