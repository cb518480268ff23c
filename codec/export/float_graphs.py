"""Analysis, synthesis and hyper analysis as ONNX graphs. Weights are float16 on disk, float32 in use."""

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto
from torch import nn

from ..format.quality import KNOTS
from ..model.networks import TARGET_MAX
from ..nn.codec import Codec
from ..nn.integer import ACTIVATION_UNIT
from ..nn.lapped import OVERLAP, PATCH, SIDE
from ..nn.networks import Analysis, Block, HyperAnalysis, Synthesis
from .graph_builder import GraphBuilder

Half = npt.NDArray[np.float16]


@torch.no_grad()
def analysis(codec: Codec) -> onnx.ModelProto:
    """picture uint8 [H/8, 8, W/8, 24], knots [1, KNOTS] -> latents [1, C, H/16, W/16] in units of the step size."""
    network: Analysis = codec.analysis
    graph = GraphBuilder("analysis")
    picture = graph.input("picture", ["h8", 8, "w8", 24], TensorProto.UINT8)
    knots = graph.input("knots", [1, KNOTS])
    x = graph.op("Cast", _space_to_depth(graph, picture), to=TensorProto.FLOAT)
    weight = _by_rows(network.first.weight)
    bias = _half(network.first.bias) - 0.5 * weight.astype(np.float32).sum((1, 2, 3))
    x = graph.conv(x, graph.weight(weight, 1 / 255), graph.constant(bias), 1)
    x = _blocks(graph, x, knots, network.eighth.blocks)
    down = _half(network.down.weight).reshape(codec.arch.latents, codec.arch.eighth, 2, 2)
    x = graph.conv(x, graph.weight(down), graph.weight(_half(network.down.bias)), 2, stride=2)
    x = _blocks(graph, x, knots, network.sixteenth.blocks)
    step = _per_channel(graph, knots, -codec.log_step.numpy())
    latents = graph.op("Mul", x, graph.op("Exp", step))
    graph.output(graph.clip(latents, -TARGET_MAX, TARGET_MAX), "latents", [1, codec.arch.latents, "h16", "w16"])
    return graph.build()


@torch.no_grad()
def hyper_analysis(codec: Codec, limit: int) -> onnx.ModelProto:
    """latents in units of the step size -> hyper latents [1, C, H/64, W/64], rounded to -limit..limit."""
    network: HyperAnalysis = codec.hyper_analysis
    graph = GraphBuilder("hyper_analysis")
    x = graph.input("latents", [1, codec.arch.latents, "h16", "w16"])
    x = graph.op("Relu", _conv(graph, x, network.first))
    x = graph.op("Round", _conv(graph, x, network.second))
    graph.output(graph.clip(x, -limit, limit), "hyper", [1, codec.arch.hyper, "h64", "w64"])
    return graph.build()


@torch.no_grad()
def synthesis(codec: Codec) -> onnx.ModelProto:
    """latents in units of 1/16 [1, C, H/16, W/16], knots -> picture uint8 [H, W, 3]."""
    network: Synthesis = codec.synthesis
    graph = GraphBuilder("synthesis")
    latents = graph.input("latents", [1, codec.arch.latents, "h16", "w16"])
    knots = graph.input("knots", [1, KNOTS])
    x = _scaled(graph, latents, knots, codec.log_step.numpy())
    x = _blocks(graph, x, knots, network.sixteenth.blocks)
    x = graph.op("DepthToSpace", _conv(graph, x, network.up), blocksize=2, mode="CRD")
    x = _blocks(graph, x, knots, network.eighth.blocks)
    _to_picture(graph, x, network.last, "h", "w")
    return graph.build()


@torch.no_grad()
def medium_synthesis(codec: Codec) -> onnx.ModelProto:
    """base latents in units of 1/16, knots -> half-size picture uint8 [H/2, W/2, 3]."""
    network = codec.medium_synthesis
    base = codec.arch.base
    graph = GraphBuilder("medium_synthesis")
    latents = graph.input("latents", [1, base, "h16", "w16"])
    knots = graph.input("knots", [1, KNOTS])
    x = _scaled(graph, latents, knots, codec.log_step[:, :base].numpy())
    x = _blocks(graph, x, knots, network.sixteenth.blocks)
    _to_picture(graph, x, network.last, "h2", "w2")
    return graph.build()


def _half(parameter: torch.Tensor | None) -> Half:
    assert parameter is not None
    return parameter.numpy().astype(np.float16)


def _by_rows(weight: torch.Tensor) -> Half:
    """Input channels (colour, row, column) of an 8 x 8 patch reordered to (row, column, colour)."""
    return _half(weight.reshape(-1, 3, 8, 8).permute(0, 2, 3, 1).reshape(-1, 192, 1, 1))


def _conv(graph: GraphBuilder, x: str, conv: nn.Conv2d) -> str:
    weight, bias = graph.weight(_half(conv.weight)), graph.weight(_half(conv.bias))
    return graph.conv(x, weight, bias, conv.kernel_size[0], conv.stride[0], int(conv.padding[0]), conv.groups)


def _blocks(graph: GraphBuilder, x: str, knots: str, blocks: nn.ModuleList) -> str:
    for block in blocks:
        assert isinstance(block, Block)
        hidden = graph.op("Relu", _conv(graph, _conv(graph, x, block.depthwise), block.expand))
        gain = _per_channel(graph, knots, _half(block.gain))
        x = graph.op("Add", x, graph.op("Mul", _conv(graph, hidden, block.project), gain))
    return x


def _per_channel(graph: GraphBuilder, knots: str, table: npt.NDArray[np.generic]) -> str:
    """A table [KNOTS, C] interpolated to [1, C, 1, 1]."""
    row = graph.op("MatMul", knots, graph.weight(table))
    return graph.op("Reshape", row, graph.constant(np.array([1, table.shape[1], 1, 1])))


def _scaled(graph: GraphBuilder, latents: str, knots: str, log_step: npt.NDArray[np.float32]) -> str:
    step = _per_channel(graph, knots, (log_step + np.log(ACTIVATION_UNIT)).astype(np.float32))
    return graph.op("Mul", latents, graph.op("Exp", step))


def _to_picture(graph: GraphBuilder, x: str, last: nn.ConvTranspose2d, rows: str, columns: str) -> None:
    assert last.bias is not None
    weight = graph.weight(_half(last.weight), 255)
    bias = graph.constant((255 * last.bias.numpy() + 127.5).astype(np.float32))
    x = graph.op("Pad", x, graph.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1])), mode="edge")
    x = graph.conv_transpose(x, weight, bias, SIDE, PATCH, PATCH + OVERLAP)
    x = graph.op("Cast", graph.op("Round", graph.clip(x, 0, 255)), to=TensorProto.UINT8)
    x = graph.op("Transpose", graph.op("Squeeze", x, graph.constant(np.array([0]))), perm=[1, 2, 0])
    graph.output(x, "picture", [rows, columns, 3], TensorProto.UINT8)


def _space_to_depth(graph: GraphBuilder, picture: str) -> str:
    """[H/8, 8, W/8, 24] -> [1, 192, H/8, W/8]; ONNX Runtime is fast at each of these transposes, not at both in one."""
    x = graph.op("Transpose", picture, perm=[0, 2, 1, 3])
    x = graph.op("Reshape", x, graph.constant(np.array([0, 0, 192])))
    x = graph.op("Transpose", x, perm=[2, 0, 1])
    return graph.op("Unsqueeze", x, graph.constant(np.array([0])))
