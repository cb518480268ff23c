"""What `aez batch` does."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import AezError
from ..jobs import Job
from ..storage import LocalTree, RemoteTree, open_tree
from ..terminal.names import printable
from ..terminal.reporter import Reporter
from .claims import settle_claims
from .manifest import Manifest
from .plan import Plan, make_plan, refuse_overlap
from .report import check_report, write_report
from .run import run_here, run_on_cluster
from .selection import Selection, shown
from .tally import Tally
from .work import Converter


@dataclass(frozen=True)
class Request:
    """What to convert, and how."""

    source: str
    target: str
    job: Job
    selection: Selection
    keep_extension: bool
    force: bool
    processes: int
    scheduler: str | None
    report: Path | None


@dataclass(frozen=True)
class _Prepared:
    """Both trees, what earlier batches did, and what is to be done."""

    source: LocalTree | RemoteTree
    target: LocalTree | RemoteTree
    manifest: Manifest
    plan: Plan


def convert_tree(request: Request, report: Reporter) -> None:
    """Convert what is not up to date; failures are said at the end.

    Raises:
        AezError, OSError: nothing was begun.
        PathError: nothing was begun, since files would become one or results be read.
    """
    if request.report:
        check_report(request.report)
    ready = _prepare(request)
    tally = Tally(len(ready.plan.tasks))
    tally.failures += ready.plan.refused
    if ready.plan.tasks:
        request.job.check()
        with _alone(ready):
            _convert(request, ready, tally, report)
    _say_what_came_of_it(request, ready.plan, tally, report)
    if request.report:
        write_report(ready.plan.done + tally.unchanged + tally.results, tally.failures, request.report)


def show_plan(request: Request, report: Reporter) -> None:
    """Say what would be done, and do nothing.

    Raises:
        As `convert_tree`.
    """
    ready = _prepare(request)
    for task in ready.plan.tasks:
        report.say(printable(f"{ready.source}/{task.source} -> {ready.target}/{task.target}"))
    for _, reason in ready.plan.refused:
        report.fail(reason)
    report.say(f"{len(ready.plan.tasks)} to do, {len(ready.plan.done)} up to date")
    _say_left_out(ready.plan, report)


def _say_what_came_of_it(request: Request, plan: Plan, tally: Tally, report: Reporter) -> None:
    for _, reason in sorted(tally.failures):
        report.fail(reason)
    current = plan.done + tally.unchanged
    counts = f"{len(tally.results)} done, {len(current)} up to date, {len(tally.failures)} failed"
    report.say(f"{counts}  {tally.rates}".rstrip())
    kept = sum(not result.target.endswith(request.job.suffix) for result in current + tally.results)
    if kept:
        report.say(f"{kept} of them kept as they were")
    if tally.damaged:
        report.say(f"{tally.damaged} of them badly damaged; --min-psnr 25 would keep the originals")
    _say_left_out(plan, report)


def _say_left_out(plan: Plan, report: Reporter) -> None:
    if plan.left_out:
        report.say(shown(plan.left_out))


def _prepare(request: Request) -> _Prepared:
    source, target = open_tree(request.source), open_tree(request.target)
    if isinstance(source, LocalTree) and not source.root.is_dir():
        raise AezError(f"{source} is not a folder")
    if isinstance(target, LocalTree) and target.root.exists() and not target.root.is_dir():
        raise AezError(f"{target} is not a folder")
    if isinstance(source, RemoteTree) and "http" in source.kind and request.selection.names is None:
        raise AezError(f"{source}: web servers have no lists of files", "--files gives one")
    if isinstance(target, RemoteTree) and "http" in target.kind:
        raise AezError(f"{target}: nothing can be written to a web server")
    refuse_overlap(source, target)
    manifest = Manifest(target)
    if manifest.source not in ("", str(source)) and not request.force:
        raise AezError(
            f"{target} holds results of {manifest.source}; choose another folder, or -f to go on with this one"
        )
    plan = make_plan(source, target, request.job, manifest, request.selection, request.keep_extension, request.force)
    if not (plan.tasks or plan.done or plan.refused):
        raise AezError(f"{source}: nothing to do", shown(plan.left_out))
    return _Prepared(source, target, manifest, plan)


def _convert(request: Request, ready: _Prepared, tally: Tally, report: Reporter) -> None:
    """Work on all tasks."""
    manifest, tasks = ready.manifest, ready.plan.tasks
    manifest.source = str(ready.source)
    manifest.save()
    converter = Converter(request.job, request.job.settings, ready.source, ready.target, request.force)
    if request.scheduler:
        outcomes = run_on_cluster(converter, tasks, request.scheduler)
    else:
        outcomes = run_here(converter, tasks, request.processes)
    try:
        with tally.shown(outcomes, report.visible) as passing:
            for outcome in passing:
                for note in outcome.notes:
                    report.note(outcome.task.source, note)
                if outcome.result:
                    manifest.results[outcome.task.target] = outcome.result
                manifest.save_now_and_then()
    finally:
        manifest.save()
    settle_claims(ready.target, {result.target: result.target_sha256 for result in manifest.results.values()})


@contextmanager
def _alone(ready: _Prepared) -> Iterator[None]:
    """The only batch that writes to a local folder, without unfinished files of those that were killed."""
    target = ready.target
    if not isinstance(target, LocalTree):
        yield
        return
    from filelock import FileLock, Timeout

    target.scratch.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(target.scratch / "lock", timeout=0):
            if Manifest(target).stored != ready.manifest.stored:
                raise AezError(f"another batch has just written to {target}; run this one again")
            for unfinished in target.scratch.glob("*.tmp"):
                with suppress(OSError):
                    unfinished.unlink()
            yield
    except Timeout as error:
        raise AezError(f"another batch is writing to {target}") from error
