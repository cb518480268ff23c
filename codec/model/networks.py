"""The networks of a model: what goes into each graph, and what comes out.

Latents are float32 arrays of whole numbers in units of 1/16, [1, C, H/16, W/16]; hyper latents whole numbers,
[1, C, H/64, W/64]; pictures uint8 [H, W, 3], H and W multiples of 64 (half-size ones: of 32). They enter as
[H/8, 8, W/8, 24], which is a view of that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..arrays import AnyArray
from ..format.quality import KNOTS
from ..format.tables import HYPER_MAX, SCALES
from .tiled import HYPER, LATENT_HALVES, LATENTS, MEDIUM_PICTURE, PATCHES, PICTURE, Layout

if TYPE_CHECKING:
    import onnxruntime

LATENT_UNIT = 16
LATENT_MIN, LATENT_MAX = -(1 << 15), (1 << 15) - 1
TARGET_MAX = 2000  # to which the analysis clips, so that decoded latents fit int16

Channels = Literal["base", "enhancement", "latents", "features", "hyper", "none"]
Sizes = Mapping[Channels, int]
"""How many channels of each kind a model has."""


@dataclass(frozen=True)
class Port:
    """An input or output of a graph. Outputs are within `limits`, where given."""

    name: str
    layout: Layout
    channels: Channels = "none"
    limits: tuple[int, int] | None = None
    kind: Literal["float", "uint8"] = "float"

    def is_declared(self, value: "onnxruntime.NodeArg", sizes: Sizes) -> bool:
        """Whether a graph says the same of it; sizes that follow the picture are no numbers there."""
        if (value.name, value.type, len(value.shape)) != (self.name, f"tensor({self.kind})", len(self.layout.axes)):
            return False
        sides = (None if isinstance(side, str) else side for side in value.shape)
        return all(
            side == (None if axis in ("rows", "columns") else expected)
            for axis, side, expected in zip(self.layout.axes, sides, self.shape(sizes, (1, 1)), strict=True)
        )

    def holds(self, array: AnyArray, sizes: Sizes, blocks: tuple[int, int]) -> bool:
        """Whether an array is what comes out for so many rows and columns of blocks."""
        if array.shape != self.shape(sizes, blocks):
            return False
        return self.limits is None or bool(self.limits[0] <= array.min() and array.max() <= self.limits[1])

    def shape(self, sizes: Sizes, blocks: tuple[int, int]) -> tuple[int, ...]:
        """Its shape for so many rows and columns of blocks."""
        return self.layout.shape(sizes[self.channels], blocks)


@dataclass(frozen=True)
class Network:
    """One ONNX graph: inputs and outputs that follow the picture, and inputs that do not."""

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    constants: tuple[Port, ...] = ()
    exact: bool = False

    @property
    def file(self) -> str:
        """Where it is in a model's folder."""
        return f"{self.name}.onnx"

    def is_declared(self, session: "onnxruntime.InferenceSession", sizes: Sizes) -> bool:
        """Whether a graph has these inputs and outputs."""
        sides = (session.get_inputs(), (*self.inputs, *self.constants)), (session.get_outputs(), self.outputs)
        return all(_are_declared(values, ports, sizes) for values, ports in sides)


def _are_declared(values: Sequence["onnxruntime.NodeArg"], ports: Sequence[Port], sizes: Sizes) -> bool:
    return len(values) == len(ports) and all(
        port.is_declared(value, sizes) for value, port in zip(values, ports, strict=True)
    )


_PATCHES = Port("picture", PATCHES, kind="uint8")
_PICTURE = Port("picture", PICTURE, kind="uint8")
_MEDIUM_PICTURE = Port("picture", MEDIUM_PICTURE, kind="uint8")
_KNOTS = Port("knots", Layout((1, KNOTS), 0))
_OFFSET = Port("offset", Layout((1, "channels", 1, 1), 0), "features")
_TARGET = Port("latents", LATENTS, "latents", (-TARGET_MAX, TARGET_MAX))
_HYPER = Port("hyper", HYPER, "hyper", (-HYPER_MAX, HYPER_MAX))
_FEATURES = Port("features", LATENTS, "features")
_BASE, _LATENTS = Port("latents", LATENTS, "base"), Port("latents", LATENTS, "latents")


def _context(step: int, known: tuple[Port, ...], decoded: Channels) -> Network:
    mean = Port("mean", LATENT_HALVES, decoded, (LATENT_MIN, LATENT_MAX))
    index = Port("index", LATENT_HALVES, decoded, (0, SCALES - 1), "uint8")
    return Network(f"context_{step}", (_FEATURES, *known), (mean, index), exact=True)


ANALYSIS = Network("analysis", (_PATCHES,), (_TARGET,), (_KNOTS,))
HYPER_ANALYSIS = Network("hyper_analysis", (_TARGET,), (_HYPER,))
HYPER_SYNTHESIS = Network("hyper_synthesis", (_HYPER,), (_FEATURES,), (_OFFSET,), exact=True)
CONTEXTS = (
    _context(0, (), "base"),
    _context(1, (_BASE,), "base"),
    _context(2, (_BASE,), "enhancement"),
    _context(3, (_LATENTS,), "enhancement"),
)
SYNTHESIS = Network("synthesis", (_LATENTS,), (_PICTURE,), (_KNOTS,))
MEDIUM_SYNTHESIS = Network("medium_synthesis", (_BASE,), (_MEDIUM_PICTURE,), (_KNOTS,))
NETWORKS = (ANALYSIS, HYPER_ANALYSIS, HYPER_SYNTHESIS, *CONTEXTS, SYNTHESIS, MEDIUM_SYNTHESIS)
