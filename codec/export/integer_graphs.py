"""Hyper synthesis and context as ONNX graphs of float32 operations on whole numbers below 2^24: exact everywhere."""

import numpy as np
import onnx
from onnx import TensorProto

from ..format.tables import SCALES
from ..model.networks import LATENT_MAX, LATENT_MIN
from ..nn.integer import ACTIVATION_MAX, SIGNAL_MAX, SIGNAL_MIN
from ..nn.networks import INDEX_OFFSET
from .graph_builder import GraphBuilder
from .integer_layers import IntegerLayer

Layers = dict[str, IntegerLayer]


def hyper_synthesis(layers: Layers) -> onnx.ModelProto:
    """hyper [1, C, H/64, W/64], offset [1, F, 1, 1] -> features [1, F, H/16, W/16] in units of 1/16."""
    first, second = layers["first"], layers["second"]
    features = len(second.bias) // 4
    graph = GraphBuilder("hyper_synthesis")
    x = graph.input("hyper", [1, first.weight.shape[1], "h64", "w64"])
    offset = graph.input("offset", [1, features, 1, 1])
    x = graph.op("DepthToSpace", _activation(graph, _convolve(graph, x, first)), blocksize=2, mode="CRD")
    x = graph.op("DepthToSpace", _convolve(graph, x, second), blocksize=2, mode="CRD")
    x = _activation(graph, graph.op("Add", x, offset))
    graph.output(x, "features", [1, features, "h16", "w16"])
    return graph.build()


def context(layers: Layers, features: int, start: int) -> onnx.ModelProto:
    """features, latents decoded so far -> mean in units of 1/16 and scale index (uint8), each [1, C, H/32, 2, W/32].

    They are those of the half of the checkerboard that begins in column `start`: pairs of rows, row, place in the row.
    """
    first, last = layers["first"], layers["last"]
    known, outputs = first.weight.shape[1] - features, len(last.bias) // 2
    graph = GraphBuilder("context")
    x = graph.input("features", [1, features, "h16", "w16"])
    if known:
        latents = graph.clip(graph.input("latents", [1, known, "h16", "w16"]), SIGNAL_MIN, SIGNAL_MAX)
        x = graph.op("Concat", x, latents, axis=1)
    x = _activation(graph, _convolve(graph, x, first))
    x = _accumulate(graph, x, layers["depthwise"])
    x = graph.op("Concat", _every_other(graph, x, 0, start), _every_other(graph, x, 1, 1 - start), axis=3)
    x = _activation(graph, _rescale(graph, x, layers["depthwise"]))
    x = graph.op("Reshape", _convolve(graph, x, last), graph.constant(np.array([0, 0, 0, 2, -1])))
    mean = graph.clip(_channels(graph, x, 0, outputs), LATENT_MIN, LATENT_MAX)
    index = graph.op(
        "Add", _channels(graph, x, outputs, 2 * outputs), graph.constant(np.array(INDEX_OFFSET, np.float32))
    )
    index = graph.op("Cast", graph.clip(index, 0, SCALES - 1), to=TensorProto.UINT8)
    graph.output(mean, "mean", [1, outputs, "h32", 2, "w32"])
    graph.output(index, "index", [1, outputs, "h32", 2, "w32"], TensorProto.UINT8)
    return graph.build()


def _convolve(graph: GraphBuilder, x: str, layer: IntegerLayer) -> str:
    return _rescale(graph, _accumulate(graph, x, layer), layer)


def _accumulate(graph: GraphBuilder, x: str, layer: IntegerLayer) -> str:
    size = layer.weight.shape[2]
    groups = len(layer.bias) if layer.depthwise else 1
    weight, bias = graph.weight(layer.weight), graph.weight(layer.bias)
    return graph.conv(x, weight, bias, size, padding=size // 2, groups=groups)


def _rescale(graph: GraphBuilder, x: str, layer: IntegerLayer) -> str:
    """Multiplication by a power of two and rounding half to even."""
    scale = np.exp2(-layer.shift.astype(np.float32))[None, :, None, None]
    return graph.op("Round", graph.op("Mul", x, graph.constant(scale)))


def _activation(graph: GraphBuilder, x: str) -> str:
    return graph.clip(x, 0, ACTIVATION_MAX)


def _channels(graph: GraphBuilder, x: str, start: int, stop: int) -> str:
    return graph.op("Slice", x, *(graph.constant(np.array([n])) for n in (start, stop, 1)))


def _every_other(graph: GraphBuilder, x: str, row: int, column: int) -> str:
    """Every other row and column of [1, C, H, W], from the given ones on."""
    starts, stops, axes, steps = [row, column], [1 << 30] * 2, [2, 3], [2, 2]
    return graph.op("Slice", x, *(graph.constant(np.array(part)) for part in (starts, stops, axes, steps)))
