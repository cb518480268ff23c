"""Multiply-accumulates of an ONNX graph, counted from its convolutions."""

import numpy as np
import onnx
from onnx import shape_inference

_SIDES = {"h8": 32, "w8": 32, "h16": 16, "w16": 16, "h32": 8, "w32": 8, "h64": 4, "w64": 4}
_PIXELS = 256 * 256


def per_pixel(model: onnx.ModelProto) -> float:
    """Multiply-accumulates per pixel of the full-resolution picture."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for value in (*fixed.graph.input, *fixed.graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param:
                dimension.dim_value = _SIDES[dimension.dim_param]
    medium = "medium" in fixed.graph.name
    if medium:
        for dimension in fixed.graph.output[0].type.tensor_type.shape.dim:
            dimension.dim_value = 16 if dimension.dim_value == 32 else dimension.dim_value
    inferred = shape_inference.infer_shapes(fixed, strict_mode=True, data_prop=True).graph
    shapes = {
        v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in (*inferred.value_info, *inferred.output)
    }
    total = 0
    for node in inferred.node:
        if node.op_type == "Conv":
            total += int(np.prod(shapes[node.output[0]]) * np.prod(shapes[node.input[1]][1:]))
    return total / _PIXELS
