"""What a command says: finished outputs on stdout, notes and errors on stderr, one line each."""

import json
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ..errors import AezError, AezWarning
from .names import printable
from .streams import Stream, is_same_file


class Reporter:
    """Says what was done, on stdout, and what went wrong, on stderr; remembers whether anything did."""

    def __init__(
        self,
        *,
        quiet: bool = False,
        verbose: bool = False,
        as_json: bool = False,
        debug: bool = False,
    ) -> None:
        self._failed = False
        self._output: Path | Stream | None = None
        self._quiet = quiet
        self._verbose = verbose
        self._json = as_json
        self._debug = debug

    @property
    def visible(self) -> bool:
        """Whether somebody looks at stderr and wants to see how far it is."""
        return not self._quiet and sys.stderr is not None and sys.stderr.isatty()

    @contextmanager
    def command(self) -> Iterator[None]:
        """End the command with a line on stderr where something goes wrong that is the fault of no single file."""
        went_well = False
        with self.file(""):
            yield
            went_well = True
        if not went_well:
            self.exit()

    @contextmanager
    def file(self, name: object, output: Path | Stream | None = None) -> Iterator[None]:
        """Turn notes and errors about one input into lines on stderr; no line but errors goes where its output goes."""
        self._output = output
        with warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", AezWarning)
            try:
                yield
            except (AezError, OSError, MemoryError) as error:
                if self._debug:
                    traceback.print_exc()
                    sys.exit(1)
                self.fail(describe(error, printable(name)))
        for note in notes:
            self.note(name, str(note.message))

    def note(self, name: object, text: str) -> None:
        """One line on stderr about an input, or about the whole command where the name is empty."""
        if not self._quiet and not self._is_output(2):
            subject = f"{printable(name)}: " if str(name) else ""
            click.echo(f"aez: {subject}note: {printable(text)}", err=True)

    def fail(self, line: str) -> None:
        """Something went wrong."""
        self._failed = True
        click.echo(f"aez: {line}", err=True)

    def say(self, line: str) -> None:
        """One line on stdout."""
        if not self._quiet:
            _print(line)

    def tell(self, line: str) -> None:
        """One line on stdout that only people want."""
        if not self._json:
            self.say(line)

    def done(self, line: str, values: dict[str, Any], detail: str = "") -> None:
        """One finished output."""
        if self._is_output(1):
            return
        if self._json:
            _print(json.dumps(values))
        elif not self._quiet:
            _print(line + (f"  {detail}" if self._verbose and detail else ""))

    def _is_output(self, number: int) -> bool:
        """Whether standard output, 1, or standard error, 2, is where the present output goes."""
        return self._output is not None and is_same_file(self._output, number)

    def exit(self) -> None:
        """End with exit code 1 if anything went wrong."""
        if self._failed:
            sys.exit(1)


def _print(line: str) -> None:
    """One line on stdout. The command ends where nobody reads that any more, which is the fault of no file."""
    try:
        click.echo(line)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        click.echo(f"aez: {describe(error, 'standard output')}", err=True)
        sys.exit(1)


def describe(error: BaseException, name: str) -> str:
    """One line for a person, beginning with the name of a file unless that is empty."""
    if isinstance(error, MemoryError):
        text = "not enough memory"
    elif isinstance(error, OSError) and not isinstance(error, AezError):
        name, text = str(error.filename or name), error.strerror or str(error)
    else:
        hint = getattr(error, "hint", "")
        said = str(error) or type(error).__name__
        text = " ".join(f"{said}; {hint}".split() if hint else said.split())
    subject, text = printable(name), printable(text)
    return text if not subject or text.startswith((f"{subject}:", f"{subject} ")) else f"{subject}: {text}"
