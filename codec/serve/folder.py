"""The folder that is served. No name leads out of it, also not over links."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aez.files import write_file
from aez.serve.names import SUFFIX
from aez.serve.settings import OWN_FOLDER


@dataclass(frozen=True)
class Stored:
    """A file as it was at one moment; `tag` differs from that of any other content."""

    data: bytes
    tag: str
    modified: float


class Folder:
    """Files of a folder by names with slashes."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._scratch = self.root / OWN_FOLDER / "unfinished"

    def read(self, name: str) -> Stored | None:
        """A file, if there is one that may be served."""
        path = self._inside(name)
        if path is None:
            return None
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                return None
            return Stored(file.read(), f"{state.st_mtime_ns:x}-{state.st_size:x}-{state.st_ino:x}", state.st_mtime)

    def write(self, name: str, data: bytes) -> bool:
        """Write a file as a whole; says whether there was none before.

        Raises:
            IsADirectoryError: the name is that of a folder, or leads elsewhere.
        NotADirectoryError: the name needs a folder where there is a file.
        OSError: it cannot be written.
        """
        path = self._inside(name)
        if path is None or path.is_dir():
            raise IsADirectoryError(name)
        new = not path.exists()
        self._scratch.mkdir(parents=True, exist_ok=True)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise NotADirectoryError(name) from error
        write_file(path, data, overwrite=True, scratch=self._scratch)
        return new

    def remove(self, name: str) -> bool:
        """Remove a file; says whether there was one."""
        path = self._inside(name)
        if path is None or not path.is_file():
            return False
        path.unlink(missing_ok=True)
        return True

    def names(self) -> Iterator[str]:
        """Names of all .aez files, but for hidden ones."""
        for folder, folders, files in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                if name.endswith(SUFFIX) and not name.startswith("."):
                    yield (Path(folder) / name).relative_to(self.root).as_posix()

    def tidy(self) -> None:
        """Remove what a killed process has left behind."""
        for unfinished in self._scratch.glob("*"):
            with suppress(OSError):
                unfinished.unlink()

    def _inside(self, name: str) -> Path | None:
        """Where a name leads, if that is below the root."""
        try:
            path = (self.root / name).resolve()
        except (OSError, RuntimeError):
            return None
        return path if path.is_relative_to(self.root) else None
