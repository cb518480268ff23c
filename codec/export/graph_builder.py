"""The networks as ONNX graphs, built node by node from trained arrays.

Float weights are stored as float16 and cast when a session is created; integer weights are stored as int8 and int32.
Pictures enter as uint8 [H/8, 8, W/8, 24], a view of [H, W, 3], so that space-to-depth only moves bytes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
IR_VERSION = 8

Array = npt.NDArray[Any]


class GraphBuilder:
    """Appends nodes one by one; every method returns the name of the value it makes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, shape: Sequence[int | str], kind: int = TensorProto.FLOAT) -> str:
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, value: str, name: str, shape: Sequence[int | str], kind: int = TensorProto.FLOAT) -> None:
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def constant(self, array: Array) -> str:
        """A stored array as it is."""
        name = f"c{len(self._initializers)}"
        self._initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self, array: Array, scale: float = 1) -> str:
        """An array stored small and used as float32, times a factor that the small type would not bear."""
        value = self.op("Cast", self.constant(array), to=TensorProto.FLOAT)
        return value if scale == 1 else self.op("Mul", value, self.constant(np.array(scale, np.float32)))

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def conv(
        self, x: str, weight: str, bias: str, size: int, stride: int = 1, padding: int = 0, groups: int = 1
    ) -> str:
        strides, pads = [stride] * 2, [padding] * 4
        return self.op("Conv", x, weight, bias, kernel_shape=[size] * 2, strides=strides, pads=pads, group=groups)

    def conv_transpose(self, x: str, weight: str, bias: str, size: int, stride: int, padding: int) -> str:
        strides, pads = [stride] * 2, [padding] * 4
        return self.op("ConvTranspose", x, weight, bias, kernel_shape=[size] * 2, strides=strides, pads=pads)

    def clip(self, x: str, low: float, high: float) -> str:
        return self.op("Clip", x, *(self.constant(np.array(bound, np.float32)) for bound in (low, high)))

    def build(self) -> onnx.ModelProto:
        graph = helper.make_graph(self._nodes, self._name, self._inputs, self._outputs, self._initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="aez")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)
        return model
