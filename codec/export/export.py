"""From a trained codec to a model directory: arrays, ONNX graphs, tables, checks and the model card."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import onnx
from torch import Tensor

from ..coding.latents import LayerEncoder
from ..format.blocks import BLOCK
from ..format.container import VERSION
from ..format.quality import KNOT_DISTANCE, KNOTS
from ..format.tables import HYPER_MAX, Table
from ..model.folder import ARRAYS, CARD, DESCRIPTION, PARAMS, read_arrays, read_description
from ..model.identity import decides_samples, model_id
from ..model.model import Model
from ..model.networks import ANALYSIS, CONTEXTS, HYPER_SYNTHESIS, MEDIUM_SYNTHESIS, NETWORKS, SYNTHESIS
from ..model.sessions import output_hash, start_session
from ..model.typical import Typical
from ..nn.codec import Codec
from ..nn.lapped import OVERLAP
from ..nn.networks import Architecture
from ..nn.params import Params, save_params
from ..picture.samples import pad
from . import float_graphs, integer_graphs
from .card import write_card
from .checks import check_integers, check_pictures
from .curves import UNMEASURED, measure_curves, quality_scale
from .integer_layers import IntegerNetworks, extract
from .tables import Histogram, gaussian_tables, hyper_tables


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
            network.name: output_hash(start_session((folder / network.file).read_bytes(), 1, "cpu"))
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
