"""Which files a command reads and writes."""

import os
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import click

from ..output import refuse_existing, write_file

STANDARD = Path("-")


class PathError(click.UsageError):
    """Inputs and outputs that do not fit together."""


def expand(inputs: Sequence[Path], suffixes: Collection[str]) -> list[Path]:
    """The inputs, with every folder replaced by the files of those suffixes below it.

    Raises:
        PathError: a folder holds none.
    """
    found: list[Path] = []
    for source in inputs:
        if os.path.isdir(source):  # noqa: PTH112 - is_dir raises where it must not look
            below = sorted(path for path in source.rglob("*") if path.suffix.lower() in suffixes)
            if not below:
                raise PathError(f"{source}: nothing to do in this folder")
            found += below
        else:
            found.append(source)
    return found


def place(sources: Sequence[Path], output: Path | None, beside: Callable[[Path], Path]) -> list[Path]:
    """Where each input's output goes: to `output`, into that folder, or `beside` the input.

    Raises:
        PathError: something would be lost, or several inputs have one place.
    """
    if output == STANDARD or (output is None and STANDARD in sources):
        if len(sources) > 1:
            raise PathError("only one input can go to standard output")
        return [STANDARD]
    if output is None:
        targets = [beside(source) for source in sources]
    elif os.path.isdir(output):  # noqa: PTH112
        targets = [output / beside(source).name for source in sources]
    elif len(sources) > 1:
        raise PathError(f"{output} is not a folder, and there are several inputs")
    else:
        targets = [output]
    taken: dict[str, Path] = {}
    for source, target in zip(sources, targets, strict=True):
        spot = os.path.realpath(target)
        if spot == os.path.realpath(source):
            raise PathError(f"{target} would be written over itself; choose another output with -o")
        if spot in taken:
            raise PathError(f"{taken[spot]} and {source} would both be written to {target}")
        taken[spot] = source
    return targets


def read(source: Path) -> bytes:
    """A whole file, or standard input."""
    return sys.stdin.buffer.read() if source == STANDARD else source.read_bytes()


def refuse_taken(target: Path, overwrite: bool) -> None:
    """As `refuse_existing`; standard output is never taken."""
    if target != STANDARD:
        refuse_existing(target, overwrite)


def write(target: Path, data: bytes, overwrite: bool) -> None:
    """As `write_file`, or to standard output."""
    if target == STANDARD:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_file(target, data, overwrite)
