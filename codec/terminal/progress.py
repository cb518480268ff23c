"""A progress bar on stderr that only shows up for work of more than a second."""

import sys
from collections.abc import Collection, Iterable, Iterator
from threading import Timer
from typing import TypeVar

Item = TypeVar("Item")
PATIENCE_SECONDS = 1.0


def track(items: Iterable[Item], visible: bool, total: int | None = None) -> Iterator[Item]:
    """Yield the items; after a second, show on stderr how many of `total` are done, if `visible`."""
    if not visible:
        yield from items
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    # Lines on a terminal go above the bar; lines that are piped elsewhere must stay on stdout.
    with Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
    ) as progress:
        task = progress.add_task("", total=len(items) if isinstance(items, Collection) else total, visible=False)
        timer = Timer(PATIENCE_SECONDS, lambda: progress.update(task, visible=True))
        timer.daemon = True
        timer.start()
        try:
            for item in items:
                yield item
                progress.advance(task)
        finally:
            timer.cancel()
