"""Where work that blocks is done: in threads, pictures in a bounded pool, what may hang for ever left alone."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from .locks import Slots

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


async def in_thread(work: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
    """Do what asks the disk, or takes milliseconds, beside the event loop; it is finished also if nobody waits."""
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)


class BusyError(Exception):
    """Too much waits already, or the server stops."""


class CodingPool:
    """Threads of this worker that code pictures: so many at a time and so many waiting, over all workers."""

    def __init__(self, folder: Path, running: int, waiting: int, waits: Callable[[int], None]) -> None:
        """`waits` is told when a picture begins (1) and ceases (-1) to wait."""
        self._places = Slots(folder / "places", running + waiting)
        self._running = Slots(folder / "running", running)
        self._threads = ThreadPoolExecutor(running, "coding")
        self._waits = waits
        self._closed = False

    async def run(self, work: Callable[[], T]) -> T:
        """Do work in a thread. What has begun is finished, also when nobody waits for it any longer.

        Raises:
            BusyError: too many wait, or the server stops.
        """
        task = asyncio.create_task(self._run(work))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # which perhaps nobody else asks for
        return await asyncio.shield(task)

    def close(self) -> None:
        """Begin nothing any more."""
        self._closed = True

    def finish(self) -> None:
        """Wait for what has begun."""
        self._threads.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        with self._places.at_once() as admitted:
            if not admitted:
                raise BusyError
            async with AsyncExitStack() as turn:
                self._waits(1)
                try:
                    await turn.enter_async_context(self._running.in_turn())
                finally:
                    self._waits(-1)
                if self._closed:
                    raise BusyError
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)


class DaemonThreads:
    """At most so many threads at a time, hanging ones included; none of them keeps the process alive."""

    def __init__(self, most: int) -> None:
        self._left = most

    async def run(self, work: Callable[[], T], seconds: float) -> T:
        """The result of work.

        Raises:
            TimeoutError: it takes too long, or too many others hang.
        """
        if self._left == 0:
            raise TimeoutError
        self._left -= 1
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()

        def finish(outcome: T | Exception) -> None:
            self._left += 1
            if result.done():
                return
            if isinstance(outcome, Exception):
                result.set_exception(outcome)
            else:
                result.set_result(outcome)

        def run() -> None:
            outcome: T | Exception
            try:
                outcome = work()
            except Exception as error:
                outcome = error
            loop.call_soon_threadsafe(finish, outcome)

        threading.Thread(target=run, daemon=True).start()
        async with asyncio.timeout(seconds):
            return await result
