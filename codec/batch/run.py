"""Tasks to outcomes: by processes of this machine, or by a Dask cluster."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future

from ..errors import AezError, first_line, needs_extra
from ..processes import in_processes, reason
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
    for task, future in in_processes(converter, tasks, processes):
        yield _outcome(future, task)


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
    except Exception as error:  # also TypeError, where a protocol lacks certificates or a package
        raise AezError(f"{scheduler}: no scheduler answers ({first_line(error)})") from error
    with client:
        futures = client.map(converter, tasks, pure=False, key="aez")
        by_key = {future.key: task for future, task in zip(futures, tasks, strict=True)}
        for future in completed(futures):  # type: ignore[no-untyped-call]
            yield _outcome(future, by_key[future.key])


def _outcome(future: "Future[Outcome]", task: Task) -> Outcome:
    try:
        return future.result()
    except Exception as error:  # its process died, or Dask gave up on it
        return Outcome(task, None, reason(error, task.source))
