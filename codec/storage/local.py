"""A folder of this machine."""

import errno
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import AezError
from ..output import write_file
from .tree import OWN_FOLDER, OWN_PREFIX, Listing

_NO_WAITING = getattr(os, "O_NONBLOCK", 0)
_LEADS_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


@dataclass(frozen=True)
class LocalTree:
    """A folder. Files are written below `OWN_FOLDER` and renamed when they are complete."""

    root: Path
    private = False

    def __str__(self) -> str:
        return str(self.root)

    def find(self) -> Listing:
        found = Listing()
        if not self.root.exists():
            return found
        for place, folders, files in os.walk(self.root, onerror=found.errors.append):
            here = Path(place)
            folders[:] = _foreign(folders)
            for name in [*folders, *_foreign(files)]:
                self._look_at(here / name, found)
        return found

    def find_own(self, folder: str) -> list[str]:
        place = self.scratch / folder
        return [f"{OWN_FOLDER}/{folder}/{path.name}" for path in sorted(place.iterdir())] if place.is_dir() else []

    def existing(self, names: Iterable[str]) -> dict[str, str]:
        return {name: stamp for name in names if (stamp := self.stamp(name))}

    def exists(self, name: str) -> bool:
        return (self.root / name).exists()

    def stamp(self, name: str) -> str:
        try:
            return _stamp((self.root / name).stat())
        except OSError:
            return ""

    def read(self, name: str, at_most: int | None = None) -> bytes:
        with open(self.root / name, "rb", opener=open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise AezError(f"{name}: is not a file")
            return file.read(at_most)

    def write(self, name: str, data: bytes, *, overwrite: bool = True) -> None:
        path = self.root / name
        for folder in (self.scratch, path.parent):
            folder.mkdir(parents=True, exist_ok=True)
        # A file whose name is lost with the power is only made again, and waiting for names costs as much as for data.
        write_file(path, data, overwrite, scratch=self.scratch, wait_for_name=False)

    def note(self, name: str, data: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    @property
    def scratch(self) -> Path:
        """Where unfinished files are."""
        return self.root / OWN_FOLDER

    def _look_at(self, path: Path, found: Listing) -> None:
        name = path.relative_to(self.root).as_posix()
        linked = os.path.islink(path)  # noqa: PTH114 - is_symlink raises where it must not look
        try:
            state = path.stat()
        except OSError as error:
            if linked and error.errno in _LEADS_NOWHERE:
                found.others[name] = "broken links"
            elif not isinstance(error, FileNotFoundError):  # it may just have vanished
                found.errors.append(error)
            return
        if stamp := _stamp(state):
            found.files[name] = stamp
        elif not stat.S_ISDIR(state.st_mode):
            found.others[name] = "pipes and devices"
        elif linked:
            found.others[name] = "folders behind links"


def _foreign(names: Iterable[str]) -> list[str]:
    """What aez does not keep there itself, in order."""
    return sorted(name for name in names if not name.startswith(OWN_PREFIX))


def _stamp(state: os.stat_result) -> str:
    return f"{state.st_size}-{state.st_mtime_ns}" if stat.S_ISREG(state.st_mode) else ""


def open_at_once(path: str, flags: int) -> int:
    """An opener that does not wait for the other end, should it be a pipe, or have become one meanwhile."""
    return os.open(path, flags | _NO_WAITING)
