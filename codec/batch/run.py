"""Tasks to outcomes: by processes of this machine, or by a Dask cluster."""

import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnContext
from multiprocessing.synchronize import RLock

from pebble import ProcessExpired, ProcessPool

from ..errors import AezError, needs_extra
from ..terminal.names import printable
from ..terminal.reporter import describe
from .plan import Task
from .work import Converter, Outcome


def run_here(converter: Converter, tasks: Sequence[Task], processes: int) -> Iterator[Outcome]:
    """Outcomes in the order in which they come. A process that dies costs its task; the others go on.

    Raises:
        AezError, OSError: processes cannot be started.
    """
    if converter.source.private or converter.target.private:
        yield from map(converter, tasks)
        return
    with ProcessPool(min(processes, len(tasks)), context=_Spawn(), initializer=_leave_signals_to_parent) as pool:
        try:
            futures: dict[Future[Outcome], Task] = {pool.schedule(converter, args=[task]): task for task in tasks}
            for future in as_completed(futures):
                yield _outcome(future, futures[future])
        except BaseException as error:
            pool.stop()  # type: ignore[no-untyped-call]
            if isinstance(error, BrokenProcessPool):
                reason = describe(error.__cause__ or error, "processes cannot be started")
                raise AezError(reason, "fewer --jobs may help") from error
            raise


def run_on_cluster(converter: Converter, tasks: Sequence[Task], scheduler: str) -> Iterator[Outcome]:
    """As `run_here`, on the machines behind a Dask scheduler, which see both trees under the same paths.

    Raises:
        AezError: Dask is missing, or the scheduler cannot be reached.
    """
    try:
        from distributed import Client
        from distributed import as_completed as completed
    except ImportError as error:
        raise needs_extra("--dask", "distributed", "cluster") from error
    try:
        client = Client(scheduler, timeout=5)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise AezError(f"{scheduler}: no scheduler answers ({error})") from error
    with client:
        futures = client.map(converter, tasks, pure=False, key="aez")
        by_key = {future.key: task for future, task in zip(futures, tasks, strict=True)}
        for future in completed(futures):  # type: ignore[no-untyped-call]
            yield _outcome(future, by_key[future.key])


class _Spawn(SpawnContext):
    """Keeps its locks. Pebble (5.2) drops them before it stops a worker that only starts, which then misses them."""

    def __init__(self) -> None:
        self._locks: list[RLock] = []

    def RLock(self) -> RLock:  # noqa: N802
        lock = super().RLock()
        self._locks.append(lock)
        return lock


def _outcome(future: "Future[Outcome]", task: Task) -> Outcome:
    try:
        return future.result()
    except ProcessExpired as error:
        return Outcome(task, None, f"{printable(task.source)}: its process died (exit code {error.exitcode})")
    except Exception as error:  # Dask gave up on it
        return Outcome(task, None, describe(error, task.source))


def _leave_signals_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
