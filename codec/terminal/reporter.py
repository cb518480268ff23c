"""What a command says: finished outputs on stdout, notes and errors on stderr, one line each."""

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ..errors import AezError, AezWarning
from .paths import STANDARD


class Reporter:
    """Says what was done, on stdout, and what went wrong, on stderr; remembers whether anything did.

    Nothing is said on stdout while that is `piped`: a picture goes there.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        verbose: bool = False,
        as_json: bool = False,
        debug: bool = False,
    ) -> None:
        self.piped = False
        self._failed = False
        self._quiet = quiet
        self._verbose = verbose
        self._json = as_json
        self._debug = debug

    @property
    def visible(self) -> bool:
        """Whether somebody looks at stderr and wants to see how far it is."""
        return not self._quiet and sys.stderr.isatty()

    @contextmanager
    def file(self, name: Path | str) -> Iterator[None]:
        """Turn notes and errors about one input into lines on stderr."""
        with warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", AezWarning)
            try:
                yield
            except (AezError, OSError, MemoryError) as error:
                if self._debug:
                    raise
                self.fail(describe(error, printable(name)))
        for note in notes:
            self.note(name, str(note.message))

    def note(self, name: Path | str, text: str) -> None:
        """One line on stderr about an input."""
        if not self._quiet:
            click.echo(f"aez: {printable(name)}: note: {text}", err=True)

    def fail(self, line: str) -> None:
        """Something went wrong."""
        self._failed = True
        click.echo(f"aez: {line}", err=True)

    def say(self, line: str) -> None:
        """One line on stdout."""
        if not self._quiet:
            click.echo(line)

    def done(self, line: str, values: dict[str, Any], detail: str = "") -> None:
        """One finished output."""
        if self.piped:
            return
        if self._json:
            click.echo(json.dumps(values))
        elif not self._quiet:
            click.echo(line + (f"  {detail}" if self._verbose and detail else ""))

    def exit(self) -> None:
        """End with exit code 1 if anything went wrong."""
        if self._failed:
            sys.exit(1)


def printable(name: Path | str) -> str:
    """A file's name on one line, whatever bytes it has."""
    if name == STANDARD:
        return "standard input"
    return str(name).encode("utf-8", "backslashreplace").decode().replace("\n", "\\n").replace("\r", "\\r")


def describe(error: BaseException, name: str) -> str:
    """One line for a person, naming the file."""
    if isinstance(error, MemoryError):
        return f"{name}: not enough memory"
    if isinstance(error, OSError):
        return printable(f"{error.filename or name}: {error.strerror or error}")
    hint = getattr(error, "hint", "")
    said = str(error) or type(error).__name__
    text = printable(" ".join(f"{said}; {hint}".split() if hint else said.split()))
    return text if text.startswith((f"{printable(name)}:", f"{printable(name)} ")) else f"{printable(name)}: {text}"
