"""Where files come from and go to: a local folder, or a URL of any file system that fsspec knows.

A file has a name, its path below the root with slashes, and a stamp, which changes when the file does.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from aez.errors import AezError
from aez.files import write_file

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

OWN_FOLDER = ".aez-batch"


class Tree(Protocol):
    """A root and the files below it. Everything may raise OSError."""

    def find(self) -> dict[str, str]:
        """All names with their stamps, but for those in `OWN_FOLDER`."""

    def stamp(self, name: str) -> str:
        """The stamp of a file; empty if there is no such file."""

    def read(self, name: str) -> bytes:
        """A whole file."""

    def write(self, name: str, data: bytes) -> None:
        """Write a file as a whole or not at all, over one that is there."""


@dataclass(frozen=True)
class LocalTree:
    """A folder. Files are written below `OWN_FOLDER` and renamed when they are complete."""

    root: Path

    def __str__(self) -> str:
        return str(self.root)

    def find(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if not self.root.exists():
            return found
        for folder, folders, names in os.walk(self.root, onerror=_raise):
            folders[:] = sorted(name for name in folders if name != OWN_FOLDER)
            for name in sorted(names):
                below = (Path(folder) / name).relative_to(self.root).as_posix()
                if stamp := self.stamp(below):
                    found[below] = stamp
        return found

    def stamp(self, name: str) -> str:
        try:
            state = (self.root / name).stat()
        except FileNotFoundError:
            return ""
        return f"{state.st_size}-{state.st_mtime_ns}"

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        path = self.root / name
        for folder in (self.scratch, path.parent):
            folder.mkdir(parents=True, exist_ok=True)
        write_file(path, data, overwrite=True, scratch=self.scratch)

    @property
    def scratch(self) -> Path:
        """Where unfinished files are."""
        return self.root / OWN_FOLDER


@dataclass(frozen=True)
class RemoteTree:
    """A URL such as s3://bucket/folder, where nothing is ever half written; `names` are for servers without lists."""

    url: str
    names: Sequence[str] | None = None

    def __str__(self) -> str:
        return self.url

    def find(self) -> dict[str, str]:
        if self.names is not None:
            return {name: self.stamp(name) for name in self.names}
        try:
            found = self._system.find(self._root, detail=True)
        except FileNotFoundError:
            return {}
        prefix = self._root.rstrip("/") + "/"
        below = {path.removeprefix(prefix): _stamp(facts) for path, facts in sorted(found.items())}
        return {name: stamp for name, stamp in below.items() if OWN_FOLDER not in name.split("/")}

    def stamp(self, name: str) -> str:
        try:
            return _stamp(self._system.info(self._path(name)))
        except FileNotFoundError:
            return ""

    def read(self, name: str) -> bytes:
        data: bytes = self._system.cat_file(self._path(name))
        return data

    def write(self, name: str, data: bytes) -> None:
        self._system.pipe_file(self._path(name), data)

    @cached_property
    def _opened(self) -> "tuple[AbstractFileSystem, str]":
        import fsspec

        system, root = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        return system, root

    @property
    def _system(self) -> "AbstractFileSystem":
        return self._opened[0]

    @property
    def _root(self) -> str:
        return self._opened[1]

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"


def open_tree(place: str, names: Sequence[str] | None = None) -> LocalTree | RemoteTree:
    """The tree at a path or URL; `names`, where given, are all there is of it.

    Raises:
        AezError: a package is missing for that URL, or it cannot be used.
    """
    if "://" not in place:
        return LocalTree(Path(place))
    tree = RemoteTree(place, names)
    try:
        tree.stamp("")
    except ImportError as error:
        raise AezError(f"{place}: {error}", "pip install 'aez[cloud]'") from error
    except Exception as error:  # every file system has errors of its own
        raise AezError(f"{place}: {error}") from error
    return tree


def _stamp(facts: Mapping[str, Any]) -> str:
    changed = next((facts[key] for key in ("ETag", "mtime", "LastModified", "created") if facts.get(key)), "")
    return f"{facts.get('size')}-{changed}"


def _raise(error: OSError) -> None:
    raise error
