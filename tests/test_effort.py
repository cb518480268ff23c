"""`effort`: latents refined by gradient descent, through the API and the command line."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import Result
from PIL import Image, ImageOps

import aez
from aez.arrays import Samples
from aez.coding.effort import refiner
from aez.coding.encode import Encoder
from aez.metrics.fidelity import psnr
from aez.metrics.rate_distortion import Point, bd_rate, common_range
from aez.metrics.ssimulacra2 import ssimulacra2
from aez.model.folder import PARAMS
from aez.model.model import Model
from aez.model.registry import DEFAULT_MODEL, WEIGHTS, load_model
from aez.model.tiled import BLOCK
from aez.nn.codec import Coded
from aez.nn.loss import GENERATED_WEIGHT, measure
from aez.nn.params import load_params
from aez.nn.refine import Refiner
from aez.picture.convert import from_pillow

Run = Callable[..., Result]
BUSY = (190, 190, 318, 254)
"""A part of the sample with much detail."""


def cost(data: bytes, image: Image.Image, high: float = 1) -> float:
    """Rate + lambda * distortion as the default model was trained for, that of high with a weight."""
    quality = aez.info(data).quality
    assert quality is not None
    stored = torch.tensor([float(load_model().scale.to_stored(quality))])
    decoded = (to_tensor(np.asarray(aez.decode(data, resolution).convert("RGB"))) for resolution in ("high", "medium"))
    bits = torch.tensor([8.0 * len(data)])
    loss = load_params(WEIGHTS / DEFAULT_MODEL / PARAMS).loss
    terms = measure(Coded(*decoded, bits, torch.zeros(1)), to_tensor(np.asarray(image.convert("RGB"))), stored, loss)
    return (terms.bpp + high * terms.high_cost + terms.medium_cost).item()


def to_tensor(samples: Samples) -> torch.Tensor:
    """[1, 3, H, W] in 0..1."""
    return torch.tensor(samples).permute(2, 0, 1)[None] / 255


def curve(image: Image.Image, effort: int) -> list[Point]:
    """Rates and SSIMULACRA2 of high at three qualities."""
    files = {quality: aez.encode(image, quality, effort=effort) for quality in (45, 65, 85)}
    return [Point(quality, aez.info(data).bpp, ssimulacra2(aez.decode(data), image)) for quality, data in files.items()]


def test_effort_gives_a_better_file(sample: Image.Image) -> None:
    image = sample.crop(BUSY)
    plain, refined = (aez.encode(image, 60, effort=effort) for effort in (0, 3))
    assert cost(refined, image) < 0.99 * cost(plain, image)
    assert aez.encode(image, 60, effort=3) == refined


def test_effort_gives_a_better_curve(sample: Image.Image) -> None:
    image = sample.crop((160, 160, 416, 352))
    plain, refined = (curve(image, effort) for effort in (0, 3))
    within = common_range([plain, refined], "ssimulacra2")
    assert within
    rate = bd_rate(plain, refined, within)
    assert rate is not None
    assert rate < -2


@pytest.mark.filterwarnings("ignore:the file holds the base layer only")
def test_effort_knows_that_a_file_will_be_base_only(sample: Image.Image) -> None:
    image = sample.crop(BUSY)
    plain, refined = (aez.encode(image, 40, layers="base", effort=effort) for effort in (0, 4))
    assert cost(refined, image, GENERATED_WEIGHT) < 0.98 * cost(plain, image, GENERATED_WEIGHT)


def test_effort_is_not_spent_on_what_pads_a_picture(sample: Image.Image) -> None:
    image = sample.crop((200, 200, 266, 266))
    plain, refined = (aez.encode(image, 40, effort=effort) for effort in (0, 5))
    assert cost(refined, image) < 0.97 * cost(plain, image)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_effort_leaves_other_channels_alone(photograph: Image.Image, mode: str) -> None:
    image = photograph.crop((0, 0, 70, 50)).convert(mode)
    if mode != "L":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    decoded = aez.decode(aez.encode(image, 40, effort=1))
    assert decoded.mode == mode
    assert mode == "L" or decoded.getchannel("A").tobytes() == image.getchannel("A").tobytes()
    assert psnr(decoded, aez.decode(aez.encode(image, 40))) > 30


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (1, 66)])
def test_effort_takes_the_smallest_pictures(photograph: Image.Image, size: tuple[int, int]) -> None:
    assert aez.decode(aez.encode(photograph.resize(size), 40, effort=1)).size == size


def test_effort_does_not_depend_on_the_coding(photograph: Image.Image) -> None:
    image = photograph.crop((0, 0, 100, 70))
    ans, zstd = (aez.decode(aez.encode(image, 40, effort=1, coding=coding)) for coding in ("ans", "zstd"))
    assert ans.tobytes() == zstd.tobytes()


def test_effort_covers_pictures_of_several_tiles(sample: Image.Image) -> None:
    model = Model(WEIGHTS / DEFAULT_MODEL, tile=1)
    empty_on_the_left = Image.new("RGB", (3 * BLOCK, BLOCK), "gray")
    empty_on_the_left.paste(sample.crop((200, 200, 200 + BLOCK, 200 + BLOCK)), (2 * BLOCK, 0))
    for image in (empty_on_the_left, ImageOps.mirror(empty_on_the_left)):
        encoders = [Encoder(model, from_pillow(image), effort=effort) for effort in (0, 2)]
        plain, refined = (encoder.encode(encoder.model.scale.to_stored(50)).data for encoder in encoders)
        assert cost(refined, image) < 0.996 * cost(plain, image)


def test_effort_reaches_targets(photograph: Image.Image) -> None:
    image = photograph.crop((0, 0, 128, 128))
    data = aez.encode(image, aez.Target("bpp", 0.8), effort=1)
    assert aez.info(data).bpp == pytest.approx(0.8, rel=0.01)


def test_effort_is_spent_only_near_a_target(sample: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    refined = []
    refine = Refiner.__call__

    def counted(self: Refiner, *arguments: Any) -> Any:
        refined.append(self)
        return refine(self, *arguments)

    monkeypatch.setattr(Refiner, "__call__", counted)
    aez.encode(sample.crop((100, 100, 300, 300)), aez.Target("psnr", 36), effort=1)
    assert len(refined) <= 3


@pytest.mark.parametrize("effort", [-1, 10, 1.5, 1.0, "much"])
def test_effort_is_a_digit(photograph: Image.Image, effort: object) -> None:
    with pytest.raises(ValueError, match="effort must be a whole number from 0 to 9"):
        aez.encode(photograph, effort=effort)  # type: ignore[arg-type]


def test_effort_may_be_any_whole_number_type(photograph: Image.Image) -> None:
    image = photograph.crop((0, 0, 64, 64))
    assert aez.encode(image, effort=np.int64(1)) == aez.encode(image, effort=1)


def test_effort_on_the_command_line(run: Run, photograph: Image.Image, tmp_path: Path) -> None:
    image = photograph.crop((0, 0, 100, 70))
    (tmp_path / "in").mkdir()
    image.save(tmp_path / "in" / "a.png")
    expected = aez.encode(image, 30, effort=1, threads=1)
    assert run("encode", tmp_path / "in" / "a.png", "-q", 30, "--effort", 1, "--threads", 1).exit_code == 0
    assert (tmp_path / "in" / "a.aez").read_bytes() == expected
    batch = run("batch", tmp_path / "in", tmp_path / "out", "-q", 30, "--effort", 1, "--jobs", 1, "--threads", 1)
    assert batch.exit_code == 0
    assert (tmp_path / "out" / "a.aez").read_bytes() == expected
    assert run("encode", tmp_path / "in" / "a.png", "--effort", 10, "-f").exit_code == 2


def test_a_changed_effort_is_a_reason_to_encode_again(run: Run, photograph: Image.Image, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    photograph.crop((0, 0, 100, 70)).save(tmp_path / "in" / "a.png")
    written = set()
    for effort in (0, 1):
        assert (
            run("batch", tmp_path / "in", tmp_path / "out", "--effort", effort, "--jobs", 1, "--threads", 1).exit_code
            == 0
        )
        written.add((tmp_path / "out" / "a.aez").read_bytes())
    assert len(written) == 2


def test_pillow_saves_with_effort(photograph: Image.Image) -> None:
    image = photograph.crop((0, 0, 100, 70))
    file = io.BytesIO()
    image.save(file, "AEZ", quality=30, effort=1)
    assert file.getvalue() == aez.encode(image, 30, effort=1)


def test_effort_needs_no_gradients_of_its_caller(photograph: Image.Image) -> None:
    with torch.inference_mode():
        assert aez.encode(photograph.crop((0, 0, 64, 64)), effort=1)


def test_damaged_parameters_are_said(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(WEIGHTS / DEFAULT_MODEL, folder)
    (folder / "params.safetensors").write_bytes((folder / "params.safetensors").read_bytes()[:1000])
    with pytest.raises(aez.ModelError, match=r"params\.safetensors: not the weights of a codec"):
        refiner(Model(folder))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA")
def test_effort_without_cuda_does_not_fall_back_in_silence() -> None:
    with pytest.raises(aez.ModelError, match="no CUDA"):
        refiner(Model(WEIGHTS / DEFAULT_MODEL, device="cuda"))


def test_a_model_without_parameters_says_so(tmp_path: Path) -> None:
    folder = shutil.copytree(
        WEIGHTS / DEFAULT_MODEL, tmp_path / "model", ignore=shutil.ignore_patterns("*.safetensors")
    )
    with pytest.raises(aez.ModelError, match=r"has no params\.safetensors"):
        refiner(Model(folder))
