"""Making the entropy coder's tables: what training assumed, then what the coder really meets."""

import math

import numpy as np
import numpy.typing as npt
import torch

from ..format.entropy import Indices, Symbols, TableSet
from ..format.quality import KNOTS
from ..format.tables import HYPER_MAX, SCALES, TOTAL, Frequencies, Table
from ..nn.codec import Codec
from ..nn.rate import scale_of_index

HYPER_HALF_WIDTH = 31
PRIOR_COUNT = 2000.0
SUPPORT = 4.5
_erf = np.vectorize(math.erf)


def integer_frequencies(probabilities: npt.NDArray[np.float64]) -> Frequencies:
    """Round probabilities to integers of at least 1 that sum to 2^24; the most probable symbol takes the rest."""
    share = probabilities / probabilities.sum()
    frequencies: Frequencies = np.floor(share * (TOTAL - len(share))).astype(np.int32) + 1
    frequencies[np.argmax(frequencies)] += TOTAL - int(frequencies.sum())
    return frequencies


def gaussian_probabilities(scale: float) -> npt.NDArray[np.float64]:
    """Probabilities of a zero-mean Gaussian on unit bins, -L..L with L = ceil(4.5 scale) + 1, then both tails."""
    half_width = math.ceil(SUPPORT * scale) + 1
    edges = np.arange(-half_width, half_width + 2) - 0.5
    cumulative = 0.5 * (1 + _erf(edges / scale / math.sqrt(2)))
    return np.append(np.diff(cumulative), 1 - cumulative[-1] + cumulative[0])


def gaussian_tables() -> list[Table]:
    """The scale tables that training assumes."""
    scales = scale_of_index(torch.arange(SCALES, dtype=torch.float64)).tolist()
    return [Table(integer_frequencies(gaussian_probabilities(scale))) for scale in scales]


@torch.no_grad()
def hyper_tables(codec: Codec) -> npt.NDArray[np.int32]:
    """Frequencies of the hyper latents, [KNOTS, C, 2 * HYPER_HALF_WIDTH + 2]."""
    values = torch.arange(-HYPER_MAX, HYPER_MAX + 1).float()[None, None, :, None].expand(1, codec.arch.hyper, -1, 1)
    tables = []
    for knot in torch.eye(KNOTS):
        mass = codec.prior.mass(values, knot[None])[0, :, :, 0].double().numpy()
        inside = slice(HYPER_MAX - HYPER_HALF_WIDTH, HYPER_MAX + HYPER_HALF_WIDTH + 1)
        beyond = np.maximum(1 - mass[:, inside].sum(1, keepdims=True), 1e-6)
        tables.append([integer_frequencies(row) for row in np.hstack([mass[:, inside], beyond])])
    return np.array(tables)


class Histogram:
    """A symbol writer that counts instead of writing, for tables fitted to what is really coded."""

    def __init__(self, tables: TableSet) -> None:
        self._tables = tables
        self.counts = [np.zeros(len(table.frequencies)) for table in tables.tables]

    def write(self, symbols: Symbols, indices: Indices, tables: TableSet) -> None:
        for index in np.unique(indices):
            half_width = tables.tables[index].half_width
            chosen = symbols[indices == index]
            entries = np.where(np.abs(chosen) > half_width, 2 * half_width + 1, chosen + half_width)
            self.counts[index] += np.bincount(entries, minlength=2 * half_width + 2)

    def finish(self) -> bytes:
        return b""

    def fitted(self) -> list[Table]:
        """Tables of the symmetrized counts, with the given tables as prior."""
        fitted = []
        for table, counts in zip(self._tables.tables, self.counts, strict=True):
            inside = (counts[:-1] + counts[:-1][::-1]) / 2
            prior = table.frequencies / table.frequencies.sum() * PRIOR_COUNT
            fitted.append(Table(integer_frequencies(np.append(inside, counts[-1]) + prior)))
        return fitted
