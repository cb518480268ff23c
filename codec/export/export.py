"""From a trained codec to a model directory: arrays, ONNX graphs, tables, checks and the model card."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor

from ..coding.latents import LayerEncoder, checkerboard_half
from ..errors import AezError
from ..format.blocks import BLOCK
from ..format.container import VERSION
from ..format.quality import KNOT_DISTANCE, KNOTS, QUALITY_MAX
from ..format.tables import HYPER_MAX, Table
from ..model.folder import ARRAYS, CARD, DESCRIPTION, PARAMS, read_arrays, read_description
from ..model.identity import decides_samples, model_id
from ..model.model import Model
from ..model.networks import ANALYSIS, CONTEXTS, HYPER_SYNTHESIS, MEDIUM_SYNTHESIS, NETWORKS, SYNTHESIS
from ..model.sessions import check_hash, start_session
from ..model.typical import Typical
from ..nn.codec import Codec
from ..nn.lapped import OVERLAP
from ..nn.networks import Architecture, knot_weights
from ..nn.params import Params, save_params
from ..picture.samples import pad
from . import float_graphs, integer_graphs
from .card import write_card
from .curves import UNMEASURED, measure_curves, quality_scale
from .integer_layers import IntegerNetworks, convolve, extract
from .tables import Histogram, gaussian_tables, hyper_tables

Array = npt.NDArray[np.generic]
MAX_WRONG_SAMPLES = 0.001


class ExportError(AezError):
    """The exported graphs would not compute what PyTorch does."""


def export(
    params: Params, folder: Path, pictures: Iterable[Tensor], validation: Sequence[Tensor], summary: str
) -> None:
    """Write a model directory, and prove that it computes what was trained.

    Args:
        params: trained weights, which are rounded to float16 first, and their loss.
        folder: the new directory, named as the model; an existing one is replaced when everything is done.
        pictures: uint8 [3, H, W], to which the scale tables are fitted.
        validation: others, by which is measured what qualities mean; at least one.
        summary: how it was trained, for the model card.

    Raises:
        BoundError: an integer network could leave the exact range.
        ExportError: a graph disagrees with PyTorch or with integer arithmetic.
    """
    codec = params.codec.cpu().eval().half().float()
    name = folder.name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        new = Path(temporary) / name
        new.mkdir()
        save_params(Params(codec, params.loss), new / PARAMS)
        integers = extract(codec)
        graphs = build_graphs(codec, integers)
        for graph_name, graph in graphs.items():
            onnx.save(graph, new / f"{graph_name}.onnx")
        _write_tables(new, codec, integers, gaussian_tables())
        _describe(new, codec, UNMEASURED)
        _write_tables(new, codec, integers, fit_tables(Model(new), pictures))
        check_integers(Model(new), integers)
        check_pictures(Model(new), codec)
        _describe(new, codec, measure_curves(Model(new), validation))
        write_card(new / CARD, name, f"{read_description(new).id:08x}", codec, graphs, summary)
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)


def halos(arch: Architecture) -> dict[str, int]:
    """How many blocks of pixels beyond a tile each network sees: one cell for each block of layers; others see less."""
    sixteenth = 16 * arch.blocks_sixteenth
    pixels = {
        ANALYSIS.name: 8 * arch.blocks_analysis + sixteenth,
        SYNTHESIS.name: OVERLAP + 8 * arch.blocks_synthesis + sixteenth,
        MEDIUM_SYNTHESIS.name: 2 * OVERLAP + 16 * arch.blocks_medium,
    }
    return {network.name: -(-pixels.get(network.name, BLOCK) // BLOCK) for network in NETWORKS}


def build_graphs(codec: Codec, integers: IntegerNetworks) -> dict[str, onnx.ModelProto]:
    """All ONNX graphs of a model by name."""
    contexts = [layers for name, layers in integers.layers.items() if name.startswith("context")]
    return {
        "analysis": float_graphs.analysis(codec),
        "hyper_analysis": float_graphs.hyper_analysis(codec, HYPER_MAX),
        "hyper_synthesis": integer_graphs.hyper_synthesis(integers.layers["hyper_synthesis"]),
        **{
            f"context_{step}": integer_graphs.context(layers, codec.arch.features, start=1 - step % 2)
            for step, layers in enumerate(contexts)
        },
        "synthesis": float_graphs.synthesis(codec),
        "medium_synthesis": float_graphs.medium_synthesis(codec),
    }


def _write_tables(folder: Path, codec: Codec, integers: IntegerNetworks, scales: list[Table]) -> None:
    """Write `entropy.npz`."""
    arrays = {
        **integers.arrays(),
        "scale_frequencies": np.concatenate([table.frequencies for table in scales]),
        "scale_lengths": np.array([len(table.frequencies) for table in scales], np.int32),
        "hyper_frequencies": hyper_tables(codec),
    }
    np.savez_compressed(folder / ARRAYS, **arrays)  # type: ignore[arg-type]


def _describe(folder: Path, codec: Codec, typical: Typical) -> None:
    """Write `model.json`, with the id over everything that decoding depends on."""
    floats = {key: value.half().numpy() for key, value in codec.state_dict().items() if decides_samples(key)}
    description = {
        "format": VERSION,
        "name": folder.name,
        "id": f"{model_id({**read_arrays(folder), **floats}):08x}",
        "base": codec.arch.base,
        "enhancement": codec.arch.enhancement,
        "hashes": {
            network.name: check_hash(start_session((folder / network.file).read_bytes(), 1, "cpu"))
            for network in (HYPER_SYNTHESIS, *CONTEXTS)
        },
        "halos": halos(codec.arch),
        "qualities": quality_scale(typical.ssimulacra2).stored,
        "typical": {
            curve.name: [np.round(row, 4).tolist() for row in vars(getattr(typical, curve.name)).values()]
            for curve in fields(Typical)
        },
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n")


def fit_tables(model: Model, pictures: Iterable[Tensor]) -> list[Table]:
    """Scale tables fitted to the symbols of some pictures at all knots of the quality."""
    histogram = Histogram(model.scale_tables)
    for number, picture in enumerate(pictures):
        rgb = pad(picture.permute(1, 2, 0).numpy(), BLOCK)
        quality = number % KNOTS * KNOT_DISTANCE
        target = model.analysis(rgb, quality)
        features = model.hyper_synthesis(model.hyper_analysis(target), quality)
        encoder = LayerEncoder(model, features, target, all_coded=True)
        for layer in (model.base_layer, model.enhancement_layer):
            encoder.write(histogram, layer)
    return histogram.fitted()


def check_integers(model: Model, integers: IntegerNetworks) -> None:
    """Compare the integer graphs with int64 arithmetic on random input.

    Raises:
        ExportError: they differ.
    """
    random = np.random.default_rng(0)
    first, second = integers.layers["hyper_synthesis"].values()
    hyper = random.integers(-HYPER_MAX, HYPER_MAX + 1, (first.weight.shape[1], 4, 5))
    x = _shuffle(np.clip(convolve(first, hyper), 0, 255))
    offset = integers.offsets[0].astype(np.int64)
    features = np.clip(_shuffle(convolve(second, x)) + offset[:, None, None], 0, 255)
    _compare("hyper_synthesis", model.hyper_synthesis(hyper.astype(np.float32)[None], 0), features)
    for step in range(4):
        layers = integers.layers[f"context_{step}"]
        known = layers["first"].weight.shape[1] - len(features)
        latents = random.integers(-200, 201, (known, *features.shape[1:]))
        x = np.concatenate([features, np.clip(latents, -128, 127)])
        x = np.clip(convolve(layers["first"], x), 0, 255)
        x = np.clip(convolve(layers["depthwise"], x), 0, 255)
        mean, index = np.split(convolve(layers["last"], x), 2)
        result = model.context(step, features.astype(np.float32)[None], latents.astype(np.float32)[None])
        is_first = step % 2 == 0
        _compare(f"context_{step} mean", result[0], checkerboard_half(mean, is_first))
        _compare(f"context_{step} index", result[1], checkerboard_half(np.clip(index + 24, 0, 63), is_first))


@torch.no_grad()
def check_pictures(model: Model, codec: Codec) -> None:
    """Compare analysis and both syntheses with PyTorch on a smooth random picture.

    Raises:
        ExportError: samples differ by more than one level, or too many differ.
    """
    noise = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    picture = torch.nn.functional.interpolate(noise, (256, 256), mode="bicubic").clamp(0, 1).mul(255).round()
    for quality in (0, QUALITY_MAX // 3, QUALITY_MAX):
        knots = knot_weights(torch.tensor([float(quality)]))
        step = torch.exp(knots @ codec.log_step)[:, :, None, None]
        expected = codec.analysis(picture / 255, knots) / step
        latents = model.analysis(picture[0].permute(1, 2, 0).numpy().astype(np.uint8), quality)
        if np.abs(latents - expected.numpy()).max() > 0.02:
            raise ExportError("analysis differs from PyTorch")
        units = torch.round(expected * 16)
        for name, ours, theirs in (
            ("synthesis", model.synthesis(units.numpy(), quality), codec.synthesis(units / 16 * step, knots)),
            (
                "medium_synthesis",
                model.medium_synthesis(units[:, : model.base].numpy(), quality),
                codec.medium_synthesis((units / 16 * step)[:, : model.base], knots),
            ),
        ):
            rounded = theirs[0].permute(1, 2, 0).mul(255).round().clamp(0, 255).numpy()
            difference = np.abs(ours - rounded)
            if difference.max() > 1 or (difference > 0).mean() > MAX_WRONG_SAMPLES:
                raise ExportError(f"{name} differs from PyTorch")


def _shuffle(x: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Depth to space by two, [4 C, H, W] -> [C, 2 H, 2 W]."""
    channels, height, width = len(x) // 4, *x.shape[1:]
    return x.reshape(channels, 2, 2, height, width).transpose(0, 3, 1, 4, 2).reshape(channels, 2 * height, 2 * width)


def _compare(name: str, ours: Array, expected: npt.NDArray[np.int64]) -> None:
    if not np.array_equal(ours[0].astype(np.int64), expected):
        raise ExportError(f"{name} differs from integer arithmetic")
