"""Work on many items in processes of this machine."""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnContext
from multiprocessing.synchronize import RLock
from typing import TypeVar

from pebble import ProcessExpired, ProcessPool

from .errors import AezError
from .terminal.names import printable
from .terminal.reporter import describe

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], processes: int
) -> Iterator[tuple[Item, Future[Result]]]:
    """Items with what became of them, in the order in which that is known.

    A process that dies costs its item (`pebble.ProcessExpired`); the others go on.

    Raises:
        AezError, OSError: processes cannot be started.
    """
    if not items:
        return
    with ProcessPool(min(processes, len(items)), context=_Spawn(), initializer=_leave_signals_to_parent) as pool:
        try:
            futures: dict[Future[Result], Item] = {pool.schedule(work, args=[item]): item for item in items}
            for future in as_completed(futures):
                yield futures[future], future
        except BaseException as error:
            pool.stop()  # type: ignore[no-untyped-call]
            if isinstance(error, BrokenProcessPool):
                said = describe(error.__cause__ or error, "processes cannot be started")
                raise AezError(said, "fewer --jobs may help") from error
            raise


def reason(error: BaseException, name: str) -> str:
    """One line for a person, why work on what is called so has failed in a process."""
    if isinstance(error, ProcessExpired):
        return f"{printable(name)}: its process died (exit code {error.exitcode})"
    return describe(error, name)


class _Spawn(SpawnContext):
    """Keeps its locks. Pebble (5.2) drops them before it stops a worker that only starts, which then misses them."""

    def __init__(self) -> None:
        self._locks: list[RLock] = []

    def RLock(self) -> RLock:  # noqa: N802
        lock = super().RLock()
        self._locks.append(lock)
        return lock


def _leave_signals_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
