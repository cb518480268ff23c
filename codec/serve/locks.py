"""Who may go on, over all worker processes. Each right is a locked file, and a killed process loses its locks."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from filelock import FileLock, Timeout

T = TypeVar("T")
_POLL_SECONDS = 0.01
_FULL_SECONDS = 0.05  # for so long nobody looks again


def hold(path: Path) -> FileLock | None:
    """Lock a file, unless it is locked."""
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock


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


class SingleFlight:
    """Work that many ask for at a time is done once, by this worker or by another one.

    It goes on when those who asked for it have gone, since others may have come meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._running: dict[str, asyncio.Task[Any]] = {}

    def __len__(self) -> int:
        """How many results this worker waits for."""
        return len(self._running)

    async def once(self, key: str, find: Callable[[], Awaitable[T | None]], make: Callable[[], Awaitable[T]]) -> T:
        """What `find` finds, also if another worker makes it first, otherwise what `make` makes."""
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._alone(key, find, make))
            task.add_done_callback(lambda done: self._end(key, done))
            self._running[key] = task
        return cast(T, await asyncio.shield(task))

    def _end(self, key: str, done: asyncio.Task[Any]) -> None:
        del self._running[key]
        if not done.cancelled():
            done.exception()  # nobody may be left to hear of it

    async def _alone(self, key: str, find: Callable[[], Awaitable[T | None]], make: Callable[[], Awaitable[T]]) -> T:
        async with self._locked(key):
            found = await find()
            return found if found is not None else await make()

    @asynccontextmanager
    async def _locked(self, key: str) -> AsyncIterator[None]:
        """Hold a file of the key's own, so that nobody waits for another key."""
        path = self._folder / hashlib.sha256(key.encode()).hexdigest()
        while (lock := hold(path)) is None:
            await asyncio.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            with suppress(OSError):  # who has it open already finds out, and begins again
                path.unlink()
            lock.release()
