"""Bounds that hold across worker processes, also when some of them are killed: each slot is a locked file."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_POLL_SECONDS = 0.01
_FULL_SECONDS = 0.05  # for so long nobody looks again


class Slots:
    """So many holders at a time, over all processes that use the same folder."""

    def __init__(self, folder: Path, count: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._free = [folder / str(number) for number in range(count)]  # of what this process does not hold
        self._turns = asyncio.Semaphore(count)
        self._full_until = 0.0

    @contextmanager
    def at_once(self) -> Iterator[bool]:
        """Hold a slot if one is free; says whether."""
        if time.monotonic() < self._full_until:
            yield False
            return
        held = self._take()
        if held is None:
            self._full_until = time.monotonic() + _FULL_SECONDS
            yield False
            return
        try:
            yield True
        finally:
            self._give_back(*held)

    @asynccontextmanager
    async def in_turn(self) -> AsyncIterator[None]:
        """Hold a slot as soon as one is free."""
        async with self._turns:
            while (held := self._take()) is None:
                await asyncio.sleep(_POLL_SECONDS)
            try:
                yield
            finally:
                self._give_back(*held)

    def _take(self) -> tuple[Path, FileLock] | None:
        for path in self._free:
            lock = hold(path)
            if lock:
                self._free.remove(path)
                return path, lock
        return None

    def _give_back(self, path: Path, lock: FileLock) -> None:
        lock.release()
        self._free.insert(0, path)


def hold(path: Path) -> FileLock | None:
    """Lock a file, unless it is locked; a killed process loses its locks."""
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock
