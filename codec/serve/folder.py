"""A folder whose files are asked for by name. No name leads out of it, also not over links."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import PictureError
from ..output import write_file
from ..storage.local import open_at_once
from .settings import STATE_FOLDER

SUFFIX = ".aez"
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EACCES)


@dataclass(frozen=True)
class Snapshot:
    """A file as it was at one moment; `tag` differs from that of any other content."""

    data: bytes
    tag: str
    modified: float


class Folder:
    """Files of a folder by names with slashes, none of more than `max_bytes` bytes."""

    def __init__(self, root: Path, max_bytes: int) -> None:
        self.root = root.resolve()
        self._max_bytes = max_bytes
        self._scratch = self.root / STATE_FOLDER / "unfinished"

    def read(self, name: str) -> Snapshot | None:
        """A file, if there is one that may be served.

        Raises:
            PictureError: it is too large.
            OSError: it is there, and cannot be read.
        """
        path = self._inside(name)
        try:
            if path is None or not path.is_file():
                return None
            with open(path, "rb", opener=open_at_once) as file:
                state = os.fstat(file.fileno())
                if not stat.S_ISREG(state.st_mode):
                    return None
                data = file.read(min(self._max_bytes, state.st_size) + 1)
        except OSError as error:
            if error.errno in _NOT_THERE:
                return None
            raise
        if len(data) > self._max_bytes:
            raise PictureError(f"the file has more than {self._max_bytes} bytes")
        return Snapshot(data, _tag(state), state.st_mtime)

    def tag(self, name: str) -> str | None:
        """The tag that reading a file now would give."""
        path = self._inside(name)
        try:
            return _tag(path.stat()) if path else None
        except OSError:
            return None

    def write(self, name: str, data: bytes, overwrite: bool = True) -> bool:
        """Write a file as a whole; says whether there was none before.

        Raises:
            OutputExistsError: there is one, and `overwrite` is false.
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
        write_file(path, data, overwrite=overwrite, scratch=self._scratch)
        return new

    def remove(self, name: str) -> bool:
        """Remove a file, or a link to one; says whether there was one."""
        path = self._inside(name)
        if path is None or not path.is_file():
            return False
        (self.root / name).unlink(missing_ok=True)
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


def _tag(state: os.stat_result) -> str:
    return f"{state.st_mtime_ns:x}-{state.st_size:x}-{state.st_ino:x}"
