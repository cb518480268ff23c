"""Latents <-> symbols: two layers, four checkerboard steps, certain zeros. See format_spec.md, "Layers".

Latents here are decoded ones, float32 whole numbers in units of 1/16, [1, C, H, W]; base channels come first.
A latent's symbol is its distance from the mean, in units of 16; scale index 0 means that the symbol is certainly zero.
"""

import math
import zlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from ..arrays import AnyArray, Floats
from ..errors import DamagedError
from ..format.entropy import Indices, SymbolReader, Symbols, SymbolWriter
from ..format.quality import nearest_knot
from ..format.tables import HYPER_MAX
from ..model.model import Layer, Model
from ..model.networks import LATENT_MAX, LATENT_MIN, LATENT_UNIT
from .dead_zone import Quantizer

Positions = npt.NDArray[np.intp] | slice
CodeStep = Callable[[bool, Floats, Indices], Symbols]


def code_layer(model: Model, layer: Layer, features: Floats, latents: Floats, code: CodeStep) -> None:
    """Fill a layer of `latents`, [1, C, H, W], step by step.

    `code` is asked for the symbols of each step, given whether it is the layer's first, and the means and scale
    indices, all [channels, H/2, 2, W/2]; encoder and decoder differ in nothing else.
    """
    planes = latents[0, layer.channels]
    planes[:] = 0
    for step, first in zip(layer.steps, (True, False), strict=True):
        known = latents[:, : layer.channels.start if first else layer.channels.stop]
        mean, index = (result[0] for result in model.context(step, features, known))
        symbols = code(first, mean, index)
        checkerboard_half(planes, first)[...] = symbols.astype(np.float32) * LATENT_UNIT + mean


def checkerboard_half(planes: AnyArray, first: bool) -> AnyArray:
    """View of the positions of planes [C, H, W] whose row + column is odd, which are coded first, or of the others.

    It is [C, H/2, 2, W/2], in the order of the positions: pairs of rows, row, place in the row. H and W are even.
    """
    channels, rows, columns = planes.shape
    plane, row, cell = planes.strides
    strides = plane, 2 * row, row - cell if first else row + cell, 2 * cell
    return as_strided(planes[:, :, int(first) :], (channels, rows // 2, 2, columns // 2), strides)


def write_hyper(writer: SymbolWriter, model: Model, hyper: Floats, quality: int) -> None:
    """Append hyper latents [1, C, h, w] to the base layer."""
    indices = _hyper_indices(hyper.shape)
    writer.write(hyper.ravel().astype(np.int32), indices, model.hyper_tables(nearest_knot(quality)))


def read_hyper(reader: SymbolReader, model: Model, shape: tuple[int, int], quality: int) -> Floats:
    """Hyper latents [1, C, *shape]."""
    full = (1, model.hyper, *shape)
    symbols = reader.read(_hyper_indices(full), model.hyper_tables(nearest_knot(quality)))
    if symbols.max() > HYPER_MAX or symbols.min() < -HYPER_MAX:
        raise DamagedError("hyper latents are out of range")
    return symbols.astype(np.float32).reshape(full)


def _hyper_indices(shape: tuple[int, ...]) -> Indices:
    return np.repeat(np.arange(shape[1], dtype=np.uint8), shape[2] * shape[3])


class LayerEncoder:
    """Quantizes latents layer by layer, and knows what it cost to force certain zeros.

    `latents` [1, C, H, W] becomes what a decoder will have.
    """

    def __init__(self, model: Model, features: Floats, target: Floats, all_coded: bool) -> None:
        """`target`: latents [1, C, H, W] as the analysis gives them, in units of the step size."""
        self.latents = np.zeros_like(target)
        self._model = model
        self._features = features
        self._target = target[0]
        self._all_coded = all_coded
        self._quantize = Quantizer(model.scale_tables.tables)
        self._error = 0.0
        self._forced_error = 0.0

    def write(self, writer: SymbolWriter, layer: Layer) -> None:
        """Quantize a layer, append its symbols and fill it in."""

        def code(first: bool, mean: Floats, index: Indices) -> Symbols:
            target = checkerboard_half(self._target[layer.channels], first)
            residual = (target - mean / np.float32(LATENT_UNIT)).ravel()
            coded = _coded(index, self._all_coded)
            indices = index.ravel()[coded]
            symbols = np.zeros(residual.size, np.int32)
            kept = self._quantize(residual[coded], indices)
            symbols[coded] = kept
            writer.write(kept, indices, self._model.scale_tables)
            self._count_errors(residual, symbols, coded)
            return symbols.reshape(index.shape)

        code_layer(self._model, layer, self._features, self.latents, code)

    def _count_errors(self, residual: Floats, symbols: Symbols, coded: Positions) -> None:
        error = residual - symbols.astype(np.float32)
        self._error += float(np.dot(error, error))
        error[coded] = 0
        forced = error[np.abs(error) > 0.5]
        wanted = self._quantize(forced, np.zeros(forced.size, np.uint8))
        self._forced_error += float((wanted * (2 * forced - wanted)).sum())

    def forced_zeros_db(self) -> float:
        """How much certain zeros raised the squared error of the latents so far, in dB."""
        rest = self._error - self._forced_error
        return 10 * math.log10(self._error / rest) if rest > 0 else 0.0


class LayerDecoder:
    """Reads layers back, or generates them, into `latents` [1, C, H, W]."""

    def __init__(self, model: Model, features: Floats, all_coded: bool) -> None:
        self.latents = np.zeros((1, model.latents, *features.shape[2:]), np.float32)
        self._model = model
        self._features = features
        self._all_coded = all_coded

    def read(self, reader: SymbolReader, layer: Layer) -> None:
        """Read a layer and fill it in.

        Raises:
            DamagedError: symbols do not fit the layer.
        """

        def code(_: bool, __: Floats, index: Indices) -> Symbols:
            coded = _coded(index, self._all_coded)
            symbols = np.zeros(index.size, np.int32)
            symbols[coded] = reader.read(index.ravel()[coded], self._model.scale_tables)
            return symbols.reshape(index.shape)

        code_layer(self._model, layer, self._features, self.latents, code)

    def generate(self, layer: Layer) -> None:
        """Fill a layer with its means: every symbol zero."""

        def code(_: bool, __: Floats, index: Indices) -> Symbols:
            return np.zeros(index.shape, np.int32)

        code_layer(self._model, layer, self._features, self.latents, code)


def checksum(latents: Floats, layer: Layer) -> int:
    """CRC-32 of a decoded layer as int16, little-endian, [C, H, W].

    Raises:
        DamagedError: latents do not fit into int16.
    """
    values = latents[0, layer.channels]
    if values.min(initial=0) < LATENT_MIN or values.max(initial=0) > LATENT_MAX:
        raise DamagedError("latents are out of range")
    return zlib.crc32(values.astype("<i2").tobytes())


def _coded(index: Indices, all_coded: bool) -> Positions:
    """Which of the flattened symbols are coded at all."""
    return slice(None) if all_coded else np.flatnonzero(index.ravel() != 0)
