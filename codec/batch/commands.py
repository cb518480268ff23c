"""What `aez batch` does."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aez.batch.jobs import Job
from aez.batch.manifest import Entry, Manifest
from aez.batch.plan import Plan, Selection, make_plan, refuse_overlap
from aez.batch.run import run_here, run_on_cluster
from aez.batch.tally import Tally, write_report
from aez.batch.trees import LocalTree, RemoteTree, open_tree
from aez.batch.work import Worker
from aez.errors import AezError
from aez.report import Reporter


@dataclass(frozen=True)
class Request:
    """What to convert, and how."""

    source: str
    target: str
    job: Job
    selection: Selection
    names: list[str] | None
    keep_extension: bool
    force: bool
    processes: int
    scheduler: str | None
    report: Path | None


def convert_tree(request: Request, report: Reporter, visible: bool) -> None:
    """Convert what is not up to date; failures are said at the end.

    Raises:
        AezError: nothing was begun.
        PathError: nothing was begun, since files would become one or results be read.
    """
    source, target = _open(request)
    with _alone(target):
        manifest = Manifest(target)
        plan = _plan(request, source, target, manifest)
        settings = request.job.settings
        manifest.entries.update({task.target: Entry(settings, task.before) for task in plan.tasks})
        if plan.tasks:
            manifest.save()
        tally = Tally(len(plan.tasks))
        worker = Worker(request.job, source, target)
        if request.scheduler:
            outcomes = run_on_cluster(worker, plan.tasks, request.scheduler)
        else:
            outcomes = run_here(worker, plan.tasks, request.processes)
        try:
            with tally.shown(outcomes if plan.tasks else iter(()), visible) as passing:
                for outcome in passing:
                    for note in outcome.notes:
                        report.note(Path(outcome.task.source), note)
                    if outcome.result:
                        manifest.finish(outcome.task.target, Entry(settings, outcome.result))
        finally:
            if plan.tasks:
                manifest.save()
    if request.report:
        write_report(plan.done + tally.unchanged + tally.results, tally.failures, request.report)
    for line in sorted(error for _, error in tally.failures):
        report.fail(line)
    for name in plan.taken:
        report.fail(f"{name} exists and was not written by aez batch; -f overwrites it")
    failed = len(tally.failures) + len(plan.taken)
    current = len(plan.done) + len(tally.unchanged)
    report.say(f"{len(tally.results)} done, {current} up to date, {failed} failed  {tally.rates}".rstrip())


def show_plan(request: Request, report: Reporter) -> None:
    """Say what would be done, and do nothing.

    Raises:
        As `convert_tree`.
    """
    source, target = _open(request)
    plan = _plan(request, source, target, Manifest(target))
    for task in plan.tasks:
        report.say(f"{source}/{task.source} -> {target}/{task.target}")
    for name in plan.taken:
        report.fail(f"{name} exists and was not written by aez batch; -f overwrites it")
    report.say(f"{len(plan.tasks)} to do, {len(plan.done)} up to date")


def processes_and_threads(processes: int | None, threads: int) -> tuple[int, int]:
    """As many processes as cores unless told otherwise; the cores are divided among them."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processes = processes or max(cores // max(threads, 1), 1)
    return processes, threads or max(cores // processes, 1)


def _open(request: Request) -> tuple[LocalTree | RemoteTree, LocalTree | RemoteTree]:
    source, target = open_tree(request.source, request.names), open_tree(request.target)
    if isinstance(source, LocalTree) and not source.root.is_dir():
        raise AezError(f"{source} is not a folder")
    refuse_overlap(source, target)
    return source, target


def _plan(request: Request, source: LocalTree | RemoteTree, target: LocalTree | RemoteTree, manifest: Manifest) -> Plan:
    plan = make_plan(source, target, request.job, manifest, request.selection, request.keep_extension, request.force)
    if not (plan.tasks or plan.done or plan.taken):
        raise AezError(f"{source}: nothing to do")
    return plan


@contextmanager
def _alone(target: LocalTree | RemoteTree) -> Iterator[None]:
    """The only batch that writes to a local folder, without unfinished files of those that were killed."""
    if not isinstance(target, LocalTree):
        yield
        return
    from filelock import FileLock, Timeout

    target.scratch.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(target.scratch / "lock", timeout=0):
            for unfinished in target.scratch.glob("*.tmp"):
                with suppress(OSError):
                    unfinished.unlink()
            yield
    except Timeout as error:
        raise AezError(f"another batch is writing to {target}") from error
