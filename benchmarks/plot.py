"""The rate-distortion plots of the README, by both measures, from what `aez compare` measured on Kodak.

aez compare DIR --json > kodak.json
python benchmarks/plot.py kodak.json docs/rate_distortion

Published points are those that CompressAI keeps in results/image/kodak (compressai-mbt2018_mse_cuda.json, vtm.json).
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

from aez.compare.plots import plot_curves
from aez.metrics.rate_distortion import Metric, Point, mean_curve

LIMITS: dict[Metric, tuple[float, float]] = {"psnr": (26, 43), "ssimulacra2": (0, 95)}
PUBLISHED = {
    "mbt2018 (published)": (
        (0.1105, 28.088),
        (0.1870, 29.645),
        (0.2877, 31.362),
        (0.4323, 33.086),
        (0.6388, 35.094),
        (0.8853, 36.989),
        (1.2004, 38.934),
        (1.5873, 40.639),
    ),
    "VVC, VTM (published)": (
        (0.1125, 28.493),
        (0.2458, 31.200),
        (0.4905, 34.262),
        (0.8748, 37.420),
        (1.4308, 40.424),
    ),
}


def main(source: Path, target: Path) -> None:
    pictures = json.loads(source.read_text())["pictures"]
    for metric, limits in LIMITS.items():
        curves: dict[str, list[list[Point]]] = defaultdict(list)
        for picture in pictures:
            codecs: dict[str, list[Point]] = defaultdict(list)
            for sample in picture["measurements"]:
                codecs[sample["codec"]].append(Point(sample["quality"], sample["bpp"], sample[metric]))
            for codec, curve in codecs.items():
                curves[codec].append(curve)
        means = {codec: mean_curve(every) for codec, every in curves.items()}
        figure = plot_curves(means, metric, f"Mean of {len(pictures)} Kodak pictures")
        (axes,) = figure.axes
        for (name, points), marker in zip(PUBLISHED.items() if metric == "psnr" else (), "x+", strict=False):
            rates, psnrs = zip(*points, strict=True)
            axes.scatter(rates, psnrs, marker=marker, s=60, c="black", label=name, zorder=4)
        axes.set_xlim(0.09, 3)
        axes.set_ylim(*limits)
        axes.legend()
        for suffix in (".png", ".svg"):
            figure.savefig(target.with_name(f"{target.name}-{metric}{suffix}"), dpi=120)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
