"""`aez.latents`: what a picture looks like to a model, in one scale for all qualities."""

import numpy as np
import pytest
from PIL import Image

import aez


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """1 where two arrays are the same but for rounding: one minus the share of the energy in their difference."""
    return 1 - float(((one - other) ** 2).sum() / (one**2).sum())


def test_one_scale_for_all_qualities(photograph: Image.Image) -> None:
    best = aez.latents(aez.encode(photograph, "lossless"))
    likenesses = [likeness(best, aez.latents(aez.encode(photograph, quality))) for quality in (30, 60, 80, 95)]
    assert likenesses == sorted(likenesses)
    assert likenesses[0] > 0.85 and likenesses[-1] > 0.999
    other = aez.latents(aez.encode(photograph.transpose(Image.Transpose.ROTATE_180)))
    assert likeness(best, other) < 0.5


@pytest.mark.parametrize("size", [(1, 1), (16, 17), (171, 133)])
@pytest.mark.parametrize("quality", [50, "lossless"])
def test_a_column_for_each_16_pixels(photograph: Image.Image, size: tuple[int, int], quality: aez.api.Quality) -> None:
    found = aez.latents(aez.encode(photograph.resize(size), quality))
    assert (found.shape, found.dtype) == ((128, -(-size[1] // 16), -(-size[0] // 16)), np.float32)


def test_the_front_part_suffices(photograph: Image.Image) -> None:
    data = aez.encode(photograph)
    front = data[: aez.info(data).medium_bytes]
    assert np.array_equal(aez.latents(front), aez.latents(data))


def test_samples_in_a_file_are_analysed(photograph: Image.Image) -> None:
    drawn = Image.new("RGB", (256, 128), "white")
    drawn.paste(photograph.crop((0, 0, 128, 128)), (0, 0))
    for x in range(136, 250, 8):
        drawn.paste("black", (x, 40, x + 3, 90))
    data = aez.encode(drawn, 80)
    assert 0 < aez.info(data).exact_share < 1
    whole = aez.latents(aez.encode(drawn, "lossless"))
    assert likeness(whole, aez.latents(data)) > 0.9
    assert likeness(whole, aez.latents(data[: aez.info(data).medium_bytes])) > 0.9


def test_bad_input(photograph: Image.Image) -> None:
    data = aez.encode(photograph)
    with pytest.raises(TypeError):
        aez.latents("img.aez")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="device"):
        aez.latents(data, device="moon")  # type: ignore[arg-type]
    with pytest.raises(aez.FormatError):
        aez.latents(b"no file")
    with pytest.raises(aez.PictureError):
        aez.latents(data, max_pixels=100)
    altered = bytearray(data)
    altered[70] ^= 1
    with pytest.raises(aez.DamagedError):
        aez.latents(bytes(altered))
