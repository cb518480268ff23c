"""What a batch is going to do: which files, where to, and which of them are done already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from aez.batch.jobs import Job
from aez.batch.manifest import Manifest, Result
from aez.batch.trees import LocalTree, RemoteTree, Tree
from aez.paths import PathError


@dataclass(frozen=True)
class Selection:
    """Which files: globs on the name below the root or on its last part; no `include` means all."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def __contains__(self, name: str) -> bool:
        return (not self.include or _matches(name, self.include)) and not _matches(name, self.exclude)


@dataclass(frozen=True)
class Task:
    """One file to convert; `before` is what was made of it by an earlier batch with the same settings."""

    source: str
    source_stamp: str
    target: str
    before: Result | None


@dataclass
class Plan:
    """What is to be done, what is done, and which targets are taken by files that no batch has written."""

    tasks: list[Task] = field(default_factory=list)
    done: list[Result] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)


def make_plan(
    source: Tree, target: Tree, job: Job, manifest: Manifest, selection: Selection, keep_extension: bool, force: bool
) -> Plan:
    """Look at both trees.

    Raises:
        PathError: two files would become one.
        OSError: a tree cannot be listed.
    """
    found = source.find()
    there = target.find()
    names = [name for name in found if PurePosixPath(name).suffix.lower() in job.reads and name in selection]
    plan = Plan()
    for name, goal in _targets(names, job.suffix, keep_extension).items():
        entry = manifest.entries.get(goal)
        before = entry.result if entry and entry.settings == job.settings else None
        task = Task(name, found[name], goal, before)
        if entry is None and goal in there and not force:
            plan.taken.append(goal)
        elif before and _is_current(before, task, there):
            plan.done.append(before)
        else:
            plan.tasks.append(task)
    return plan


def _is_current(before: Result, task: Task, there: dict[str, str]) -> bool:
    same_source = (before.source, before.source_stamp) == (task.source, task.source_stamp)
    return same_source and there.get(before.target) == before.target_stamp


def _targets(names: Iterable[str], suffix: str, keep_extension: bool) -> dict[str, str]:
    """The target of every source."""
    targets: dict[str, str] = {}
    sources: dict[str, str] = {}
    for name in names:
        goal = name + suffix if keep_extension else str(PurePosixPath(name).with_suffix(suffix))
        if goal in sources:
            raise PathError(f"{sources[goal]} and {name} would both become {goal}; --keep-extension tells them apart")
        targets[name], sources[goal] = goal, name
    return targets


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) or fnmatchcase(PurePosixPath(name).name, glob) for glob in globs)


def refuse_overlap(source: LocalTree | RemoteTree, target: LocalTree | RemoteTree) -> None:
    """Stop what would read its own results.

    Raises:
        PathError: the target is the source, or inside it.
    """
    if isinstance(source, LocalTree) and isinstance(target, LocalTree):
        inside = Path(target.root).resolve().is_relative_to(Path(source.root).resolve())
    else:
        inside = f"{str(target).rstrip('/')}/".startswith(f"{str(source).rstrip('/')}/")
    if inside:
        raise PathError(f"{target} is inside {source}; results need a place of their own")
