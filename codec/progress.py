"""A progress bar on stderr that only shows up for work of more than a second."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress

Item = TypeVar("Item")
PATIENCE = 1.0


def track(items: Iterable[Item], total: int) -> Iterator[Item]:
    """Yield the items; after a second, show a bar."""
    started = time.monotonic()
    with Progress(console=Console(stderr=True), transient=True, disable=False) as progress:
        task = progress.add_task("", total=total, visible=False)
        for item in items:
            yield item
            progress.update(task, advance=1, visible=time.monotonic() - started > PATIENCE)
