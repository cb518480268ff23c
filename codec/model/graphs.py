"""A look into an ONNX file before ONNX Runtime gets it: whether it holds nothing but what `aez export` writes.

Graphs may come from strangers, and ONNX Runtime would do whatever they say: read files beside them, loop for ever,
or, when it starts and computes what depends on constants alone, fill the memory. The file is a protobuf message; only
its structure is read here, by the field numbers of onnx.proto. Weights are passed over.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

Value = int | memoryview

OPERATORS = frozenset(
    b"Add Cast Clip Concat Conv ConvTranspose DepthToSpace Exp Identity MatMul Mul Pad Relu Reshape Round Slice Squeeze"
    b" Transpose Unsqueeze".split()
)
_FOLDED = frozenset((b"Cast", b"Mul"))  # weights are stored small, and some are scaled
_DOMAINS = (b"", b"ai.onnx")
_ITEM_BYTES = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 10: 2}  # float32, uint8, int8, int32, int64, float16
_FIXED_BYTES = {1: 8, 5: 4}  # of the kinds of numbers that have no length of their own
_FIELDS_MAX = 200_000
_ATTRIBUTE_BYTES_MAX = _WORD_BYTES_MAX = 200
_SIZE_MAX = 12  # of kernels, strides and padding
_RANK_MAX = 4

# Fields that are looked into, and others that may be there.
_MODEL_GRAPH, _MODEL_MORE = 7, (1, 2, 3, 4, 5, 6, 8, 14)
_GRAPH_NODE, _GRAPH_TENSOR, _GRAPH_INPUT, _GRAPH_MORE = 1, 5, 11, (2, 10, 12, 13, 16)
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN, _NODE_MORE = 1, 2, 4, 5, 7, (3, 6, 9)
_ATTRIBUTE_NUMBERS, _ATTRIBUTE_MORE = 8, (1, 3, 4, 20)  # no tensors and no graphs
_TENSOR_DIMENSIONS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_DATA, _TENSOR_MORE = 1, 2, 8, 9, (12,)


def check_graph(data: bytes) -> list[memoryview]:
    """Make sure that an ONNX file is one graph of operators that `aez export` uses, with all of its weights in it.

    Returns:
        the bytes of its constants.

    Raises:
        ValueError: it is something else; in a few words.
    """
    left = iter(range(_FIELDS_MAX))
    graphs: list[_Graph] = []
    for number, value in _fields(memoryview(data), left):
        if number == _MODEL_GRAPH:
            graphs.append(_Graph.parse(_message(value), left))
        elif number not in _MODEL_MORE:
            raise _foreign("model", number)
    if len(graphs) != 1:
        raise _damaged()
    _check(graphs[0])
    return [constant.data for constant in graphs[0].constants.values()]


@dataclass
class _Constant:
    """How many numbers, and their bytes."""

    count: int
    data: memoryview


@dataclass
class _Node:
    """An operator, and the names of what goes in and comes out."""

    operator: bytes = b""
    inputs: list[bytes] = field(default_factory=list)
    outputs: list[bytes] = field(default_factory=list)

    @classmethod
    def parse(cls, message: memoryview, left: Iterator[int]) -> "_Node":
        node = cls()
        for number, value in _fields(message, left):
            if number == _NODE_INPUT:
                node.inputs.append(_word(value))
            elif number == _NODE_OUTPUT:
                node.outputs.append(_word(value))
            elif number == _NODE_OPERATOR:
                node.operator = _word(value)
            elif number == _NODE_ATTRIBUTE:
                _check_attribute(bytes(_message(value)[: _ATTRIBUTE_BYTES_MAX + 1]))
            elif number == _NODE_DOMAIN:
                if _word(value) not in _DOMAINS:
                    raise ValueError(f"it needs operators of {_printable(_word(value))}")
            elif number not in _NODE_MORE:
                raise _foreign("node", number)
        if node.operator not in OPERATORS:
            raise ValueError(f"it has an operator that aez does not use, {_printable(node.operator)}")
        return node


@dataclass
class _Graph:
    """Nodes, the names of the inputs, and constants by their names."""

    nodes: list[_Node] = field(default_factory=list)
    inputs: set[bytes] = field(default_factory=set)
    constants: dict[bytes, _Constant] = field(default_factory=dict)

    @classmethod
    def parse(cls, message: memoryview, left: Iterator[int]) -> "_Graph":
        graph = cls()
        for number, value in _fields(message, left):
            if number == _GRAPH_NODE:
                graph.nodes.append(_Node.parse(_message(value), left))
            elif number == _GRAPH_TENSOR:
                name, constant = _tensor(_message(value), left)
                if name in graph.constants:
                    raise ValueError("it has two constants of one name")
                graph.constants[name] = constant
            elif number == _GRAPH_INPUT:
                graph.inputs.add(next((_word(v) for n, v in _fields(_message(value), left) if n == 1), b""))
            elif number not in _GRAPH_MORE:
                raise _foreign("graph", number)
        return graph


@lru_cache(256)  # there are few different ones
def _check_attribute(message: bytes) -> None:
    if len(message) > _ATTRIBUTE_BYTES_MAX:
        raise ValueError("it has an operator with too much to say")
    for number, value in _fields(memoryview(message), iter(message)):
        if number not in (_ATTRIBUTE_NUMBERS, *_ATTRIBUTE_MORE):
            raise _foreign("attribute", number)
        if number == _ATTRIBUTE_NUMBERS and any(size > _SIZE_MAX for size in _numbers(value)):
            raise _too_wide()


def _check(graph: _Graph) -> None:
    """Follow the constants: nothing that is computed of them alone may be larger than they are."""
    if any([node.operator for node in graph.nodes].count(operator) > 1 for operator in (b"ConvTranspose", b"Pad")):
        raise ValueError("it makes a picture larger more than once")
    counts = {b"": 0} | {name: constant.count for name, constant in graph.constants.items()}
    known = graph.inputs.copy()
    for node in graph.nodes:
        if any(name not in counts and name not in known for name in node.inputs):
            raise ValueError("its operators are not in order")
        if node.operator == b"Pad":
            _check_pads(graph.constants.get(node.inputs[1]) if len(node.inputs) > 1 else None)
        if all(name in counts for name in node.inputs):
            *small, largest = sorted(counts[name] for name in (b"", *node.inputs))
            if node.operator not in _FOLDED or any(count > 1 for count in small):
                raise ValueError(f"it computes with constants alone, by {_printable(node.operator)}")
            counts |= dict.fromkeys(node.outputs, largest)
        else:
            known.update(node.outputs)


def _check_pads(pads: _Constant | None) -> None:
    """Paddings have to be known, and small."""
    if (
        pads is None
        or len(pads.data) % 8
        or not all(0 <= n <= _SIZE_MAX for (n,) in struct.iter_unpack("<q", pads.data))
    ):
        raise _too_wide()


def _tensor(message: memoryview, left: Iterator[int]) -> tuple[bytes, _Constant]:
    """Name and content of a constant, which must be all there."""
    name, kind, data, sides = b"", 0, memoryview(b""), list[int]()
    for number, value in _fields(message, left):
        if number == _TENSOR_DIMENSIONS:
            sides += _numbers(value)
            if len(sides) > _RANK_MAX:
                raise _too_wide()
        elif number == _TENSOR_TYPE:
            kind = value if isinstance(value, int) else 0
        elif number == _TENSOR_NAME:
            name = _word(value)
        elif number == _TENSOR_DATA:
            data = _message(value)
        elif number not in _TENSOR_MORE:
            raise ValueError("it has constants in another form, or in other files")
    count = math.prod(sides)
    if len(data) != count * _ITEM_BYTES.get(kind, -1):
        raise ValueError("it has constants of a type that aez does not use, or of another size than they say")
    return name, _Constant(count, data)


def _fields(message: memoryview, left: Iterator[int]) -> Iterator[tuple[int, Value]]:
    """Numbers and values of the fields of a protobuf message."""
    place, end = 0, len(message)
    while place < end:
        if next(left, None) is None:
            raise ValueError("it has too many parts")
        key, place = _varint(message, place)
        kind = key & 7
        number, place = _varint(message, place) if kind in (0, 2) else (_FIXED_BYTES.get(kind, end), place)
        if kind == 0:
            yield key >> 3, number
            continue
        if number > end - place:
            raise _damaged()
        yield key >> 3, message[place : place + number]
        place += number


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """A number, lowest seven bits first, and the place behind it."""
    if place < len(message) and message[place] < 128:  # nearly always
        return message[place], place + 1
    value = shift = 0
    while place < len(message) and shift < 70:
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
    raise _damaged()


def _numbers(value: Value) -> list[int]:
    """A repeated number, of which there is one in each field or all in one."""
    if isinstance(value, int):
        return [value]
    numbers, place = list[int](), 0
    while place < len(value):
        number, place = _varint(value, place)
        numbers.append(number)
    return numbers


def _message(value: Value) -> memoryview:
    if isinstance(value, int):
        raise _damaged()
    return value


def _word(value: Value) -> bytes:
    word = bytes(_message(value)[: _WORD_BYTES_MAX + 1])
    if len(word) > _WORD_BYTES_MAX:
        raise ValueError("it has a name that is too long")
    return word


def _printable(word: bytes) -> str:
    return ascii(word[:40].decode("ascii", "replace"))


def _too_wide() -> ValueError:
    return ValueError("it has a kernel or padding of a size that aez does not use")


def _damaged() -> ValueError:
    return ValueError("it is not an ONNX file")


def _foreign(part: str, number: int) -> ValueError:
    return ValueError(f"it has something that aez does not use (field {number} of a {part})")
