"""The Python functions, as programs use them: numbers that are none, errors to catch, lines that warnings point to."""

import io
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import aez
from aez.limits import MAX_PIXELS


@pytest.fixture
def noise() -> Image.Image:
    """What the networks cannot show."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 2, (128, 128, 3)).astype(np.uint8) * np.uint8(255))


@pytest.mark.parametrize("name", ["threads", "max_pixels", "effort"])
@pytest.mark.parametrize("value", ["2", 1.5, -1, None])
def test_whole_numbers_are_whole_numbers(photograph: Image.Image, name: str, value: object) -> None:
    given: Any = {name: value}
    with pytest.raises(ValueError, match=f"^{name} must be a whole number from [01] (on|to 9), not "):
        aez.encode(photograph, **given)
    if name == "effort":
        return
    data = aez.encode(photograph)
    readers: list[Callable[..., object]] = [aez.decode, aez.latents, *([aez.info] if name == "max_pixels" else [])]
    for reader in readers:
        with pytest.raises(ValueError, match=f"^{name} must be a whole number from [01] on, not "):
            reader(data, **given)


def test_numbers_of_numpy_are_numbers(photograph: Image.Image) -> None:
    given: Any = {"threads": np.int64(1), "max_pixels": np.uint32(10**6)}
    assert aez.encode(photograph, np.float32(60), **given) == aez.encode(photograph, 60)


@pytest.mark.parametrize("given", [{"exact": "never"}, {"layers": "base"}, {"coding": "zstd"}, {"effort": 1}])
def test_options_that_a_lossless_file_cannot_meet(photograph: Image.Image, given: Any) -> None:
    with pytest.raises(aez.AezError, match=r"^a lossless file has nothing but exact blocks"):
        aez.encode(photograph, "lossless", **given)


def test_an_output_that_exists_is_a_file_that_exists(photograph: Image.Image, tmp_path: Path) -> None:
    source, target = tmp_path / "a.png", tmp_path / "a.aez"
    photograph.save(source)
    aez.encode_file(source, target)
    for convert, place in ((aez.encode_file, target), (aez.decode_file, source)):
        with pytest.raises(FileExistsError) as caught:
            convert(source if place == target else target, place)
        assert isinstance(caught.value, aez.OutputExistsError)
        assert str(caught.value) == f"{place} exists"
        again = pickle.loads(pickle.dumps(caught.value))
        assert (str(again), again.hint) == (str(caught.value), caught.value.hint)


def test_what_is_said_of_a_file_can_be_kept_in_sets(photograph: Image.Image) -> None:
    data = aez.encode(photograph)
    assert {aez.info(data), aez.info(data)} == {aez.info(data)}


def warned_lines(call: Callable[[], object]) -> list[str]:
    """The files of the lines that are warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [warning.filename for warning in caught]


def test_warnings_are_of_the_line_that_calls(noise: Image.Image, tmp_path: Path) -> None:
    base = aez.encode(Image.radial_gradient("L").resize((40, 30)), layers="base")
    deep = Image.fromarray(np.zeros((20, 20), np.uint16))
    noise.save(tmp_path / "noise.png")
    calls: list[Callable[[], object]] = [
        lambda: aez.encode(noise, exact="never"),
        lambda: aez.encode_file(tmp_path / "noise.png", tmp_path / "noise.aez"),
        lambda: aez.encode(noise, aez.Target("bpp", 0.5), exact="never"),
        lambda: aez.encode(deep),
        lambda: aez.decode(base),
        lambda: noise.save(tmp_path / "saved.aez"),
        lambda: Image.open(io.BytesIO(base)).load(),
    ]
    for call in calls:
        assert warned_lines(call) == [__file__]


def test_pillow_users_set_pillows_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = Image.new("L", (600, 500), 255)
    data = aez.encode(drawn, "lossless")
    assert MAX_PIXELS == 128_000_000
    monkeypatch.setattr("aez.plugin.MAX_PIXELS", 1000)  # a smaller usual limit stands for a larger picture
    for allowed in (150_000, None):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", allowed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            assert Image.open(io.BytesIO(data)).tobytes() == drawn.tobytes()
