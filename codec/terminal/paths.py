"""Which files a command reads and writes."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

import click

from ..output import is_device
from ..storage import LocalTree
from .names import printable
from .reporter import Reporter, describe
from .streams import STDOUT, Stream, read_to_the_end

Input = Path | Stream
Output = Path | Stream


@dataclass(frozen=True)
class FolderOutput:
    """An output that must be a folder, there already or not: `-o new/`."""

    path: Path


class PathError(click.ClickException):
    """Inputs and outputs that are not there, or do not fit together: one line like any other, and the end."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"aez: {self.message}", err=True)


class ExistingPath(click.Path):
    """A path that has to be there."""

    def __init__(self, **wanted: bool) -> None:
        super().__init__(exists=True, path_type=Path, **wanted)

    def fail(self, message: str, param: click.Parameter | None = None, ctx: click.Context | None = None) -> NoReturn:
        raise PathError(message[:1].lower() + message[1:].rstrip("."))


def expand(inputs: Sequence[Input], foreign_kind: Callable[[str], str], report: Reporter) -> list[Input]:
    """The inputs, with every folder replaced by the files below it that are of no foreign kind by their names.

    Folders below that cannot be looked into are reported.

    Raises:
        PathError: a folder holds no such files.
    """
    found: list[Input] = []
    for source in inputs:
        if isinstance(source, Path) and _is_folder(source):
            listing = LocalTree(source).find()
            for error in listing.errors:
                report.fail(describe(error, str(source)))
            below = [source / name for name in listing.files if not foreign_kind(name)]
            if not below:
                raise PathError(f"{source}: nothing to do in this folder")
            found += sorted(below)
        else:
            found.append(source)
    return found


def place(
    sources: Sequence[Input], output: Output | FolderOutput | None, output_name: Callable[[str], str]
) -> Sequence[Output]:
    """Where each input's output goes: to `output`, or under its own name into that folder, or beside the input.

    Raises:
        PathError: something would be lost, or several inputs have one place.
    """
    if output is None and any(isinstance(source, Stream) for source in sources):
        output = STDOUT
    if isinstance(output, Stream):
        if len(sources) > 1:
            raise PathError(f"only one input can go to {output}")
        return [output]
    if output is None:
        targets = [source.with_name(output_name(source.name)) for source in _named(sources)]
    elif isinstance(output, FolderOutput) or _is_folder(output):
        folder = output.path if isinstance(output, FolderOutput) else output
        if os.path.lexists(folder) and not _is_folder(folder):
            raise PathError(f"{folder} is not a folder")
        targets = [folder / output_name(source.name) for source in _named(sources)]
    elif len(sources) > 1:
        raise PathError(f"{output} is not a folder, and there are several inputs; {output}/ makes it one")
    else:
        targets = [output]
    _refuse_losses(sources, targets)
    return targets


def is_among(target: Output, sources: Iterable[Input]) -> bool:
    """Whether an output is one of the inputs, by whatever path or link."""
    spot = _spot(target)
    return spot is not None and spot in map(_spot, sources)


def read(source: Input) -> bytes:
    """A whole file.

    Raises:
        AezError, OSError: it cannot be read.
    """
    if isinstance(source, Stream):
        return source.read()
    if is_device(source):
        with source.open("rb") as file:
            return read_to_the_end(file, str(source))
    return source.read_bytes()


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises where it must not look


def _named(sources: Iterable[Input]) -> list[Path]:
    """The inputs, all of which have a name that their outputs can take."""
    named = []
    for source in sources:
        if isinstance(source, Stream):
            raise PathError(f"{source} has no name that the output could take; -o must be a file")
        named.append(source)
    return named


def _spot(place: Input | Output) -> str | None:
    """Where a path leads; none for streams."""
    return os.path.realpath(place) if isinstance(place, Path) else None


def _refuse_losses(sources: Iterable[Input], targets: Iterable[Path]) -> None:
    taken: dict[str | None, Input] = {}
    for source, target in zip(sources, targets, strict=True):
        spot = _spot(target)
        if spot == _spot(source):
            raise PathError(f"{target} would be written over itself; choose another output with -o")
        if spot in taken:
            raise PathError(f"{taken[spot]} and {source} would both be written to {target}")
        taken[spot] = source
