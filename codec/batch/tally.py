"""How far a batch is, and how it went."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .manifest import Result
from .work import Outcome


class Tally:
    """Counts outcomes as they come."""

    def __init__(self, total: int) -> None:
        self.results: list[Result] = []
        self.unchanged: list[Result] = []
        self.failures: list[tuple[str, str]] = []
        self.damaged = 0
        self._pixels = self._before = self._after = 0
        self._total = total
        self._started = time.monotonic()

    def add(self, outcome: Outcome) -> None:
        """One more."""
        self.damaged += outcome.damaged
        result = outcome.result
        if result is None:
            self.failures.append((outcome.task.source, outcome.error))
        elif not outcome.fresh:
            self.unchanged.append(result)
        else:
            self.results.append(result)
            self._pixels += result.width * result.height
            self._before += result.source_bytes
            self._after += result.target_bytes

    @property
    def rates(self) -> str:
        """Megapixels per second so far, and bytes before and after."""
        if not self.results:
            return ""
        speed = self._pixels / 1e6 / max(time.monotonic() - self._started, 1e-3)
        share = 100 * self._after / max(self._before, 1)
        return f"{speed:.1f} MP/s, {decimal(self._before)} -> {decimal(self._after)} ({share:.0f} %)"

    @contextmanager
    def shown(self, outcomes: Iterable[Outcome], visible: bool) -> Iterator[Iterator[Outcome]]:
        """Count outcomes as they pass, with a bar on stderr."""
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
        with Progress(*columns, console=Console(stderr=True), transient=True, disable=not visible) as bar:
            task = bar.add_task("", total=self._total)

            def passing() -> Iterator[Outcome]:
                for outcome in outcomes:
                    self.add(outcome)
                    bar.update(task, advance=1, description=self.rates)
                    yield outcome

            yield passing()
