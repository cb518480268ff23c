"""A model on disk and its networks.

Latents are float32 arrays of whole numbers in units of 1/16, [1, C, H/16, W/16]; hyper latents whole numbers,
[1, C, H/64, W/64]; pictures uint8 [H, W, 3], H and W multiples of 64 (half-size ones: of 32).
The hyper synthesis and context networks compute with integers below 2^24 held in float32, so they give the same
result on every machine; each is compared with a stored hash when it is loaded.
"""

import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..arrays import AnyArray, Floats, Samples
from ..errors import ModelError, first_line
from ..format import quality as qualities
from ..format.entropy import TableSet
from ..format.tables import Table
from .folder import PARAMS, read_description, read_file, read_tables
from .graphs import check_graph
from .identity import read_params
from .networks import (
    ANALYSIS,
    CONTEXTS,
    HYPER_ANALYSIS,
    HYPER_SYNTHESIS,
    MEDIUM_SYNTHESIS,
    SYNTHESIS,
    Network,
    Sizes,
)
from .sessions import Device, output_hash, start_session
from .tiled import TILE, tiles

if TYPE_CHECKING:
    import onnxruntime


@dataclass(frozen=True)
class Layer:
    """Latent channels of a layer, and its two context steps."""

    channels: slice
    steps: tuple[int, int]


class Model:
    """A model of a directory: its tables, and its networks as methods. Sessions start when first needed.

    Raises:
        ModelError: the directory does not hold a model; later, from any network: it cannot be loaded, computes wrongly
            on this machine, or runs out of memory.
    """

    def __init__(
        self, folder: Path, threads: int = 0, device: Device = "auto", tile: int = TILE, trusted: bool = False
    ) -> None:
        """`threads` and `device` are those of `aez.encode`; `tile`: side of the tiles in blocks.

        Graphs are looked into before they are started, unless they are `trusted`.
        """
        description, tables = read_description(folder), read_tables(folder)
        base, enhancement = description.base, description.enhancement
        self.name = description.name
        self.id = description.id
        self.scale = description.scale
        self.typical = description.typical
        self.base = base
        self.latents = base + enhancement
        self.hyper: int = tables.hyper.shape[1]
        self.base_layer = Layer(slice(0, base), (0, 1))
        self.enhancement_layer = Layer(slice(base, base + enhancement), (2, 3))
        self.scale_tables = TableSet(tables.scales)
        self.folder = folder
        self.threads = threads
        self.device = device
        self._sizes: Sizes = {
            "base": base,
            "enhancement": enhancement,
            "latents": base + enhancement,
            "features": tables.offsets.shape[1],
            "hyper": self.hyper,
            "none": 0,
        }
        self._hashes = description.hashes
        self._halos = description.halos
        self._offsets = tables.offsets
        self._hyper_frequencies = tables.hyper
        self._hyper_tables: dict[int, TableSet] = {}
        self.tile = tile
        self._trusted = trusted
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}
        self._starting = threading.Lock()

    @cached_property
    def _log_steps(self) -> Floats:
        """[KNOTS, C]."""
        params = read_params(self.folder)
        if "log_step" not in params:
            raise ModelError(f"{self.folder}: {PARAMS} has no step sizes")
        return params["log_step"].astype(np.float32)

    def step_sizes(self, quality: int) -> Floats:
        """What one step of each latent channel stands for at a stored quality, [C]: the finer, the better the quality.

        Raises:
            ModelError: the model does not say.
        """
        steps: Floats = np.exp(_knots(quality)[0] @ self._log_steps)
        return steps

    def hyper_tables(self, knot: int) -> TableSet:
        """A table per channel of the hyper latents, for the knot nearest to the quality."""
        if knot not in self._hyper_tables:
            self._hyper_tables[knot] = TableSet([Table(row) for row in self._hyper_frequencies[knot]])
        return self._hyper_tables[knot]

    def analysis(self, picture: Samples, quality: int) -> Floats:
        """Samples -> latents in units of the step size, not yet rounded."""
        height, width, _ = picture.shape
        view = picture.reshape(height // 8, 8, width // 8, 24)
        return self._run(ANALYSIS, [view], knots=_knots(quality))[0]

    def hyper_analysis(self, latents: Floats) -> Floats:
        """Latents in units of the step size -> hyper latents, rounded."""
        return self._run(HYPER_ANALYSIS, [latents])[0]

    def hyper_synthesis(self, hyper: Floats, quality: int) -> Floats:
        """Hyper latents -> features for the context networks."""
        offset = qualities.interpolate_exactly(self._offsets, quality)
        return self._run(HYPER_SYNTHESIS, [hyper], offset=offset.astype(np.float32)[None, :, None, None])[0]

    def context(self, step: int, features: Floats, latents: Floats) -> tuple[Floats, npt.NDArray[np.uint8]]:
        """Means in units of 1/16 and scale indices of what step 0..3 decodes, given the latents decoded before.

        Both are [1, C, H/32, 2, W/32]: half of a checkerboard as pairs of rows, row, place in the row.
        """
        inputs = [features, latents][: len(CONTEXTS[step].inputs)]
        mean, index = self._run(CONTEXTS[step], inputs)
        return mean, index

    def synthesis(self, latents: Floats, quality: int) -> Samples:
        """All latents in units of 1/16 -> picture."""
        return self._run(SYNTHESIS, [latents], knots=_knots(quality))[0]

    def medium_synthesis(self, base: Floats, quality: int) -> Samples:
        """Base latents in units of 1/16 -> half-size picture."""
        return self._run(MEDIUM_SYNTHESIS, [base], knots=_knots(quality))[0]

    def _run(self, network: Network, arrays: list[AnyArray], **constants: Floats) -> list[AnyArray]:
        session = self._session(network)
        inputs = list(zip(network.inputs, arrays, strict=True))
        layout, first = network.inputs[0].layout, arrays[0]
        blocks = first.shape[layout.rows] // layout.cells, first.shape[layout.columns] // layout.cells
        results: list[AnyArray] = []
        for tile in tiles(*blocks, self._halos[network.name], self.tile):
            feeds = {port.name: tile.outer(array, port.layout) for port, array in inputs}
            try:
                parts: list[AnyArray] = session.run(None, {**feeds, **constants})
            except Exception as error:  # onnxruntime's exceptions have no common base
                raise self._failure(network, f"it failed ({first_line(error)})") from error
            outputs = list(zip(network.outputs, parts, strict=True))
            if not all(port.holds(part, self._sizes, tile.outer_blocks) for port, part in outputs):
                raise self._failure(network, "it gives what no such network gives")
            if tile.whole:
                return parts
            results = results or [np.empty(port.shape(self._sizes, blocks), part.dtype) for port, part in outputs]
            for result, (port, part) in zip(results, outputs, strict=True):
                tile.inner(result, port.layout)[...] = tile.crop(part, port.layout)
        return results

    def _session(self, network: Network) -> "onnxruntime.InferenceSession":
        with self._starting:
            if network.name not in self._sessions:
                self._sessions[network.name] = self._start(network)
            return self._sessions[network.name]

    def _start(self, network: Network) -> "onnxruntime.InferenceSession":
        graph = read_file(self.folder, network.file)
        try:
            if not self._trusted:
                check_graph(graph)
            session = start_session(graph, self.threads, "cpu" if network.exact else self.device)
            if not network.is_declared(session, self._sizes):
                raise ValueError("its inputs or outputs are not those of this network and this model")
            if network.exact and output_hash(session) != self._hashes[network.name]:
                raise ModelError(f"{self.name}: {network.name} computes wrongly on this machine, or was altered")
        except ValueError as error:
            raise self._failure(network, str(error)) from error
        return session

    def _failure(self, network: Network, reason: str) -> ModelError:
        return ModelError(f"{self.folder}: {network.file}: {reason}")


_KNOTS = np.arange(qualities.KNOTS, dtype=np.float32)


def _knots(quality: int) -> Floats:
    return qualities.knot_weights(np.array([[quality]], np.float32), _KNOTS)
