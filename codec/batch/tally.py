"""How far a batch is, and how it went."""

import csv
import io
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from aez.batch.manifest import Result
from aez.batch.work import Outcome
from aez.errors import AezError
from aez.files import write_file

_COLUMNS = ("source", "target", "source_bytes", "target_bytes", "width", "height", "bpp", "psnr", "seconds", "error")


class Tally:
    """Counts outcomes as they come."""

    def __init__(self, total: int) -> None:
        self.results: list[Result] = []
        self.unchanged: list[Result] = []
        self.failures: list[tuple[str, str]] = []
        self._total = total
        self._started = time.monotonic()

    def add(self, outcome: Outcome) -> None:
        """One more."""
        if outcome.result:
            (self.results if outcome.fresh else self.unchanged).append(outcome.result)
        else:
            self.failures.append((outcome.task.source, outcome.error))

    @property
    def rates(self) -> str:
        """Megapixels per second so far, and bytes before and after."""
        if not self.results:
            return ""
        megapixels = sum(result.width * result.height for result in self.results) / 1e6
        before, after = (sum(getattr(r, name) for r in self.results) for name in ("source_bytes", "target_bytes"))
        speed = megapixels / max(time.monotonic() - self._started, 1e-3)
        return f"{speed:.1f} MP/s, {decimal(before)} -> {decimal(after)} ({100 * after / max(before, 1):.0f} %)"

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


def write_report(results: Sequence[Result], failures: Sequence[tuple[str, str]], path: Path) -> None:
    """A line of CSV per file, in order of name; an earlier report is replaced.

    Raises:
        AezError: what is there is no report.
        OSError: it cannot be written.
    """
    header = ",".join(_COLUMNS)
    if path.exists() and not path.read_bytes().startswith(header.encode()):
        raise AezError(f"{path} exists and is not a report of aez batch")
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    rows = [(r.source, *_figures(r), "") for r in results]
    rows += [(source, *[""] * 8, error) for source, error in failures]
    writer.writerows(sorted(rows))
    write_file(path, buffer.getvalue().encode(), overwrite=True)


def _figures(result: Result) -> tuple[object, ...]:
    bpp = 8 * result.target_bytes / (result.width * result.height)
    measured = "" if result.psnr is None else f"{result.psnr:.3f}"
    sizes = result.source_bytes, result.target_bytes, result.width, result.height
    return result.target, *sizes, f"{bpp:.4f}", measured, result.seconds
