"""A model on disk and its networks.

Latents are float32 arrays of whole numbers in units of 1/16, [1, C, H/16, W/16]; hyper latents whole numbers,
[1, C, H/64, W/64]; pictures uint8 [H, W, 3], H and W multiples of 64 (half-size ones: of 32).
The hyper synthesis and context networks compute with integers below 2^24 held in float32, so they give the same
result on every machine; each is compared with a stored hash when it is loaded.
"""

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..arrays import AnyArray, Floats, Samples
from ..errors import ModelError, first_line
from ..format import quality as qualities
from ..format.entropy import TableSet
from ..format.tables import Table
from .sessions import Device, check_hash, start_session
from .tiled import HYPER, LATENT_HALVES, LATENTS, MEDIUM_PICTURE, PICTURE, TILE, Layout, empty_whole, tiles

if TYPE_CHECKING:
    import onnxruntime

LATENT_UNIT = 16


@dataclass(frozen=True)
class Network:
    """One ONNX graph: the layouts of its tiled inputs and of its outputs; `halo` is its receptive field in blocks."""

    name: str
    inputs: tuple[tuple[str, Layout], ...]
    outputs: tuple[Layout, ...]
    halo: int = 1
    exact: bool = False


ANALYSIS = Network("analysis", (("picture", PICTURE),), (LATENTS,))
HYPER_ANALYSIS = Network("hyper_analysis", (("latents", LATENTS),), (HYPER,))
HYPER_SYNTHESIS = Network("hyper_synthesis", (("hyper", HYPER),), (LATENTS,), exact=True)
_KNOWN = (("features", LATENTS), ("latents", LATENTS))
CONTEXTS = tuple(
    Network(f"context_{step}", _KNOWN if step else _KNOWN[:1], (LATENT_HALVES, LATENT_HALVES), exact=True)
    for step in range(4)
)
SYNTHESIS = Network("synthesis", (("latents", LATENTS),), (PICTURE,))
MEDIUM_SYNTHESIS = Network("medium_synthesis", (("latents", LATENTS),), (MEDIUM_PICTURE,), halo=2)


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

    def __init__(self, folder: Path, threads: int = 0, device: Device = "auto", tile: int = TILE) -> None:
        try:
            description = json.loads((folder / "model.json").read_text())
            self.name: str = description["name"]
            self.id = int(description["id"], 16)
            base: int = description["base"]
            enhancement: int = description["enhancement"]
            self._hashes: dict[str, str] = description["hashes"]
            with (folder / "entropy.npz").open("rb") as file, np.load(file) as arrays:
                self._offsets: npt.NDArray[np.int32] = arrays["offsets"].astype(np.int32)
                frequencies, lengths = arrays["scale_frequencies"], arrays["scale_lengths"]
                self._hyper_frequencies: npt.NDArray[np.int32] = arrays["hyper_frequencies"]
        except Exception as error:  # whatever parsing and unzipping meet
            raise ModelError(f"{folder}: not a model ({first_line(error)})") from error
        self.base = base
        self.latents = base + enhancement
        self.hyper: int = self._hyper_frequencies.shape[1]
        self.base_layer = Layer(slice(0, base), (0, 1))
        self.enhancement_layer = Layer(slice(base, base + enhancement), (2, 3))
        self.scale_tables = TableSet([Table(part) for part in np.split(frequencies, np.cumsum(lengths)[:-1])])
        self._hyper_tables: dict[int, TableSet] = {}
        self.folder = folder
        self.threads = threads
        self.device = device
        self.tile = tile
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}
        self._starting = threading.Lock()

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
        return _as_picture(self._run(SYNTHESIS, [latents], knots=_knots(quality))[0])

    def medium_synthesis(self, base: Floats, quality: int) -> Samples:
        """Base latents in units of 1/16 -> half-size picture."""
        return _as_picture(self._run(MEDIUM_SYNTHESIS, [base], knots=_knots(quality))[0])

    def _run(self, network: Network, arrays: list[AnyArray], **constants: Floats) -> list[AnyArray]:
        session = self._session(network)
        inputs = list(zip(network.inputs, arrays, strict=True))
        (_, layout), first = inputs[0]
        blocks = first.shape[layout.rows] // layout.cells, first.shape[layout.columns] // layout.cells
        results: list[AnyArray] = []
        for tile in tiles(*blocks, network.halo, self.tile):
            feeds = {name: tile.outer(array, layout) for (name, layout), array in inputs}
            try:
                parts: list[AnyArray] = session.run(None, {**feeds, **constants})
            except Exception as error:  # onnxruntime's exceptions have no common base
                raise ModelError(f"{network.name} failed ({first_line(error)})") from error
            if tile.whole:
                return parts
            results = results or [
                empty_whole(part, out, blocks) for part, out in zip(parts, network.outputs, strict=True)
            ]
            for result, part, out in zip(results, parts, network.outputs, strict=True):
                tile.inner(result, out)[...] = tile.crop(part, out)
        return results

    def _session(self, network: Network) -> "onnxruntime.InferenceSession":
        with self._starting:
            if network.name not in self._sessions:
                device: Device = "cpu" if network.exact else self.device
                session = start_session(self.folder / f"{network.name}.onnx", self.threads, device)
                if network.exact and check_hash(session) != self._hashes[network.name]:
                    raise ModelError(f"{self.name}: {network.name} computes wrongly on this machine")
                self._sessions[network.name] = session
            return self._sessions[network.name]


_KNOTS = np.arange(qualities.KNOTS, dtype=np.float32)


def _knots(quality: int) -> Floats:
    return qualities.knot_weights(np.array([[quality]], np.float32), _KNOTS)


def _as_picture(rows: Samples) -> Samples:
    height, _, width, _ = rows.shape
    return rows.reshape(height * 8, width * 8, 3)
