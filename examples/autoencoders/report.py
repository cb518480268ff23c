"""What an experiment leaves behind: a picture, and figures that the page quotes by name."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

matplotlib.use("Agg")
DOCS = Path(__file__).parents[2] / "docs" / "autoencoders"


@dataclass(frozen=True)
class Arguments:
    """How an experiment is run."""

    quick: bool
    out: Path
    pictures: Path | None


def arguments(description: str | None, pictures: bool = False) -> Arguments:
    """Of the command line: `--quick`, `--out`, and where photographs are needed `--pictures`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few steps of everything, only to see that it runs")
    parser.add_argument("--out", type=Path, default=DOCS, help="folder for the figures (default: docs/autoencoders)")
    if pictures:
        parser.add_argument("--pictures", type=Path, required=True, help="folder of photographs, such as DIV2K")
    given = parser.parse_args()
    return Arguments(given.quick, given.out, given.pictures if pictures else None)


@dataclass
class Report:
    """Figures by name, as text."""

    name: str
    values: dict[str, str] = field(default_factory=dict)

    def table(self, name: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table in Markdown, also on the terminal."""
        lines = [heads, ["---"] * len(heads), *rows]
        self.values[name] = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        print(f"\n{self.values[name]}\n", flush=True)

    def write(self, out: Path, figure: Figure) -> None:
        """Leave it to `page.py`, which makes the page of all experiments."""
        out.mkdir(parents=True, exist_ok=True)
        figure.savefig(out / f"{self.name}.png", dpi=90, bbox_inches="tight")
        (out / f"{self.name}.json").write_text(json.dumps(self.values, indent=1) + "\n")


def show(axis: Axes, rows: Mapping[str, Tensor]) -> None:
    """Rows of pictures [N, C, H, W] in 0..1, gray or in colour, each with its name."""
    sheet = torch.cat([torch.cat(list(pictures), 2) for pictures in rows.values()], 1).permute(1, 2, 0)
    axis.imshow(sheet, cmap="gray", vmin=0, vmax=1)
    height = len(sheet) / len(rows)
    axis.set_yticks([height * (number + 0.5) for number in range(len(rows))], list(rows), fontsize=8)
    axis.set_xticks([])
