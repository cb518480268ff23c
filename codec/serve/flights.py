"""Work that many ask for at a time is done once."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from .slots import hold

T = TypeVar("T")
_STRIPES = 1024
_POLL_SECONDS = 0.02


class Flights:
    """Results of one kind that are being made, by this worker or, behind locked files, by others.

    Work goes on when those who asked for it have gone, since others may have come meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._running: dict[str, asyncio.Task[Any]] = {}

    def __len__(self) -> int:
        """How many this worker waits for."""
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
        path = self._folder / str(zlib.crc32(key.encode()) % _STRIPES)
        while (lock := hold(path)) is None:
            await asyncio.sleep(_POLL_SECONDS)
        try:
            found = await find()
            return found if found is not None else await make()
        finally:
            lock.release()
