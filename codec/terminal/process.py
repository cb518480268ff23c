"""What a command needs of its process, and leaves as it was."""

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from .reporter import describe

ENDED_BY_SIGTERM = 128 + signal.SIGTERM


class PreparedGroup(click.Group):
    """Commands for which SIGTERM is as Ctrl-C, standard output takes any name, and standard streams are open."""

    def main(self, *args: Any, **extra: Any) -> Any:
        _open_closed_streams()
        with _terminable(), _tolerant_output():
            try:
                return super().main(*args, **extra)
            except OSError as error:  # of --help and --version; commands say it themselves
                click.echo(f"aez: {describe(error, 'standard output')}", err=True)
                sys.exit(1)


def processes_and_threads(processes: int | None, threads: int) -> tuple[int, int]:
    """As many processes as cores unless told otherwise; the cores are divided among them."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processes = processes or max(cores // max(threads, 1), 1)
    return processes, threads or max(cores // processes, 1)


def _open_closed_streams() -> None:
    """Give numbers 0 to 2 to /dev/null where they are free; a picture's file could get one, and messages go there."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


@contextmanager
def _terminable() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread can have handlers
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED_BY_SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


@contextmanager
def _tolerant_output() -> Iterator[None]:
    """Names that standard output cannot encode are escaped; a reader that has gone away is no error at the end."""
    output = sys.stdout
    if not isinstance(output, io.TextIOWrapper):
        yield
        return
    errors = output.errors
    output.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        try:
            output.reconfigure(errors=errors)
            output.flush()
        except OSError:  # it was said where it was written; at its end Python would say it again
            os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
