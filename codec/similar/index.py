"""Descriptions of the files below a folder, kept beside them, so that each is described once."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..arrays import Floats
from .description import SIZE, Description

NAME = ".aez-similar"
_VERSION = 1
_WAIT_SECONDS = 60.0  # for another process that writes
_STORED = np.dtype("<f2")


@dataclass(frozen=True)
class Catalogue:
    """Names below the folder; widths, heights and bytes; and vectors [N, SIZE]."""

    names: list[str]
    sizes: list[tuple[int, int, int]]
    vectors: Floats

    def without(self, name: str) -> "Catalogue":
        """All but a file."""
        kept = [place for place, other in enumerate(self.names) if other != name]
        return Catalogue(
            [self.names[place] for place in kept], [self.sizes[place] for place in kept], self.vectors[kept]
        )


class Index:
    """An SQLite database in a folder; a copy of it in memory where the folder cannot be written to.

    Raises:
        OSError: from any method: it cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.kept = os.access(folder, os.W_OK)
        with self._as_os_error():
            self._database = self._open() if self.kept else self._copied()

    def outdated(self, stamps: Mapping[str, str]) -> list[str]:
        """The files that are new or have changed, by their stamps; what was kept of others but those is forgotten."""
        with self._as_os_error(), self._database:
            rows = self._database.execute("SELECT name, stamp FROM files")
            known = {os.fsdecode(name): stamp for name, stamp in rows}
            gone = [(os.fsencode(name),) for name, stamp in known.items() if stamps.get(name) != stamp]
            self._database.executemany("DELETE FROM files WHERE name = ?", gone)
        return sorted(name for name, stamp in stamps.items() if known.get(name) != stamp)

    def add(self, described: Iterable[tuple[str, str, Description]]) -> None:
        """Keep descriptions with names and stamps, in place of older ones."""
        rows = (
            (os.fsencode(name), stamp, found.width, found.height, found.bytes, found.vector.astype(_STORED).tobytes())
            for name, stamp, found in described
        )
        with self._as_os_error(), self._database:
            self._database.executemany("REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", rows)

    def catalogue(self) -> Catalogue:
        """All files, by name."""
        with self._as_os_error():
            rows = self._database.execute(
                "SELECT name, width, height, bytes, vector FROM files ORDER BY name"
            ).fetchall()
        vectors = np.frombuffer(b"".join(row[4] for row in rows), _STORED).astype(np.float32).reshape(-1, SIZE)
        return Catalogue([os.fsdecode(row[0]) for row in rows], [row[1:4] for row in rows], vectors)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _open(self) -> sqlite3.Connection:
        """Whatever is no index of this version begins anew: it costs nothing but time."""
        try:
            return _prepared(sqlite3.connect(self.path, timeout=_WAIT_SECONDS))
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self.path.unlink()
            return _prepared(sqlite3.connect(self.path, timeout=_WAIT_SECONDS))

    def _copied(self) -> sqlite3.Connection:
        memory = sqlite3.connect(":memory:")
        if self.path.is_file():
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?immutable=1", uri=True)) as kept:
                kept.backup(memory)
        return _prepared(memory)

    @contextmanager
    def _as_os_error(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OSError(None, str(error), str(self.path)) from error


def _prepared(database: sqlite3.Connection) -> sqlite3.Connection:
    try:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        (state,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if version not in (0, _VERSION) or state != "ok":
            raise sqlite3.DatabaseError("of another version, or damaged")
        with database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS files (name BLOB PRIMARY KEY, stamp TEXT,"
                " width INTEGER, height INTEGER, bytes INTEGER, vector BLOB) WITHOUT ROWID"
            )
            database.execute(f"PRAGMA user_version = {_VERSION}")
    except BaseException:
        database.close()
        raise
    return database
