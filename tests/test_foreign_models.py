"""Models from strangers: broken, altered and hostile ones give one line, and nothing else happens."""

import json
import math
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from own_models import SHIPPED, change_arrays, describe
from PIL import Image

import aez
from aez.model.networks import NETWORKS
from aez.model.sessions import output_hash, start_session
from aez.model.typical import Typical

Run = Callable[..., Result]
Alter = Callable[[Path], object]
Change = Callable[[np.ndarray], np.ndarray]

DESCRIPTION, TABLES, PARAMS = "model.json", "entropy.npz", "params.safetensors"
HALOS = tuple(network.name for network in NETWORKS)
CURVES = tuple(field.name for field in fields(Typical))


def write(name: str, content: bytes) -> Alter:
    return lambda folder: (folder / name).write_bytes(content)


def replaced(name: str, make: Callable[[Path], object]) -> Alter:
    """Something else in place of a file."""

    def alter(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return alter


def truncated(name: str) -> Alter:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size // 2)


def described(**changes: object) -> Alter:
    return lambda folder: describe(folder, **changes)


DESCRIPTIONS: dict[str, Alter] = {
    "empty": write(DESCRIPTION, b""),
    "a list": write(DESCRIPTION, b"[]"),
    "a number": write(DESCRIPTION, b"3"),
    "nothing in it": write(DESCRIPTION, b"{}"),
    "no text": write(DESCRIPTION, bytes(range(256))),
    "deep": write(DESCRIPTION, b"[" * 100_000),
    "missing": replaced(DESCRIPTION, lambda path: None),
    "a folder": replaced(DESCRIPTION, Path.mkdir),
    "a pipe": replaced(DESCRIPTION, os.mkfifo),
    "a link": replaced(DESCRIPTION, lambda path: path.symlink_to(SHIPPED / DESCRIPTION)),
    "a device": replaced(DESCRIPTION, lambda path: path.symlink_to("/dev/zero")),
    "a path for a name": described(name="../mine"),
    "an absolute name": described(name="/tmp/mine"),
    "lines for a name": described(name="mine\naez: all is well"),
    "an empty name": described(name=""),
    "dots for a name": described(name=".."),
    "a long name": described(name="m" * 1000),
    "a number for a name": described(name=5),
    "a number for an id": described(id=5),
    "another form of id": described(id="0x3156e6"),
    "a negative id": described(id="-1234567"),
    "a float": described(base=128.0),
    "a negative count": described(enhancement=-256),
    "a huge count": described(base=10**12),
    "a truth": described(base=True),
    "no hashes": described(hashes={}),
    "no halos": described(halos={}),
    "halos of a city": described(halos=dict.fromkeys(HALOS, 1000)),
    "no halo at all": described(halos=dict.fromkeys(HALOS, 0)),
    "no qualities": described(qualities=[]),
    "qualities that fall": described(qualities=[0, 9000, 8000, *range(10_000, 57_000, 2_765), 57_344]),
    "qualities that end early": described(qualities=list(range(0, 21 * 600, 600))),
    "qualities in words": described(qualities=["0"] * 21),
    "no curves": described(typical={}),
    "curves without end": described(typical={name: [[1e999] * 15] * 2 for name in CURVES}),
    "curves of huge numbers": described(typical={name: [[10**400] * 15] * 2 for name in CURVES}),
    "curves that fall": described(typical={name: [list(range(15, 0, -1)), [1] * 15] for name in CURVES}),
    "hashes of another kind": described(hashes=["context_0"]),
}


def array(name: str, change: Change) -> Alter:
    """Another array in entropy.npz."""

    def alter(folder: Path) -> None:
        with np.load(folder / TABLES) as arrays:
            changed = change(arrays[name])
        change_arrays(folder, **{name: changed})

    return alter


def set_first(value: int) -> Change:
    def change(numbers: np.ndarray) -> np.ndarray:
        numbers.flat[0] = value
        return numbers

    return change


class Trap:
    """Unpickling it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.folder,)


def pickled(folder: Path) -> None:
    change_arrays(folder, offsets=np.array([Trap(folder / "unpickled")], object))


def bomb(folder: Path) -> None:
    with (
        zipfile.ZipFile(folder / TABLES, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("offsets.npy", "w") as file,
    ):
        np.lib.format.write_array_header_1_0(file, {"descr": "<i2", "fortran_order": False, "shape": (9, 1 << 27)})
        for _ in range(80):
            file.write(bytes(1 << 20))


def promised(folder: Path) -> None:
    """A header of terabytes, without them."""
    with zipfile.ZipFile(folder / TABLES, "w") as archive, archive.open("offsets.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<i2", "fortran_order": False, "shape": (9, 1 << 40)})


def params(**entry: object) -> Alter:
    """One array, described so."""
    header = json.dumps({"log_step": entry}).encode()
    return write(PARAMS, len(header).to_bytes(8, "little") + header + bytes(16))


ARRAYS: dict[str, Alter] = {
    "empty": write(TABLES, b""),
    "no archive": write(TABLES, b"no archive"),
    "an empty archive": write(TABLES, b"PK\x05\x06" + bytes(18)),
    "missing": replaced(TABLES, lambda path: None),
    "truncated": truncated(TABLES),
    "an array without an archive": write(TABLES, b"\x93NUMPY" + bytes(100)),
    "a link": replaced(TABLES, lambda path: path.symlink_to(SHIPPED / TABLES)),
    "pickled": pickled,
    "a bomb": bomb,
    "a promise": promised,
    "an array less": lambda folder: change_arrays(folder, offsets=None),
    "floats": array("offsets", lambda a: a.astype(np.float32)),
    "a knot less": array("offsets", lambda a: a[1:]),
    "no features": array("offsets", lambda a: a[:, :0]),
    "flat offsets": array("offsets", np.ravel),
    "negative lengths": array(
        "scale_lengths", lambda a: np.append(a[:-2], [-a[-2], a[-1] + 2 * a[-2]]).astype(np.int32)
    ),
    "odd lengths": array("scale_lengths", lambda a: a + np.int32([1, -1] * 32)),
    "empty tables": array("scale_lengths", lambda a: np.append(np.zeros(63), a.sum()).astype(np.int32)),
    "lengths beyond the end": array("scale_lengths", set_first(100)),
    "few tables": array("scale_lengths", lambda a: a[:-1]),
    "a frequency of zero": array("scale_frequencies", set_first(0)),
    "a negative frequency": array("scale_frequencies", set_first(-5)),
    "wrong sums": array("scale_frequencies", set_first(9)),
    "frequencies of another type": array("scale_frequencies", lambda a: a.astype(np.uint32)),
    "hyper frequencies of another shape": array("hyper_frequencies", np.ravel),
    "wrong hyper sums": array("hyper_frequencies", set_first(9)),
    "no hyper latents": array("hyper_frequencies", lambda a: a[:, :0]),
    "too many hyper latents": array("hyper_frequencies", lambda a: np.repeat(a, 5, 1)),
    "other weights": array("context_1.last.bias", set_first(9)),
    "other shifts": array("context_1.last.shift", set_first(9)),
    "other offsets": array("offsets", set_first(9)),
    "words for weights": array("context_1.last.shift", lambda a: a.astype("<U3")),
    "another array": lambda folder: change_arrays(folder, more=np.zeros(3)),
    "other params": replaced(PARAMS, lambda path: shutil.copy(SHIPPED / DESCRIPTION, path)),
    "truncated params": truncated(PARAMS),
    "params without a header": write(PARAMS, bytes(4)),
    "params with a long header": write(PARAMS, b"\xff" * 100),
    "params with a wrong header": write(PARAMS, b"\x0c" + bytes(7) + b'{"log_step":3}'[:12] + bytes(9)),
    "params elsewhere": params(data_offsets=[-4, 0], dtype="F16", shape=[2]),
    "params of a type": params(data_offsets=[0, 4], dtype="F32", shape=[1]),
    "params of negative size": params(data_offsets=[0, 4], dtype="F16", shape=[-1, -2]),
    "params of no size": params(data_offsets=[0, 4], dtype="F16", shape=2),
    "params far away": params(data_offsets=[10**30, 10**30 + 4], dtype="F16", shape=[2]),
    "params far before": params(data_offsets=[-(10**30), 4 - 10**30], dtype="F16", shape=[2]),
    "huge params": params(data_offsets=[0, 2 * 10**30], dtype="F16", shape=[10**30]),
    "params of hugely negative size": params(data_offsets=[0, -2 * 10**30], dtype="F16", shape=[-(10**30)]),
    "params of fractional size": params(data_offsets=[0, 4.0], dtype="F16", shape=[2.0]),
    "params of endless size": params(data_offsets=[0, math.inf], dtype="F16", shape=[math.inf]),
    "params of a huge and an endless size": params(data_offsets=[0, 4], dtype="F16", shape=[10**400, 1e300]),
    "params of nothing": params(data_offsets=[0, 0], dtype="F16", shape=[0, 10**30]),
}


Alteration = Callable[[onnx.ModelProto], object]


def graph(network: str, change: Alteration) -> Alter:
    """A changed ONNX graph."""

    def alter(folder: Path) -> None:
        model = onnx.load(folder / f"{network}.onnx")
        change(model)
        (folder / f"{network}.onnx").write_bytes(model.SerializeToString())

    return alter


def first(model: onnx.ModelProto, operator: str) -> onnx.NodeProto:
    return next(node for node in model.graph.node if node.op_type == operator)


def from_elsewhere(place: str) -> Alteration:
    """The first constant is in another file."""

    def change(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=place)

    return change


def prepend(*nodes: onnx.NodeProto, **constants: np.ndarray) -> Alteration:
    """Nodes before all others."""

    def change(model: onnx.ModelProto) -> None:
        kept = list(model.graph.node)
        del model.graph.node[:]
        model.graph.node.extend([*nodes, *kept])
        model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())

    return change


def doubling() -> Alteration:
    """A constant that is computed of a small one, and has terabytes."""
    names = [f"d{i}" for i in range(44)]
    nodes = [helper.make_node("Concat", [a, a], [b], axis=0) for a, b in pairwise(names)]
    return prepend(*nodes, d0=np.zeros(1, np.float32))


def outer_product() -> Alteration:
    row, column = np.zeros((1, 1 << 20), np.float32), np.zeros((1 << 20, 1), np.float32)
    return prepend(helper.make_node("Mul", ["row", "column"], ["product"]), row=row, column=column)


def endless(model: onnx.ModelProto) -> None:
    """A loop of 2^62 rounds."""
    number, truth = TensorProto.INT64, TensorProto.BOOL
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"])],
        "body",
        [helper.make_tensor_value_info("i", number, []), helper.make_tensor_value_info("go", truth, [])],
        [helper.make_tensor_value_info("on", truth, [])],
    )
    rounds, go = np.array(1 << 62), np.array(True)
    prepend(helper.make_node("Loop", ["rounds", "true"], [], body=body), rounds=rounds, true=go)(model)


def custom(model: onnx.ModelProto) -> None:
    first(model, "Relu").domain = "com.example"
    model.opset_import.add(domain="com.example", version=1)


def of_many_sides(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(TensorProto(name="x", data_type=TensorProto.FLOAT, dims=[2] * 4_000_000))


def in_a_function(model: onnx.ModelProto) -> None:
    relu = helper.make_node("Relu", ["x"], ["y"])
    model.functions.append(helper.make_function("", "Relu", ["x"], ["y"], [relu], [helper.make_opsetid("", 18)]))


def renamed(model: onnx.ModelProto) -> None:
    old, model.graph.input[0].name = model.graph.input[0].name, "image"
    for node in model.graph.node:
        node.input[:] = ["image" if name == old else name for name in node.input]


def edged(pads: np.ndarray) -> Alteration:
    """Other widths of the edge that is repeated."""

    def change(model: onnx.ModelProto) -> None:
        name = first(model, "Pad").input[1]
        constant = next(tensor for tensor in model.graph.initializer if tensor.name == name)
        constant.CopyFrom(numpy_helper.from_array(pads, name))

    return change


def doubly_edged(model: onnx.ModelProto) -> None:
    pad = first(model, "Pad")
    model.graph.node.insert(list(model.graph.node).index(pad), helper.make_node("Pad", pad.input, ["more"]))
    pad.input[0] = "more"


def padded(size: int) -> Alteration:
    def change(model: onnx.ModelProto) -> None:
        (pads,) = [attribute for attribute in first(model, "Conv").attribute if attribute.name == "pads"]
        pads.ints[:] = [size] * 4

    return change


def of_another_type(model: onnx.ModelProto) -> None:
    last = model.graph.node[-1]
    last.op_type = "Cast"
    last.attribute.append(helper.make_attribute("to", TensorProto.FLOAT16))
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT16


def of_fixed_size(model: onnx.ModelProto) -> None:
    for value in (*model.graph.input, *model.graph.output):
        for side in value.type.tensor_type.shape.dim:
            if side.dim_param:
                side.dim_value = 16


def without_output(model: onnx.ModelProto) -> None:
    del model.graph.output[1]


def filled(byte: int) -> Alteration:
    """All weights of float16 are of that byte."""

    def change(model: onnx.ModelProto) -> None:
        for tensor in model.graph.initializer:
            if tensor.data_type == TensorProto.FLOAT16:
                tensor.raw_data = bytes([byte]) * len(tensor.raw_data)

    return change


def zeroed(model: onnx.ModelProto) -> None:
    weights = model.graph.initializer[0]
    weights.raw_data = bytes(len(weights.raw_data))


def shrunk(model: onnx.ModelProto) -> None:
    """An output that has two rows, whatever the picture."""
    last = model.graph.node[-1]
    last.op_type = "Slice"
    for number, name in zip((0, 2, 0), ("start", "stop", "axis"), strict=True):
        model.graph.initializer.append(numpy_helper.from_array(np.array([number]), name))
        last.input.append(name)


def hash_again(folder: Path, network: str) -> None:
    hashes = json.loads((folder / DESCRIPTION).read_text())["hashes"]
    new = output_hash(start_session((folder / f"{network}.onnx").read_bytes(), 1, "cpu"))
    describe(folder, hashes=hashes | {network: new})


def beyond_the_tables(folder: Path) -> None:
    """Scale indices for which there are no tables; the hash agrees."""
    path = folder / "context_0.onnx"
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if numpy_helper.to_array(tensor).tolist() in ([24], [63]):
            tensor.raw_data = np.float32(250).tobytes()
    path.write_bytes(model.SerializeToString())
    hash_again(folder, "context_0")


GRAPHS: dict[str, Alter] = {
    "missing": replaced("synthesis.onnx", lambda path: None),
    "empty": write("synthesis.onnx", b""),
    "text": write("synthesis.onnx", b"not a graph"),
    "zeros": write("synthesis.onnx", bytes(1000)),
    "nothing but small parts": write("synthesis.onnx", b"\x08\x00" * 3_000_000),
    "very large": lambda folder: os.truncate(folder / "synthesis.onnx", 1 << 40),
    "truncated": truncated("context_2.onnx"),
    "of another form": write("analysis.onnx", b"\x20\x00\x00\x00ORTM" + bytes(100)),
    "a link": replaced("analysis.onnx", lambda path: path.symlink_to(SHIPPED / "analysis.onnx")),
    "a pipe": replaced("medium_synthesis.onnx", os.mkfifo),
    "of another network": lambda folder: shutil.copy(folder / "context_0.onnx", folder / "context_1.onnx"),
    "of another layer": lambda folder: shutil.copy(folder / "context_1.onnx", folder / "context_2.onnx"),
    "the other way round": lambda folder: shutil.copy(folder / "analysis.onnx", folder / "synthesis.onnx"),
    "for more channels": described(base=130),
    "a constant of many sides": graph("analysis", of_many_sides),
    "a custom operator": graph("analysis", custom),
    "an unknown operator": graph("analysis", lambda model: setattr(first(model, "Relu"), "op_type", "Whatever")),
    "a function": graph("analysis", in_a_function),
    "a loop": graph("analysis", endless),
    "a subgraph": graph("analysis", lambda model: first(model, "Conv").attribute.add(name="g", type=5).g.SetInParent()),
    "data elsewhere": graph("analysis", from_elsewhere("../../secret")),
    "data of the machine": graph("synthesis", from_elsewhere("/etc/passwd")),
    "gigantic constants": graph("analysis", lambda model: model.graph.initializer[0].dims.append(1 << 40)),
    "gigantic computed constants": graph("analysis", doubling()),
    "gigantic products": graph("analysis", outer_product()),
    "gigantic filled constants": graph(
        "analysis", prepend(helper.make_node("ConstantOfShape", ["n"], ["gigantic"]), n=np.array([1 << 42]))
    ),
    "gigantic padding": graph("analysis", padded(1 << 40)),
    "large padding": graph("synthesis", padded(20_000)),
    "negative padding": graph("synthesis", padded(-1)),
    "a gigantic edge": graph("synthesis", edged(np.array([0, 0, 1 << 30, 1, 0, 0, 1, 1]))),
    "a negative edge": graph("medium_synthesis", edged(np.array([0, 0, -1, 1, 0, 0, 1, 1]))),
    "an edge in bytes": graph("synthesis", edged(np.ones(9, np.uint8))),
    "two edges": graph("synthesis", doubly_edged),
    "a long word": graph("analysis", lambda model: first(model, "Conv").attribute.add(name="a" * 1000)),
    "another input": graph("analysis", renamed),
    "another type": graph("analysis", of_another_type),
    "fixed sizes": graph("hyper_analysis", of_fixed_size),
    "fewer outputs": graph("context_3", without_output),
    "fewer rows": graph("synthesis", shrunk),
    "no numbers": graph("analysis", filled(0xFF)),
    "no numbers in the hyper latents": graph("hyper_analysis", filled(0xFF)),
    "weights of the same type": graph(
        "context_2", lambda model: setattr(model.graph.initializer[1], "raw_data", bytes(640))
    ),
    "scales that no table has": beyond_the_tables,
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder for models, which does not exist yet."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "aez" / "models"


def refused(run: Run, own: Path, home: Path) -> str:
    """What is said of a model, in one line; it is not installed, and nothing of it is unpickled."""
    before = sorted(own.iterdir())
    result = run("models", "install", own)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    (line,) = result.stderr.splitlines()
    assert line.startswith("aez: ")
    assert sorted(own.iterdir()) == before
    assert not home.exists() or [path.name for path in home.iterdir()] == [".lock"]
    return line


def each(alterations: dict[str, Alter]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("alter", [pytest.param(alter, id=name) for name, alter in alterations.items()])


@each(DESCRIPTIONS)
def test_wrong_descriptions(run: Run, own: Path, home: Path, alter: Alter) -> None:
    alter(own)
    line = refused(run, own, home)
    assert re.match(rf"aez: {own}: (not a model \(model.json|model.json is not a plain file)", line)


@each(ARRAYS)
def test_wrong_arrays(run: Run, own: Path, home: Path, alter: Alter) -> None:
    alter(own)
    line = refused(run, own, home)
    said = r"(not a model \()?entropy.npz|\w+.onnx: its weights|params.safetensors|its id is"
    assert re.match(rf"aez: {own}: ({said})", line)


@each(GRAPHS)
def test_wrong_graphs(run: Run, own: Path, home: Path, alter: Alter) -> None:
    alter(own)
    line = refused(run, own, home)
    assert re.match(rf"aez: (mine-1|{own}): (not a model \()?\w+\.onnx|mine-1: context_2 computes wrongly", line)


@pytest.mark.parametrize(
    ("network", "failing"),
    [
        ("analysis", ["encode"]),
        ("context_0", ["encode", "high", "medium"]),
        ("context_3", ["encode", "high"]),
        ("synthesis", ["high"]),
        ("medium_synthesis", ["medium"]),
    ],
)
def test_wrong_graphs_are_said_by_what_needs_them(
    run: Run, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str, failing: list[str]
) -> None:
    picture, data = tmp_path / "a.png", tmp_path / "a.aez"
    Image.radial_gradient("L").resize((40, 50)).convert("RGB").save(picture)
    data.write_bytes(aez.encode(Image.open(picture), model=own))
    graph(network, from_elsewhere("/etc/passwd"))(own)
    monkeypatch.setenv("AEZ_MODELS", str(own))
    commands: dict[str, tuple[object, ...]] = {
        "encode": ("encode", picture, "-o", tmp_path / "encode", "--model", "mine-1"),
        "high": ("decode", data, "-o", tmp_path / "high", "--format", "png"),
        "medium": ("decode", data, "-o", tmp_path / "medium", "--format", "png", "--res", "medium"),
    }
    results = {name: run(*command) for name, command in commands.items()}
    assert [name for name, result in results.items() if result.exit_code == 1] == failing
    for name in failing:
        (line,) = results[name].stderr.splitlines()
        assert f"{own}: {network}.onnx: " in line
        assert not (tmp_path / name).exists()


@given(st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_altered_files_give_pictures_or_one_line(own: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(own.iterdir())))
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    some = data.draw(st.binary(max_size=20))
    path.write_bytes(content[:place] + some + content[place + data.draw(st.sampled_from([0, len(some), 1000])) :])
    try:
        coded = aez.encode(Image.new("RGB", (70, 50), "teal"), model=own)
        assert aez.decode(coded, model=own).size == (70, 50)
        assert aez.decode(coded, "medium", model=own).size == (35, 25)
    except aez.AezError as error:
        assert str(error)
    finally:
        path.write_bytes(content)
