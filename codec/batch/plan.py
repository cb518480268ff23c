"""What a batch is going to do: which files, where to, and which of them are done already."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ..errors import AezError
from ..jobs import Job
from ..storage import LocalTree, RemoteTree, Tree
from ..terminal.paths import PathError
from ..terminal.reporter import describe
from .claims import is_claimed, read_claims
from .manifest import Manifest, Result
from .selection import Selection


@dataclass(frozen=True)
class Task:
    """One file to convert; `before` is what a batch made of it.

    `claimed` has hashes of what batches that were killed have noted for `target` and for `kept`.
    """

    source: str
    source_stamp: str
    target: str
    before: Result | None
    claimed: frozenset[str]

    @property
    def kept(self) -> str:
        """The target, if the source is kept as it is."""
        return kept_name(self.source, self.target)


@dataclass
class Plan:
    """What is to be done, what is done, which sources cannot be and why, and how many are left out, by kind."""

    tasks: list[Task] = field(default_factory=list)
    done: list[Result] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def make_plan(
    source: Tree, target: Tree, job: Job, manifest: Manifest, selection: Selection, keep_extension: bool, force: bool
) -> Plan:
    """Look at both trees.

    Raises:
        PathError: two files would become one.
        AezError, OSError: a tree cannot be listed.
    """
    chosen = selection.choose(source, job)
    plan = Plan(refused=chosen.refused, left_out=chosen.left_out)
    goals = _goals(chosen.files, job, keep_extension)
    there = target.existing([*goals.values(), *(result.target for result in manifest.results.values())])
    claims = read_claims(target)
    settings = job.settings
    for name, goal in goals.items():
        claimed = frozenset().union(*(claims.get(written, ()) for written in (goal, kept_name(name, goal))))
        task = Task(name, chosen.files[name], goal, manifest.results.get(goal), claimed)
        if task.before is None and goal in there and not (force or is_claimed(target, claimed, goal)):
            plan.refused.append((name, describe(taken(goal), name)))
        elif task.before and task.before.settings == settings and _is_current(task.before, task, job, there):
            plan.done.append(task.before)
        else:
            plan.tasks.append(task)
    return plan


def kept_name(source: str, target: str) -> str:
    """Where a source is copied to that is kept as it is: beside the target that it would have become."""
    return str(PurePosixPath(target).parent / PurePosixPath(source).name)


def taken(target: str) -> AezError:
    """What is said where a file of somebody else is in the way."""
    return AezError(f"{target} exists and was not written by aez batch", "-f overwrites it")


def _is_current(before: Result, task: Task, job: Job, there: Mapping[str, str]) -> bool:
    same_source = before.source == task.source and before.source_stamp == task.source_stamp != ""
    return same_source and before.is_complete(job) and there.get(before.target) == before.target_stamp != ""


def _goals(names: Iterable[str], job: Job, keep_extension: bool) -> dict[str, str]:
    """The target of every source."""
    goals: dict[str, str] = {}
    sources: dict[str, str] = {}
    for name in names:
        goal = name + job.suffix if keep_extension else job.output_name(name)
        if goal in sources:
            raise PathError(f"{sources[goal]} and {name} would both become {goal}; --keep-extension tells them apart")
        goals[name], sources[goal] = goal, name
    for name, goal in goals.items():
        for folder in PurePosixPath(goal).parents:
            if str(folder) in sources:
                raise PathError(f"{sources[str(folder)]} would become a file where {name} needs a folder")
    return goals


def refuse_overlap(source: LocalTree | RemoteTree, target: LocalTree | RemoteTree) -> None:
    """Stop what would read its own results.

    Raises:
        PathError: the target is the source, or inside it.
    """
    if isinstance(source, LocalTree) and isinstance(target, LocalTree):
        inside = Path(os.path.realpath(target.root)).is_relative_to(os.path.realpath(source.root))
    elif isinstance(source, RemoteTree) and isinstance(target, RemoteTree):
        inside = source.shares_system_with(target) and f"{target.root}/".startswith(f"{source.root}/")
    else:
        inside = False
    if inside:
        raise PathError(f"{target} is inside {source}; results need a place of their own")
