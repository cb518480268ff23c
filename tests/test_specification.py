"""A second decoder, written from format_spec.md alone, gives the same latents bit for bit."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest
import reference_decoder

from aez.coding.decode import decode_base, decode_enhancement
from aez.format.container import Flags
from aez.format.contents import Contents
from aez.model.registry import WEIGHTS, load_model

FOLDER = Path(__file__).parent / "golden"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.aez")), ids=lambda path: path.stem)
def test_the_reference_decoder_agrees(path: Path) -> None:
    data = path.read_bytes()
    model = path.stem.rsplit("_", 1)[0]
    with np.load(WEIGHTS / model / "entropy.npz") as arrays:
        reference = reference_decoder.decode_exactly(data, dict(arrays))
    contents = Contents(data)
    if contents.header.all_exact:
        assert reference.exact.all()
        assert np.array_equal(contents.exact_picture(), reference.sheet)
        return
    assert reference.base is not None
    blocks = contents.exact_blocks()
    assert np.array_equal(blocks.map if blocks else np.zeros_like(reference.exact), reference.exact)
    if blocks:
        assert np.array_equal(blocks.sheet, reference.sheet)
    loaded = load_model(model)
    decoder = decode_base(loaded, contents)
    base = reference.base.shape[0]
    assert np.array_equal(decoder.latents[0, :base], reference.base)
    if Flags.ENHANCEMENT in contents.header.flags:
        decode_enhancement(decoder, loaded, contents)
        assert reference.enhancement is not None
        assert np.array_equal(decoder.latents[0, base:], reference.enhancement)
    else:
        assert reference.enhancement is None


def test_the_reference_decoder_needs_three_packages_only() -> None:
    tree = ast.parse(Path(reference_decoder.__file__).read_text())
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.split(".")[0] for name in names} - sys.stdlib_module_names == {"numpy", "zstandard", "PIL"}
