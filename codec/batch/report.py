"""A batch's results as a table, for other programs."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from ..errors import AezError
from ..output import is_device, write_file
from .manifest import Result

_COLUMNS = ("source", "target", "source_bytes", "target_bytes", "width", "height", "bpp", "psnr", "seconds", "error")


def check_report(path: Path) -> None:
    """Stop before any work is done in vain. What is written to a pipe or a terminal replaces nothing.

    Raises:
        AezError: what is there is no report, or there is no such folder.
        OSError: it cannot be read.
    """
    if not path.parent.is_dir():
        raise AezError(f"{path.parent} is not a folder")
    if path.exists() and not is_device(path) and not path.read_bytes().startswith(",".join(_COLUMNS).encode()):
        raise AezError(f"{path} exists and is not a report of aez batch")


def write_report(results: Sequence[Result], failures: Sequence[tuple[str, str]], path: Path) -> None:
    """A line of CSV per file, in order of name; an earlier report is replaced.

    Raises:
        OSError: it cannot be written.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    rows = [(result.source, *_figures(result), "") for result in results]
    rows += [(source, *[""] * 8, error) for source, error in failures]
    writer.writerows(sorted(rows))
    write_file(path, buffer.getvalue().encode("utf-8", "backslashreplace"), overwrite=True)


def _figures(result: Result) -> tuple[object, ...]:
    bpp = 8 * result.target_bytes / (result.width * result.height)
    measured = "" if result.psnr is None else f"{result.psnr:.3f}"
    sizes = result.source_bytes, result.target_bytes, result.width, result.height
    return result.target, *sizes, f"{bpp:.4f}", measured, result.seconds
