"""A cache of bytes on disk that all workers share: the least recently used go first."""

import asyncio
import shutil
import sqlite3
import struct
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import diskcache

T = TypeVar("T")
_CRC = struct.Struct("<I")
_THREADS = 4
_PATIENCE_SECONDS = 5
_TROUBLE = (OSError, sqlite3.Error, diskcache.Timeout)


class _BytesOnly(diskcache.Disk):  # type: ignore[misc]
    """Never unpickles: whoever could write to the database could otherwise run code here."""

    def store(self, value: bytes, read: bool, key: Any = diskcache.UNKNOWN) -> Any:
        if not isinstance(value, bytes):
            raise TypeError("only bytes are cached")
        return super().store(value, read, key=key)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:
        if mode not in (diskcache.core.MODE_RAW, diskcache.core.MODE_BINARY):
            raise OSError("not bytes")
        return super().fetch(mode, filename, value, read)

    def get(self, key: Any, raw: bool) -> Any:
        return super().get(key, raw) if raw else ""


class Cache:
    """Values by keys; beyond `size` bytes the least recently used go.

    What is damaged is as if it were not there; with a broken or full disk nothing is there and nothing is kept.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._values = _open(folder, size)
        self._threads = ThreadPoolExecutor(_THREADS, "cache")

    async def get(self, key: str) -> bytes | None:
        """A value, if it is there."""
        return await self._try(lambda: _checked(self._values.get(key)), None)

    async def put(self, key: str, value: bytes, seconds: float | None = None) -> None:
        """Keep a value, for so long at most."""
        await self._try(lambda: self._put(key, _CRC.pack(zlib.crc32(value)) + value, seconds), None)

    async def remove(self, key: str) -> None:
        """Forget a value."""
        await self._try(lambda: self._values.delete(key), None)

    async def keys(self, prefix: str) -> list[str]:
        """The keys that begin so."""
        return await self._try(lambda: sorted(key for key in self._values if key.startswith(prefix)), [])

    def close(self) -> None:
        """Close the database."""
        self._threads.shutdown()
        self._values.close()

    def _put(self, key: str, stored: bytes, seconds: float | None) -> None:
        self._values.set(key, stored, seconds)
        _shrink(self._values)

    async def _try(self, work: Callable[[], T], otherwise: T) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except _TROUBLE as error:
            print(f"aez: cache: {error or type(error).__name__}", file=sys.stderr, flush=True)
            return otherwise


def repair(folder: Path, size: int) -> None:
    """Remove what a killed process has left behind, and a broken database; nobody may use the cache meanwhile."""
    try:
        with _open(folder, size) as values:
            values.check(fix=True, retry=True)
            _shrink(values)
    except sqlite3.DatabaseError:
        shutil.rmtree(folder)


def _checked(stored: bytes | None) -> bytes | None:
    if stored is None or len(stored) < _CRC.size:
        return None
    value = stored[_CRC.size :]
    return value if zlib.crc32(value) == _CRC.unpack_from(stored)[0] else None


def _shrink(values: diskcache.Cache) -> None:
    """Remove the least recently used until there is room; by itself diskcache removes ten, however large they are."""
    while values.volume() > values.size_limit:
        oldest = values._sql("SELECT key FROM Cache ORDER BY access_time LIMIT 1").fetchall()
        if not oldest:
            return
        values.delete(oldest[0][0])


def _open(folder: Path, size: int) -> diskcache.Cache:
    policy = "least-recently-used"
    return diskcache.Cache(folder, _PATIENCE_SECONDS, _BytesOnly, size_limit=size, eviction_policy=policy, cull_limit=0)
