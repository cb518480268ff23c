"""The product and the decoder that was written from format_spec.md give the same verdict on files that are not right.

2,000 mutated files in the suite, any number of them with `--mutations`.
"""

import random
import warnings
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import reference_decoder
from mutations import mutated, small_files
from PIL import Image

from aez import AezError
from aez.coding.decode import decode_base, decode_enhancement
from aez.format.container import Flags
from aez.format.contents import Contents
from aez.model.model import Model
from aez.model.registry import DEFAULT_MODEL, WEIGHTS

MAX_PIXELS = 130 * 130
Verdict = tuple[bytes, ...] | None
"""Base and enhancement latents as int16, the sheet of exact blocks, alpha; or None for a file that is refused."""


@pytest.fixture(scope="module")
def files(photograph: Image.Image) -> list[bytes]:
    return small_files(photograph)


def product(data: bytes, model: Model, high: bool) -> Verdict:
    """What aez makes of a file; sections beside the layers are looked at as `aez.decode` does."""
    try:
        contents = Contents(data)
        header = contents.header
        if header.width * header.height > MAX_PIXELS:
            return None
        if high and contents.newer:
            return None
        contents.metadata()
        if header.all_exact:
            return b"", b"", contents.exact_picture().tobytes(), plane(contents.alpha())
        decoder = decode_base(model, contents)
        base = decoder.latents[0, : model.base].astype(np.int16).tobytes()
        exact = contents.exact_blocks()
        sheet = b"" if exact is None else exact.map.tobytes() + exact.sheet.tobytes()
        if not (high and Flags.ENHANCEMENT in header.flags):
            return base, b"", sheet, plane(contents.medium_alpha())
        decode_enhancement(decoder, model, contents)
        enhancement = decoder.latents[0, model.base :].astype(np.int16).tobytes()
        return base, enhancement, sheet, plane(contents.alpha())
    except AezError:
        return None


def reference(data: bytes, arrays: dict[str, np.ndarray], high: bool) -> Verdict:
    try:
        found = reference_decoder.decode_exactly(data, arrays, "high" if high else "medium")
    except ValueError:
        return None
    exact = b"" if found.base is None or found.sheet is None else found.exact.tobytes()
    return plane(found.base), plane(found.enhancement), exact + plane(found.sheet), plane(found.alpha)


def plane(array: npt.NDArray[Any] | None) -> bytes:
    return b"" if array is None else array.tobytes()


def test_both_decoders_agree_on_mutated_files(
    files: list[bytes], pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference_decoder, "MAX_PIXELS", MAX_PIXELS)
    with np.load(WEIGHTS / DEFAULT_MODEL / "entropy.npz") as archive:
        arrays = dict(archive)
    model, seen = Model(WEIGHTS / DEFAULT_MODEL, threads=1), Counter[bool]()
    for seed in range(pytestconfig.getoption("--mutations")):
        choose = random.Random(seed)
        data, high = mutated(choose.choice(files), choose), choose.random() < 0.7
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours = product(data, model, high)
        assert ours == reference(data, arrays, high), f"seed {seed}, {'high' if high else 'medium'}"
        seen[ours is not None] += 1
    assert min(seen.values()) > 0.1 * sum(seen.values())
