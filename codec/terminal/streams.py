"""Files that are open already: standard input and output, and what a shell has opened for a command.

`-`, `/dev/stdin`, `/dev/stdout`, `/dev/fd/3` and `<(command)` name such a file. It is used as it is, from the place on
where it stands, and not opened anew: not all of them could be.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..errors import AezError

_LINKS_MAX = 40
_PIECE, _ENDLESS = 1 << 20, 1 << 30
_FOLDERS = ("/dev/fd", "/proc/self/fd", "/proc/thread-self/fd")


@dataclass(frozen=True)
class Stream:
    """An open file of this process: its number, and how it was named."""

    number: int
    path: str

    def __str__(self) -> str:
        return ("standard input", "standard output")[self.number] if self.path == "-" else self.path

    def check(self) -> None:
        """Stop before any work is done in vain.

        Raises:
            AezError: it is closed, or a terminal.
        """
        with self._opened("wb") as file:
            if file.isatty():
                raise AezError(f"{self} is a terminal, which cannot show a file; -o names another output")

    def read(self) -> bytes:
        """All that is left of it.

        Raises:
            AezError: it is closed, cannot be read, or has no end.
        """
        with self._opened("rb") as file:
            return read_to_the_end(file, str(self))

    def write(self, data: bytes) -> None:
        """Write behind what is there.

        Raises:
            AezError: it is closed, or cannot be written to.
        """
        with self._opened("wb") as file:
            file.write(data)
            file.flush()

    @contextmanager
    def _opened(self, mode: str) -> Iterator[IO[bytes]]:
        """A file object for it, which leaves it open."""
        standard = (sys.stdin, sys.stdout, sys.stderr)  # None where they were closed when this process began
        try:
            if self.number >= len(standard):
                with os.fdopen(os.dup(self.number), mode) as file:
                    yield file
            elif standard[self.number]:
                yield standard[self.number].buffer
            else:
                raise OSError(errno.EBADF, "not open")
        except OSError as error:
            raise AezError(f"{self}: {error.strerror or error}") from error


def read_to_the_end(file: IO[bytes], name: str) -> bytes:
    """All of a pipe or device, of which nobody knows whether it ends.

    Raises:
        AezError: it is more than any picture has.
    """
    data = bytearray()
    while piece := file.read(_PIECE):
        data += piece
        if len(data) > _ENDLESS:
            raise AezError(f"{name}: more than {_ENDLESS >> 20} MiB; a file may be larger, if it is named")
    return bytes(data)


STDIN, STDOUT = Stream(0, "-"), Stream(1, "-")


def open_stream(path: str) -> Stream | None:
    """The open file that a path leads to, if it leads to one."""
    folders = {os.path.realpath(folder) for folder in _FOLDERS}
    place = Path(path)
    for _ in range(_LINKS_MAX):
        if place.name.isascii() and place.name.isdigit() and os.path.realpath(place.parent) in folders:
            return Stream(int(place.name), path)
        if not os.path.islink(place):  # noqa: PTH114 - is_symlink raises where it must not look
            return None
        try:
            place = place.parent / place.readlink()
        except OSError:  # reading it will say why
            return None
    return None


def is_same_file(output: Path | Stream, number: int) -> bool:
    """Whether what is written to an output comes out of an open file too."""
    if isinstance(output, Stream) and output.number == number:
        return True
    try:
        state = os.fstat(output.number) if isinstance(output, Stream) else output.stat()
        return os.path.samestat(state, os.fstat(number))
    except OSError:
        return False
