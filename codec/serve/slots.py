"""Bounds that hold across worker processes, also when some of them are killed: each slot is a locked file."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_POLL_SECONDS = 0.01


class Slots:
    """So many holders at a time, over all processes that use the same folder."""

    def __init__(self, folder: Path, count: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._paths = [folder / str(number) for number in range(count)]
        self._turns = asyncio.Semaphore(count)

    @contextmanager
    def at_once(self) -> Iterator[bool]:
        """Hold a slot if one is free; says whether."""
        lock = self._free()
        try:
            yield lock is not None
        finally:
            if lock:
                lock.release()

    @asynccontextmanager
    async def in_turn(self) -> AsyncIterator[None]:
        """Hold a slot as soon as one is free."""
        async with self._turns:
            while (lock := self._free()) is None:
                await asyncio.sleep(_POLL_SECONDS)
            try:
                yield
            finally:
                lock.release()

    def _free(self) -> FileLock | None:
        return next((lock for path in self._paths if (lock := hold(path))), None)


def hold(path: Path) -> FileLock | None:
    """Lock a file, unless it is locked; a killed process loses its locks."""
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock
