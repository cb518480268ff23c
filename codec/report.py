"""What a command says: finished outputs on stdout, notes and errors on stderr, one line each."""

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from aez.errors import AezError, AezWarning
from aez.paths import STANDARD


class Reporter:
    """Says what was done, on stdout, and what went wrong, on stderr; remembers whether anything did."""

    def __init__(
        self,
        *,
        quiet: bool = False,
        verbose: bool = False,
        as_json: bool = False,
        debug: bool = False,
        piped: bool = False,
    ) -> None:
        self._failed = False
        self._quiet = quiet
        self._verbose = verbose
        self._json = as_json
        self._debug = debug
        self._piped = piped

    @contextmanager
    def file(self, name: Path) -> Iterator[None]:
        """Turn notes and errors about one input into lines on stderr."""
        with warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", AezWarning)
            try:
                yield
            except (AezError, OSError, MemoryError) as error:
                if self._debug:
                    raise
                self.fail(describe(error, _shown(name)))
        for note in notes:
            self.note(name, str(note.message))

    def note(self, name: Path, text: str) -> None:
        """One line on stderr about an input."""
        if not self._quiet:
            click.echo(f"aez: {_shown(name)}: note: {text}", err=True)

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
        if self._piped:
            return
        if self._json:
            click.echo(json.dumps(values))
        elif not self._quiet:
            click.echo(line + (f"  {detail}" if self._verbose and detail else ""))

    def exit(self) -> None:
        """End with exit code 1 if anything went wrong."""
        if self._failed:
            sys.exit(1)


def _shown(name: Path) -> str:
    return "standard input" if name == STANDARD else str(name)


def describe(error: BaseException, name: str) -> str:
    """One line for a person, naming the file."""
    if isinstance(error, MemoryError):
        return f"{name}: not enough memory"
    if isinstance(error, OSError):
        return f"{error.filename or name}: {error.strerror or error}"
    hint = getattr(error, "hint", "")
    text = " ".join(f"{error}; {hint}".split() if hint else str(error).split())
    return text if text.startswith((f"{name}:", f"{name} ")) else f"{name}: {text}"
