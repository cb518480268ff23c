"""What a batch is going to do: which files, where to, and which of them are done already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePath, PurePosixPath

from ..errors import AezError
from ..jobs import Job
from ..storage import LocalTree, RemoteTree, Tree
from ..terminal.names import printable
from ..terminal.paths import PathError
from ..terminal.reporter import describe
from .manifest import Manifest, Result


@dataclass(frozen=True)
class Selection:
    """Which files: globs on the name below the root or on its last part; no `include` means all.

    `names`, where given, are all there is.
    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    names: Sequence[str] | None = None

    def __contains__(self, name: str) -> bool:
        return (not self.include or _matches(name, self.include)) and not _matches(name, self.exclude)


@dataclass(frozen=True)
class Task:
    """One file to convert; `before` is what a batch made of it, with these settings if `same_settings`."""

    source: str
    source_stamp: str
    target: str
    before: Result | None
    same_settings: bool


@dataclass
class Plan:
    """What is to be done, what is done, and which sources are not touched, each with a line that says why."""

    tasks: list[Task] = field(default_factory=list)
    done: list[Result] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def make_plan(
    source: Tree, target: Tree, job: Job, manifest: Manifest, selection: Selection, keep_extension: bool, force: bool
) -> Plan:
    """Look at both trees.

    Raises:
        PathError: two files would become one.
        AezError, OSError: a tree cannot be listed.
    """
    found = source.find() if selection.names is None else dict.fromkeys(selection.names, "")
    names = [name for name in found if PurePosixPath(name).suffix.lower() in job.reads and name in selection]
    plan = Plan()
    plan.refused = [
        (name, f"{printable(name)}: is not a name below the source") for name in names if not is_below(name)
    ]
    goals = _targets([name for name in names if is_below(name)], job.suffix, keep_extension)
    kept = [entry.result.target for entry in manifest.entries.values() if entry.result]
    there = target.existing([*goals.values(), *kept])
    settings = job.settings
    for name, goal in goals.items():
        entry = manifest.entries.get(goal)
        before = entry.result if entry else None
        task = Task(name, found[name], goal, before, entry is not None and entry.settings == settings)
        if entry is None and goal in there and not force:
            plan.refused.append((name, describe(taken(goal), name)))
        elif before and task.same_settings and before.is_complete(job) and _is_current(before, task, there):
            plan.done.append(before)
        else:
            plan.tasks.append(task)
    return plan


def taken(target: str) -> AezError:
    """What is said where a file of somebody else is in the way."""
    return AezError(f"{target} exists and was not written by aez batch", "-f overwrites it")


def is_below(name: str) -> bool:
    """Whether a name leads to a place below its root, on every system."""
    plain = all(part not in ("", ".", "..") for part in name.split("/"))
    return plain and "\\" not in name and "\0" not in name and not PurePath(name).drive


def _is_current(before: Result, task: Task, there: dict[str, str]) -> bool:
    same_source = before.source == task.source and before.source_stamp == task.source_stamp != ""
    return same_source and there.get(before.target) == before.target_stamp != ""


def _targets(names: Iterable[str], suffix: str, keep_extension: bool) -> dict[str, str]:
    """The target of every source."""
    targets: dict[str, str] = {}
    sources: dict[str, str] = {}
    for name in names:
        goal = name + suffix if keep_extension else str(PurePosixPath(name).with_suffix(suffix))
        if goal in sources:
            raise PathError(f"{sources[goal]} and {name} would both become {goal}; --keep-extension tells them apart")
        targets[name], sources[goal] = goal, name
    for name, goal in targets.items():
        for folder in PurePosixPath(goal).parents:
            if str(folder) in sources:
                raise PathError(f"{sources[str(folder)]} would become a file where {name} needs a folder")
    return targets


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) or fnmatchcase(PurePosixPath(name).name, glob) for glob in globs)


def refuse_overlap(source: LocalTree | RemoteTree, target: LocalTree | RemoteTree) -> None:
    """Stop what would read its own results.

    Raises:
        PathError: the target is the source, or inside it.
    """
    if isinstance(source, LocalTree) and isinstance(target, LocalTree):
        inside = target.root.resolve().is_relative_to(source.root.resolve())
    elif isinstance(source, RemoteTree) and isinstance(target, RemoteTree):
        inside = source.kind == target.kind and f"{target.root}/".startswith(f"{source.root}/")
    else:
        inside = False
    if inside:
        raise PathError(f"{target} is inside {source}; results need a place of their own")
