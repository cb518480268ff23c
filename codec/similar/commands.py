"""What `aez similar` does."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.filesize import decimal

from ..errors import AezError
from ..format.container import MAGIC
from ..jobs import Decoding
from ..output import refuse_existing, write_file
from ..processes import in_processes, reason
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


@dataclass(frozen=True)
class Request:
    """Where to look, in how many processes with how many threads each, and where a page of it goes, if anywhere.

    Pictures of more than `max_pixels` are refused.
    """

    folder: Path
    page: Path | None
    force: bool
    processes: int
    threads: int
    max_pixels: int

    def check(self) -> None:
        """Stop before any work is done in vain.

        Raises:
            AezError, OSError: there is no such folder, or the page cannot be written where it would be.
        """
        if not self.folder.is_dir():
            raise AezError(f"{self.folder} is not a folder")
        if self.page:
            if self.page.is_dir():
                raise AezError(f"{self.page} is a folder")
            refuse_existing(self.page, self.force, hint="-f overwrites it")
            if not self.page.absolute().parent.is_dir():
                raise AezError(f"{self.page}: there is no such folder")
            if not Decoding.foreign_kind(self.page.name):
                raise AezError(f"{self.page}: a page of that name would be taken for a picture")


@dataclass(frozen=True)
class _Describer:
    """Describes files of a tree. It can be sent to other processes."""

    tree: LocalTree
    threads: int
    max_pixels: int

    def __call__(self, name: str) -> Description:
        return describe_file(self.tree.read(name), self.threads, self.max_pixels)


def show_groups(request: Request, report: Reporter) -> None:
    """Say which files below a folder show the same picture."""
    with report.command():
        request.check()
        catalogue = _catalogue(request, report)
        found = [group for every in groups(catalogue) if len(group := _distinct(request.folder, every)) > 1]
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
        if request.page and paths.is_among(request.page, [picture]):
            raise AezError(f"{picture} would be written over")
    with report.file(picture):
        data = paths.read(picture)
        describe_it = describe_file if data.startswith(MAGIC) else describe_picture
        wanted = describe_it(data, request.threads, request.max_pixels)
        with report.command():
            catalogue = _catalogue(request, report)
        found = [match for match in nearest(catalogue, wanted, _SHOWN) if not _is(picture, request.folder, match)]
        for match in found:
            line = f"{_line(request.folder, match)}  {'the same' if match.same else 'alike'}"
            report.done(line, {**_values(request.folder, match), "same": match.same})
        if not found:
            report.tell("nothing like it")
        kinds = ("The same", [one for one in found if one.same]), ("Alike", [one for one in found if not one.same])
        sections = [Section(title, matches) for title, matches in kinds if matches]
        _write_page(request, f"Like {printable(picture)}", sections, report)


def _distinct(folder: Path, group: Sequence[Match]) -> list[Match]:
    """A group without links to others of it."""
    found: dict[tuple[int, int], Match] = {}
    for match in group:
        state = (folder / match.name).stat()
        found.setdefault((state.st_dev, state.st_ino), match)
    return list(found.values())


def _is(picture: Input, folder: Path, match: Match) -> bool:
    return isinstance(picture, Path) and picture.samefile(folder / match.name)


def _catalogue(request: Request, report: Reporter) -> Catalogue:
    """All .aez files below the folder; those that are new are described first."""
    tree = LocalTree(request.folder)
    listing = tree.find()
    for error in listing.errors:
        report.fail(describe(error, str(tree)))
    stamps = {name: stamp for name, stamp in listing.files.items() if not Decoding.foreign_kind(name)}
    if not stamps:
        raise AezError(f"{tree}: no .aez files")
    index = Index.load(request.folder)
    names = index.outdated(stamps)
    if not listing.errors:  # what is in a closed folder may come back
        index.forget(lambda name: name not in stamps)
    described = _described(tree, names, request)
    try:
        for name, outcome in track(described, report.visible, len(names)):
            if failure := outcome.exception():
                report.fail(reason(failure, str(tree.root / name)))
            else:
                index.entries[name] = stamps[name], outcome.result()
    finally:
        if names:
            _save(index, request.folder, report)
    return index.catalogue(stamps)


def _save(index: Index, folder: Path, report: Reporter) -> None:
    try:
        index.save(folder)
    except OSError as error:
        report.note(folder, f"nothing is kept for the next time ({error.strerror})")


def _described(tree: LocalTree, names: Sequence[str], request: Request) -> Iterator[tuple[str, Future[Description]]]:
    if request.processes > 1 and len(names) > _FEW:
        describer = _Describer(tree, request.threads, request.max_pixels)
        yield from in_processes(describer, names, request.processes)
        return
    describer = _Describer(tree, request.processes * request.threads, request.max_pixels)
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
        page = make_page(title, request.folder, track(sections, report.visible), request.max_pixels, report)
        write_file(request.page, page, request.force)
        report.tell(f"{printable(request.page)}  {decimal(len(page))}")
