"""Multiply-accumulates of an ONNX graph, counted from its convolutions."""

import numpy as np
import onnx
from onnx import shape_inference

_SIDES = {axis + part: 256 // int(part or 1) for axis in "hw" for part in ("", "2", "8", "16", "32", "64")}
_PIXELS = 256 * 256


def per_pixel(model: onnx.ModelProto) -> float:
    """Multiply-accumulates per pixel of the full-resolution picture."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for value in (*fixed.graph.input, *fixed.graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param:
                dimension.dim_value = _SIDES[dimension.dim_param]
    inferred = shape_inference.infer_shapes(fixed, strict_mode=True, data_prop=True).graph
    shapes = {
        v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in (*inferred.value_info, *inferred.output)
    }
    total = 0
    for node in inferred.node:
        if node.op_type in ("Conv", "ConvTranspose"):
            each_of = node.output[0] if node.op_type == "Conv" else node.input[0]
            total += int(np.prod(shapes[each_of]) * np.prod(shapes[node.input[1]][1:]))
    return total / _PIXELS
