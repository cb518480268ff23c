"""Rate-distortion curves as pictures (needs matplotlib, of aez[compare])."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..metrics.rate_distortion import MEASURES, Metric, Point
from .codecs import AEZ

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_curves(curves: Mapping[str, Sequence[Point]], metric: Metric, title: str) -> "Figure":
    """Fidelity over bits per pixel, a line per codec; aez stands out."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="constrained")
    measure = MEASURES[metric]
    ylabel = ",".join([measure.name, measure.unit]).rstrip(",")
    axes = figure.add_subplot(xlabel="bits per pixel", ylabel=ylabel, xscale="log")
    axes.set_title(title, parse_math=False)
    for codec, points in curves.items():
        ours = codec == AEZ
        rates, fidelity = [point.bpp for point in points], [point.fidelity for point in points]
        axes.plot(rates, fidelity, marker="o", markersize=4, label=codec, linewidth=3 if ours else 1.5, zorder=3 - ours)
    ticks = [tick for tick in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10) if tick >= 0.5 * min(p.bpp for p in curves[AEZ])]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.legend()
    axes.grid(alpha=0.3)
    return figure


def as_svg(figure: "Figure") -> str:
    """The plot as an SVG element, to stand in a page."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def as_png(figure: "Figure") -> bytes:
    """The plot as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()
