"""Latents <-> symbols: two layers, four checkerboard steps, certain zeros. See format_spec.md, "Layers".

Latents here are decoded ones, float32 whole numbers in units of 1/16, [1, C, H, W]; base channels come first.
A latent's symbol is its distance from the mean, in units of 16; scale index 0 means that the symbol is certainly zero.
"""

import math
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from aez.entropy import Indices, SymbolReader, Symbols, SymbolWriter
from aez.errors import DamagedError
from aez.networks import LATENT_UNIT, Floats, Layer, Model
from aez.quality import nearest_knot

LATENT_MIN, LATENT_MAX = -(1 << 15), (1 << 15) - 1
HYPER_MAX = 127
TARGET_MAX = 2000

Positions = npt.NDArray[np.intp]
CodeStep = Callable[[slice, Positions, Floats, Indices], Symbols]


def code_layer(model: Model, layer: Layer, features: Floats, latents: Floats, code: CodeStep) -> None:
    """Fill a layer of `latents`, [1, C, H, W], step by step.

    `code` is asked for the symbols [channels, n] of each step, given the layer's channels, the positions [n] within
    H * W, and means and scale indices [channels, n]; encoder and decoder differ in nothing else.
    """
    known = latents[:, : layer.channels.stop]
    planes = latents[0, layer.channels].reshape(layer.channels.stop - layer.channels.start, -1)
    planes[:] = 0
    for step, positions in zip(layer.steps, checkerboard(*latents.shape[2:]), strict=True):
        before = known if step % 2 else latents[:, : layer.channels.start]
        mean, index = (
            np.take(a[0].reshape(len(planes), -1), positions, 1) for a in model.context(step, features, before)
        )
        symbols = code(layer.channels, positions, mean, index)
        planes[:, positions] = symbols * LATENT_UNIT + mean


def checkerboard(rows: int, columns: int) -> Iterator[Positions]:
    """Positions within rows * columns whose row + column is odd, then the others."""
    parity = np.add.outer(np.arange(rows), np.arange(columns)).ravel() % 2
    return iter((np.flatnonzero(parity == 1), np.flatnonzero(parity == 0)))


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
    """Quantizes latents layer by layer, and knows what it cost to force certain zeros."""

    def __init__(self, model: Model, features: Floats, target: Floats, all_coded: bool) -> None:
        """`target`: latents [1, C, H, W] in units of the step size; `decoded` becomes what a decoder will have."""
        self._model = model
        self._features = features
        self._target = np.clip(target[0].reshape(target.shape[1], -1), -TARGET_MAX, TARGET_MAX)
        self.decoded = np.zeros_like(target)
        self._all_coded = all_coded
        self._error = 0.0
        self._forced_error = 0.0

    def write(self, writer: SymbolWriter, layer: Layer) -> None:
        """Quantize a layer, append its symbols and fill it in."""

        def code(channels: slice, positions: Positions, mean: Floats, index: Indices) -> Symbols:
            residual: Floats = np.take(self._target[channels], positions, 1) - mean / np.float32(LATENT_UNIT)
            symbols = self._model.quantizer(residual, index)
            coded = _coded(index, self._all_coded)
            kept = symbols.ravel()[coded]
            writer.write(kept, index.ravel()[coded], self._model.scale_tables)
            sent = np.zeros_like(symbols)
            sent.ravel()[coded] = kept
            self._error += float(np.square(residual - sent, dtype=np.float32).sum(dtype=np.float64))
            forced = symbols != sent
            self._forced_error += float((symbols[forced] * (2 * residual[forced] - symbols[forced])).sum())
            return sent

        code_layer(self._model, layer, self._features, self.decoded, code)

    def forced_zeros_db(self) -> float:
        """How much certain zeros raised the squared error of the latents so far, in dB."""
        rest = self._error - self._forced_error
        return 10 * math.log10(self._error / rest) if rest > 0 else 0.0


def read_layer(
    reader: SymbolReader, model: Model, layer: Layer, features: Floats, latents: Floats, all_coded: bool
) -> None:
    """Read a layer and fill it in `latents`.

    Raises:
        DamagedError: symbols do not fit the layer.
    """

    def code(_: slice, __: Positions, mean: Floats, index: Indices) -> Symbols:
        coded = _coded(index, all_coded)
        symbols = np.zeros(index.size, np.int32)
        symbols[coded] = reader.read(index.ravel()[coded], model.scale_tables)
        return symbols.reshape(index.shape)

    code_layer(model, layer, features, latents, code)


def generate_layer(model: Model, layer: Layer, features: Floats, latents: Floats) -> None:
    """Fill a layer of `latents` with its means: every symbol zero."""
    code_layer(model, layer, features, latents, lambda _, __, ___, index: np.zeros(index.shape, np.int32))


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
    """Flat positions of the symbols that are coded at all."""
    flat = index.ravel()
    return np.arange(flat.size) if all_coded else np.flatnonzero(flat)
