"""What an experiment leaves behind: a picture, and figures that the page quotes by name."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import torch
from data import FEWEST, apart, photographs
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from aez.errors import AezError

matplotlib.use("Agg")
ROOT = Path(__file__).parents[2]
DOCS, DEFAULT_OUT = ROOT / "docs" / "autoencoders", ROOT / "build" / "autoencoders"


@dataclass(frozen=True)
class Arguments:
    """How an experiment is run: only to see that it runs, or in full, and where its figures go."""

    quick: bool
    out: Path


@dataclass(frozen=True)
class WithPhotographs(Arguments):
    """And with which photographs: to train and to test with."""

    training: list[Path]
    test: list[Path]


def arguments(description: str | None) -> Arguments:
    """Of the command line: `--quick`, `--out`."""
    given = _parser(description).parse_args()
    return Arguments(given.quick, given.out)


def with_photographs(description: str | None, side: int) -> WithPhotographs:
    """Also `--pictures` and `--test`, of at least so many pixels a side. What is wrong with them ends the program."""
    parser = _parser(description)
    parser.add_argument("--pictures", type=Path, required=True, metavar="DIR", help="folder of photographs")
    parser.add_argument("--test", type=Path, metavar="DIR", help="others to test with (default: a fifth of DIR)")
    given = parser.parse_args()
    try:
        training = photographs(given.pictures, side)
        if len(training) < FEWEST and not given.quick:
            raise AezError(f"{given.pictures}: {len(training)} photographs say nothing; it takes {FEWEST}, or --quick")
        if given.test:
            test = photographs(given.test, side)
        elif given.quick:
            test = training
        else:
            training, test = apart(training)
    except AezError as error:
        sys.exit(f"{Path(sys.argv[0]).name}: {error}")
    return WithPhotographs(given.quick, given.out, training, test)


def _parser(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few steps of everything, only to see that it runs")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="for the figures (default: build/autoencoders)")
    return parser


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
        """Leave it to `page.py`, which makes the page of all experiments, and say what was not said in tables."""
        out.mkdir(parents=True, exist_ok=True)
        figure.savefig(out / f"{self.name}.png", dpi=90, bbox_inches="tight")
        (out / f"{self.name}.json").write_text(json.dumps(self.values, indent=1) + "\n")
        print("\n".join(f"{name}: {value}" for name, value in self.values.items() if not value.startswith("|")))
        print(f"{out / self.name}.png, .json")


def show(axis: Axes, rows: Mapping[str, Tensor]) -> None:
    """Rows of pictures [N, C, H, W] in 0..1, gray or in colour, each with its name."""
    sheet = torch.cat([torch.cat(list(pictures), 2) for pictures in rows.values()], 1).permute(1, 2, 0)
    axis.imshow(sheet, cmap="gray", vmin=0, vmax=1)
    height = len(sheet) / len(rows)
    axis.set_yticks([height * (number + 0.5) for number in range(len(rows))], list(rows), fontsize=8)
    axis.set_xticks([])
