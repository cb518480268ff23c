"""Work that may hang for ever, in threads that nobody has to wait for."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Daemons:
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
