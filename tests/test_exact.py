"""Decoded latents do not depend on threads, graph optimization or tiles; wrong arithmetic is noticed."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from aez import ModelError, decode, encode
from aez.coding.decode import decode_high, decode_medium
from aez.format.contents import Contents
from aez.model.model import Model
from aez.model.registry import DEFAULT_MODEL, WEIGHTS, load_model

FOLDER = WEIGHTS / DEFAULT_MODEL


def integer_results(model: Model, blocks: tuple[int, int]) -> list[np.ndarray]:
    """What the exact networks make of a random picture of rows x columns blocks."""
    random = np.random.default_rng(1)
    rows, columns = blocks
    hyper = random.integers(-20, 21, (1, model.hyper, rows, columns)).astype(np.float32)
    results = [model.hyper_synthesis(hyper, 12345)]
    for step in range(4):
        channels = [0, model.base, model.base, model.latents][step]
        known = random.integers(-300, 300, (1, channels, rows * 4, columns * 4)).astype(np.float32)
        results += model.context(step, results[0], known)
    return results


def same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_threads_do_not_matter() -> None:
    assert same(integer_results(Model(FOLDER, 1), (5, 3)), integer_results(Model(FOLDER, 2), (5, 3)))


@pytest.mark.parametrize("tile", [1, 2, 3])
def test_tiles_do_not_matter(tile: int) -> None:
    assert same(integer_results(load_model(), (5, 4)), integer_results(Model(FOLDER, tile=tile), (5, 4)))


def test_graph_optimizations_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    optimized = integer_results(Model(FOLDER), (3, 2))
    plain = onnxruntime.SessionOptions

    def unoptimized() -> onnxruntime.SessionOptions:
        options = plain()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return options

    monkeypatch.setattr(onnxruntime, "SessionOptions", unoptimized)
    assert same(optimized, integer_results(Model(FOLDER), (3, 2)))


def test_tiles_leave_no_seams(sample: Image.Image) -> None:
    data = encode(sample, 60)
    model, contents = Model(FOLDER, tile=3), Contents(data)
    tiled = {"high": decode_high(model, contents, upscale=False).rgb, "medium": decode_medium(model, contents).rgb}
    for resolution, samples in tiled.items():
        difference = np.abs(samples.astype(int) - np.asarray(decode(data, resolution)))
        assert difference.max() <= 1
        assert (difference > 0).mean() <= 0.001


def test_a_model_serves_several_threads_at_once(photograph: Image.Image) -> None:
    data = encode(photograph, 40)
    decode_anew = partial(decode, threads=3)  # as no other test does, so that these threads load the model
    with ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(decode_anew, [data] * 8))
    expected = np.asarray(decode_anew(data))
    assert all(np.array_equal(picture, expected) for picture in pictures)


def test_a_model_that_computes_wrongly_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(FOLDER, broken)
    description = json.loads((broken / "model.json").read_text())
    description["hashes"]["hyper_synthesis"] = "0" * 64
    (broken / "model.json").write_text(json.dumps(description))
    with pytest.raises(ModelError, match="hyper_synthesis computes wrongly"):
        integer_results(Model(broken), (1, 1))
