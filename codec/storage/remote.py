"""A URL of any file system that fsspec knows."""

import errno
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..errors import AezError, OutputExistsError, needs_extra
from .tree import OWN_FOLDER, OWN_PREFIX, Listing
from .urls import without_secrets

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_CHANGES = ("ETag", "etag", "mtime", "LastModified", "Last-Modified", "last_modified", "updated", "created")
# They have no folders to be made (fsspec would make buckets) and show no half-written files.
_OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "oci", "ocilake", "memory"}


@dataclass(frozen=True)
class RemoteTree:
    """A URL such as s3://bucket/folder. Where there are real folders, files are renamed when they are complete.

    It is shown without what it may have of passwords and signatures.
    """

    url: str = field(repr=False)

    def __str__(self) -> str:
        return without_secrets(self.url)

    @property
    def private(self) -> bool:
        return "memory" in self.kind

    @property
    def kind(self) -> tuple[str, ...]:
        """The names of the file system."""
        protocol = self._system.protocol
        return (protocol,) if isinstance(protocol, str) else tuple(protocol)

    def shares_system_with(self, other: "RemoteTree") -> bool:
        """Whether both are on one server, by one account."""
        same: bool = self._system == other._system
        return same

    @property
    def root(self) -> str:
        """The path within the file system."""
        return self._opened[1].rstrip("/")

    def find(self) -> Listing:
        found = Listing()
        for name, facts in self._find("").items():
            if any(part.startswith(OWN_PREFIX) for part in name.split("/")):
                continue
            if facts.get("type") == "other" and not facts.get("islink"):
                found.others[name] = "pipes and devices"
            else:
                found.files[name] = _stamp(facts)
        return found

    def find_own(self, folder: str) -> list[str]:
        return [*self._find(f"{OWN_FOLDER}/{folder}/")]

    def existing(self, names: Iterable[str]) -> dict[str, str]:
        found = self.find().files
        return {name: found[name] for name in names if name in found}

    def exists(self, name: str) -> bool:
        with _translated(f"{self}/{name}"):
            return bool(self._system.exists(self._path(name)))

    def stamp(self, name: str) -> str:
        with _translated(f"{self}/{name}"):
            try:
                return _stamp(self._system.info(self._path(name)))
            except FileNotFoundError:
                return ""

    def read(self, name: str, at_most: int | None = None) -> bytes:
        with _translated(f"{self}/{name}"):
            try:
                data: bytes = self._system.cat_file(self._path(name), end=at_most)
            except FileNotFoundError as error:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name) from error
            return data

    def write(self, name: str, data: bytes, *, overwrite: bool = True) -> None:
        if not overwrite and self.exists(name):
            raise OutputExistsError(f"{name} exists", "-f overwrites it")
        if _OBJECT_STORES.intersection(self.kind):
            self.note(name, data)
            return
        unfinished = f"{OWN_FOLDER}/{secrets.token_hex(8)}.tmp"
        try:
            self.note(unfinished, data)
            with _translated(f"{self}/{name}"):
                self._make_folder(name)
                self._rename(self._path(unfinished), self._path(name))
        except BaseException:
            with suppress(Exception):
                self._system.rm_file(self._path(unfinished))
            raise

    def note(self, name: str, data: bytes) -> None:
        with _translated(f"{self}/{name}"):
            self._make_folder(name)
            self._system.pipe_file(self._path(name), data)

    def remove(self, name: str) -> None:
        with _translated(f"{self}/{name}"):
            self._system.rm_file(self._path(name))

    def _find(self, below: str) -> dict[str, Mapping[str, Any]]:
        """Everything below a folder that is no folder, by name, and what the file system says of it."""
        with _translated(str(self)):
            try:
                found = self._system.find(self._path(below).rstrip("/"), detail=True)
            except FileNotFoundError:
                return {}
        return {path.removeprefix(f"{self.root}/"): facts for path, facts in sorted(found.items())}

    def _path(self, name: str) -> str:
        """The name within the file system. Those of web servers are parts of URLs."""
        return f"{self.root}/{quote(name) if 'http' in self.kind else name}"

    def _make_folder(self, name: str) -> None:
        folder = str(PurePosixPath(name).parent)
        if folder not in self._folders and not _OBJECT_STORES.intersection(self.kind):
            self._system.makedirs(self._path(folder), exist_ok=True)
            self._folders.add(folder)

    def _rename(self, unfinished: str, path: str) -> None:
        try:
            self._system.mv(unfinished, path)
        except Exception:  # not all file systems rename over a file that is there
            if not self._system.isfile(path):
                raise
            old = self._path(f"{OWN_FOLDER}/{secrets.token_hex(8)}.tmp")
            self._system.mv(path, old)
            try:
                self._system.mv(unfinished, path)
            except BaseException:
                self._system.mv(old, path)
                raise
            with suppress(Exception):
                self._system.rm_file(old)

    @cached_property
    def _folders(self) -> set[str]:
        """Those that were made."""
        return set()

    @cached_property
    def _opened(self) -> "tuple[AbstractFileSystem, str]":
        try:
            import fsspec

            with _translated(str(self)):
                system, root = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        except ImportError as error:
            raise needs_extra(str(self), _missing(error), "cloud") from error
        return system, root

    @property
    def _system(self) -> "AbstractFileSystem":
        return self._opened[0]


def _missing(error: ImportError) -> str:
    """The package that could not be imported; fsspec says its own words instead of Python's."""
    cause = error.__cause__ if isinstance(error.__cause__, ImportError) else error
    return cause.name or str(error)


def _stamp(facts: Mapping[str, Any]) -> str:
    changed = next((facts[key] for key in _CHANGES if facts.get(key)), None)
    return f"{facts.get('size')}-{changed}" if changed else ""


@contextmanager
def _translated(place: str) -> Iterator[None]:
    """Errors of a file system's own kind, which may be any, and those that show URLs, as `AezError`."""
    try:
        yield
    except (AezError, ImportError, MemoryError, FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and "://" not in str(error):
            raise
        raise AezError(f"{place}: {without_secrets(str(error)) or type(error).__name__}") from error
