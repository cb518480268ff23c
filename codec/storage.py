"""Where files come from and go to: a local folder, or a URL of any file system that fsspec knows.

A file has a name, its path below the root with slashes, and a stamp, which changes when the file does; an empty stamp
says nothing, and is that of a file which is not there.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .errors import AezError
from .output import write_file

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

OWN_FOLDER = ".aez-batch"
_CHANGES = ("ETag", "etag", "mtime", "LastModified", "Last-Modified", "last_modified", "updated", "created")


class Tree(Protocol):
    """A root and the files below it.

    Raises:
        AezError, OSError: from any method: the file or the whole tree cannot be used.
    """

    @property
    def private(self) -> bool:
        """Whether only this process sees it."""

    def find(self) -> dict[str, str]:
        """All names with their stamps, but for those in `OWN_FOLDER`."""

    def existing(self, names: Iterable[str]) -> dict[str, str]:
        """Those of the names that are there, with their stamps."""

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    def stamp(self, name: str) -> str:
        """The stamp of a file."""

    def read(self, name: str, at_most: int | None = None) -> bytes:
        """A file, or its first bytes."""

    def write(self, name: str, data: bytes) -> None:
        """Write a file as a whole or not at all, over one that is there."""

    def remove(self, name: str) -> None:
        """Remove a file."""


@dataclass(frozen=True)
class LocalTree:
    """A folder. Files are written below `OWN_FOLDER` and renamed when they are complete."""

    root: Path
    private = False

    def __str__(self) -> str:
        return str(self.root)

    def find(self) -> dict[str, str]:
        if not self.root.exists():
            return {}
        names = []
        for folder, folders, files in os.walk(self.root, onerror=_raise):
            folders[:] = sorted(name for name in folders if name != OWN_FOLDER)
            names += [(Path(folder) / name).relative_to(self.root).as_posix() for name in sorted(files)]
        return self.existing(names)

    def existing(self, names: Iterable[str]) -> dict[str, str]:
        return {name: stamp for name in names if (stamp := self.stamp(name))}

    def exists(self, name: str) -> bool:
        return (self.root / name).exists()

    def stamp(self, name: str) -> str:
        try:
            state = (self.root / name).stat()
        except OSError:
            return ""
        return f"{state.st_size}-{state.st_mtime_ns}" if stat.S_ISREG(state.st_mode) else ""

    def read(self, name: str, at_most: int | None = None) -> bytes:
        with (self.root / name).open("rb") as file:
            return file.read(at_most)

    def write(self, name: str, data: bytes) -> None:
        path = self.root / name
        for folder in (self.scratch, path.parent):
            folder.mkdir(parents=True, exist_ok=True)
        write_file(path, data, overwrite=True, scratch=self.scratch)

    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    @property
    def scratch(self) -> Path:
        """Where unfinished files are."""
        return self.root / OWN_FOLDER


@dataclass(frozen=True)
class RemoteTree:
    """A URL such as s3://bucket/folder. Object stores show no half-written files."""

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def private(self) -> bool:
        return "memory" in self.kind

    @property
    def kind(self) -> tuple[str, ...]:
        """The names of the file system."""
        protocol = self._system.protocol
        return (protocol,) if isinstance(protocol, str) else tuple(protocol)

    @property
    def root(self) -> str:
        """The path within the file system."""
        return self._opened[1].rstrip("/")

    def find(self) -> dict[str, str]:
        with _translated(self.url):
            try:
                found = self._system.find(self.root, detail=True)
            except FileNotFoundError:
                return {}
        below = {path.removeprefix(f"{self.root}/"): _stamp(facts) for path, facts in sorted(found.items())}
        return {name: stamp for name, stamp in below.items() if OWN_FOLDER not in name.split("/")}

    def existing(self, names: Iterable[str]) -> dict[str, str]:
        found = self.find()
        return {name: found[name] for name in names if name in found}

    def exists(self, name: str) -> bool:
        with _translated(f"{self.url}/{name}"):
            return bool(self._system.exists(f"{self.root}/{name}"))

    def stamp(self, name: str) -> str:
        with _translated(f"{self.url}/{name}"):
            try:
                return _stamp(self._system.info(f"{self.root}/{name}"))
            except FileNotFoundError:
                return ""

    def read(self, name: str, at_most: int | None = None) -> bytes:
        with _translated(f"{self.url}/{name}"):
            try:
                data: bytes = self._system.cat_file(f"{self.root}/{name}", end=at_most)
            except FileNotFoundError as error:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name) from error
            return data

    def write(self, name: str, data: bytes) -> None:
        with _translated(f"{self.url}/{name}"):
            self._system.pipe_file(f"{self.root}/{name}", data)

    def remove(self, name: str) -> None:
        with _translated(f"{self.url}/{name}"):
            self._system.rm_file(f"{self.root}/{name}")

    @cached_property
    def _opened(self) -> "tuple[AbstractFileSystem, str]":
        try:
            import fsspec

            with _translated(self.url):
                system, root = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        except ImportError as error:
            raise AezError(f"{self.url}: {error}", "pip install 'aez[cloud]'") from error
        return system, root

    @property
    def _system(self) -> "AbstractFileSystem":
        return self._opened[0]


def open_tree(place: str) -> LocalTree | RemoteTree:
    """The tree at a path or URL.

    Raises:
        AezError: a package is missing for that URL, or there is no such file system.
    """
    if "://" not in place or place.startswith("file://"):
        return LocalTree(Path(place.removeprefix("file://")).absolute())
    tree = RemoteTree(place.rstrip("/"))
    tree.kind  # noqa: B018 - opens it
    return tree


def _stamp(facts: Mapping[str, Any]) -> str:
    changed = next((facts[key] for key in _CHANGES if facts.get(key)), None)
    return f"{facts.get('size')}-{changed}" if changed else ""


@contextmanager
def _translated(place: str) -> Iterator[None]:
    """Errors of a file system's own kind, which may be any, as `AezError`."""
    try:
        yield
    except (AezError, OSError, ImportError, MemoryError):
        raise
    except Exception as error:
        raise AezError(f"{place}: {error or type(error).__name__}") from error


def _raise(error: OSError) -> None:
    raise error
