"""What each block of a picture costs where the networks code it: bits, and its error at the price of its quality."""

import math
from collections.abc import Sequence

import numpy as np

from ..arrays import Floats, Samples
from ..format.entropy import Indices, Symbols
from ..format.exact import SIDE
from ..format.tables import PRECISION, Table
from ..model.model import Layer, Model
from ..model.networks import LATENT_UNIT
from .encode import Encoded
from .latents import checkerboard_half, code_layer

_GREEN = 1
_DCT = 8
_PLACES = np.arange(_DCT)
_COSINES = (math.sqrt(2 / _DCT) * np.cos(np.pi / _DCT * np.outer(_PLACES, _PLACES + 0.5))).astype(np.float32)
_COSINES[0] /= math.sqrt(2)


def latent_bits(model: Model, encoded: Encoded, layers: list[Layer]) -> Floats:
    """Bits of the latents of each 16 x 16 block, [rows, columns], by the tables that code them.

    Blocks of the padding are among them, hyper latents are not.
    """
    assert encoded.latents is not None
    assert encoded.features is not None
    costs = _SymbolCosts(model.scale_tables.tables)
    bits = np.zeros((1, *encoded.latents.shape[2:]), np.float32)
    for layer in layers:
        known = encoded.latents[0, layer.channels]

        def code(first: bool, mean: Floats, index: Indices, known: Floats = known) -> Symbols:
            symbols = ((checkerboard_half(known, first) - mean) / LATENT_UNIT).astype(np.int32)
            checkerboard_half(bits, first)[...] += costs.of(symbols, index).sum(0)
            return symbols

        code_layer(model, layer, encoded.features, encoded.latents.copy(), code)
    blocks: Floats = bits[0]
    return blocks


def error_costs(decoded: Samples, original: Samples, price: float, side: int = SIDE) -> Floats:
    """What the error of each block [rows, columns] is worth in bits, at a price in bits per pixel and squared level."""
    error = np.square(decoded.astype(np.float32) - original).mean(2)
    rows, columns = (np.arange(0, length, side) for length in error.shape)
    sums: Floats = np.add.reduceat(np.add.reduceat(error, rows, axis=0), columns, axis=1)
    costs: Floats = sums * np.float32(price)
    return costs


def learned_cost_at_least(rgb: Samples, price: float) -> float:
    """Bits and price of the error below which no learned coding of a picture stays.

    It is the least cost of an 8 x 8 cosine transform of one channel under an ideal code (reverse water-filling, Cover
    and Thomas, 10.3.3). Whole files of pages and photographs cost at least 1.9 times that.
    """
    height, width = (side // _DCT * _DCT for side in rgb.shape[:2])
    shape = height // _DCT, _DCT, width // _DCT, _DCT
    samples = rgb[:height, :width, _GREEN].astype(np.float32).reshape(shape).transpose(0, 2, 1, 3)
    energy = np.square(_COSINES @ samples @ _COSINES.T)
    energy[..., 0, 0] = 0
    level = 1 / (2 * math.log(2) * price)
    coded = np.log2(np.maximum(energy / level, 1)) / 2 + price * np.minimum(energy, level)
    return float(coded.sum())


class _SymbolCosts:
    """Bits of symbols under tables."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._half_widths = np.array([table.half_width for table in tables])
        self._starts = np.cumsum([0, *(len(table.frequencies) for table in tables[:-1])])
        self._bits = PRECISION - np.log2(np.concatenate([table.frequencies for table in tables])).astype(np.float32)
        self._bits[: len(tables[0].frequencies)] = 0  # certain zeros are not coded

    def of(self, symbols: Symbols, indices: Indices) -> Floats:
        """Bits of symbols under the tables of their indices; an escape has its magnitude in Elias' gamma code."""
        half, magnitude = self._half_widths[indices], np.abs(symbols)
        beyond = magnitude > half
        entry = np.where(beyond, 2 * half + 1, symbols + half)
        excess = np.where(beyond, magnitude - half, 1).astype(np.float32)
        bits: Floats = self._bits[self._starts[indices] + entry] + 2 * np.log2(excess) + beyond
        return bits
