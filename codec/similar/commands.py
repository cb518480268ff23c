"""What `aez similar` does."""

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.filesize import decimal

from ..arrays import Floats
from ..errors import AezError
from ..format.container import MAGIC
from ..jobs import Decoding
from ..output import refuse_existing, write_file
from ..picture.convert import from_pillow
from ..picture.files.opening import open_picture
from ..processes import in_processes
from ..storage import LocalTree
from ..terminal import paths
from ..terminal.names import printable
from ..terminal.paths import Input
from ..terminal.progress import track
from ..terminal.reporter import Reporter, describe
from .description import Description, describe_file, describe_picture
from .index import Catalogue, Index
from .page import Section, make_page
from .search import Match, groups, nearest

_SHOWN = 10
"""Of the files that are like a picture, unless more are the same."""
_FEW = 16
"""Files that are sooner described than processes are started."""
_KEEP_EVERY_SECONDS = 5.0


@dataclass(frozen=True)
class Request:
    """Where to look, in how many processes with how many threads each, and where a page of it goes, if anywhere."""

    folder: Path
    page: Path | None
    force: bool
    processes: int
    threads: int

    def check(self) -> None:
        """Stop before any work is done in vain.

        Raises:
            AezError, OSError: the folder is none, or the page exists and must not be overwritten.
        """
        if not self.folder.is_dir():
            raise AezError(f"{self.folder} is not a folder")
        if self.page:
            refuse_existing(self.page, self.force)


@dataclass(frozen=True)
class _Describer:
    """Describes files of a tree. It can be sent to other processes."""

    tree: LocalTree
    threads: int

    def __call__(self, name: str) -> Description:
        return describe_file(self.tree.read(name), self.threads)


def show_groups(request: Request, report: Reporter) -> None:
    """Say which files below a folder show the same picture."""
    with report.command():
        request.check()
        catalogue = _catalogue(request, report)
        found = groups(catalogue)
        for group in found:
            lines = [_line(request.folder, match) for match in group]
            report.done("\n".join([*lines, ""]), {"files": [_values(request.folder, match) for match in group]})
        count = len(catalogue.names)
        places = "1 group" if len(found) == 1 else f"{len(found)} groups"
        among = f"{sum(map(len, found))} of {count} pictures in {places}" if found else f"none of {count}"
        report.tell(f"the same: {among}")
        sections = [Section(f"{len(group)} times", group) for group in found]
        _write_page(request, f"The same: {among}", sections, report)


def show_nearest(picture: Input, request: Request, report: Reporter) -> None:
    """Say which files below a folder are most like a picture, other than that itself."""
    with report.command():
        request.check()
    with report.file(picture):
        wanted = _vector(paths.read(picture), request.threads)
        with report.command():
            catalogue = _catalogue(request, report, leave_out=picture)
        found = nearest(catalogue, wanted, _SHOWN)
        for match in found:
            line = f"{_line(request.folder, match)}  {'the same' if match.same else 'alike'}"
            report.done(line, {**_values(request.folder, match), "same": match.same})
        if not found:
            report.tell(f"nothing like it among {len(catalogue.names)} pictures")
        kinds = ("The same", [one for one in found if one.same]), ("Alike", [one for one in found if not one.same])
        sections = [Section(title, matches) for title, matches in kinds if matches]
        _write_page(request, f"Like {printable(picture)}", sections, report)


def _vector(data: bytes, threads: int) -> Floats:
    """Of an .aez file or any other picture."""
    if data.startswith(MAGIC):
        return describe_file(data, threads).vector
    with open_picture(data) as image:
        return describe_picture(from_pillow(image).seen, threads)


def _catalogue(request: Request, report: Reporter, leave_out: Input | None = None) -> Catalogue:
    """All .aez files below the folder; those that are new are described first."""
    tree = LocalTree(request.folder)
    listing = tree.find()
    for error in listing.errors:
        report.fail(describe(error, str(tree)))
    stamps = {name: stamp for name, stamp in listing.files.items() if not Decoding.foreign_kind(name)}
    if not stamps:
        raise AezError(f"{tree}: no .aez files")
    with closing(Index(request.folder)) as index:
        if not index.kept:
            report.note(tree, "cannot be written to, so nothing is kept for the next time")
        names = index.outdated(stamps)
        outcomes = _described(_Describer(tree, request.threads), names, request.processes)
        _keep(track(outcomes, report.visible, len(names)), stamps, tree, index, report)
        catalogue = index.catalogue()
    if isinstance(leave_out, Path) and leave_out.resolve().is_relative_to(request.folder.resolve()):
        return catalogue.without(leave_out.resolve().relative_to(request.folder.resolve()).as_posix())
    return catalogue


def _keep(
    outcomes: Iterable[tuple[str, Future[Description]]],
    stamps: dict[str, str],
    tree: LocalTree,
    index: Index,
    report: Reporter,
) -> None:
    """Add descriptions to the index as they come, now and then."""
    new: list[tuple[str, str, Description]] = []
    kept = time.monotonic()
    for name, outcome in outcomes:
        if error := outcome.exception():
            report.fail(describe(error, str(tree.root / name)))
        else:
            new.append((name, stamps[name], outcome.result()))
        if time.monotonic() - kept > _KEEP_EVERY_SECONDS:
            index.add(new)
            new, kept = [], time.monotonic()
    index.add(new)


def _described(
    describer: _Describer, names: Sequence[str], processes: int
) -> Iterator[tuple[str, Future[Description]]]:
    if processes > 1 and len(names) > _FEW:
        yield from in_processes(describer, names, processes)
        return
    for name in names:
        outcome: Future[Description] = Future()
        try:
            outcome.set_result(describer(name))
        except (AezError, OSError, MemoryError) as error:
            outcome.set_exception(error)
        yield name, outcome


def _line(folder: Path, match: Match) -> str:
    return (
        f"{printable(folder / match.name)}  {match.width} x {match.height}  {decimal(match.bytes)}  {match.score:.2f}"
    )


def _values(folder: Path, match: Match) -> dict[str, object]:
    return {"path": str(folder / match.name), **asdict(match)}


def _write_page(request: Request, title: str, sections: Sequence[Section], report: Reporter) -> None:
    if request.page:
        page = make_page(title, request.folder, track(sections, report.visible), report.note)
        write_file(request.page, page, request.force)
        report.tell(f"{printable(request.page)}  {decimal(len(page))}")
