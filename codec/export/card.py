"""The model card."""

from pathlib import Path

import onnx

from ..nn.codec import Codec
from . import macs

_DECODER = ("hyper_synthesis", "context_0", "context_1")


def write_card(
    path: Path, name: str, model_id: str, codec: Codec, graphs: dict[str, onnx.ModelProto], summary: str
) -> None:
    """Sizes, arithmetic and origin of a model as Markdown."""
    costs = {graph_name: macs.per_pixel(graph) / 1000 for graph_name, graph in graphs.items()}
    exact = sum(cost for graph, cost in costs.items() if graph.startswith(("hyper_synthesis", "context")))
    rows = "\n".join(f"| {graph} | {cost:.2f} |" for graph, cost in costs.items())
    totals = {
        "encode": exact + costs["analysis"] + costs["hyper_analysis"],
        "decode high": exact + costs["synthesis"],
        "decode medium": sum(costs[graph] for graph in _DECODER) + costs["medium_synthesis"],
    }
    total_rows = "\n".join(f"| **{task}** | **{cost:.2f}** |" for task, cost in totals.items())
    parameters = sum(p.numel() for p in codec.parameters()) / 1e6
    path.write_text(
        f"""# {name}

Model id `{model_id}`. One model for all qualities 0 to 100, two layers. {parameters:.2f} M parameters:
{codec.arch.base} base and {codec.arch.enhancement} enhancement latents per 16 x 16 pixels,
{codec.arch.hyper} hyper latents per 64 x 64.

## Arithmetic

Thousands of multiply-accumulates per pixel of the full-resolution picture, counted from the ONNX graphs.

| network | kMAC/pixel |
| --- | --- |
{rows}
{total_rows}

## Training

{summary}
"""
    )
