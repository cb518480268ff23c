"""One task, in whatever process: read, convert, write, and say what came of it."""

import time
import warnings
from dataclasses import dataclass, replace

from ..errors import AezWarning, OutputExistsError, QualityWarning
from ..jobs import Job, Kept
from ..storage import Tree
from ..terminal.reporter import describe
from .claims import claims_of_this_process, has, read_claims, sha256
from .manifest import Result
from .plan import Task, taken


@dataclass(frozen=True)
class Outcome:
    """A task's result, or why there is none; and notes on it. `fresh` if it was not merely found to still hold.

    `damaged` if the picture is far from what its quality promises.
    """

    task: Task
    result: Result | None
    error: str = ""
    fresh: bool = True
    notes: tuple[str, ...] = ()
    damaged: bool = False


@dataclass(frozen=True)
class Converter:
    """Does tasks; what is the same for all of them. It can be sent to other processes and machines."""

    job: Job
    settings: str
    source: Tree
    target: Tree
    force: bool

    def __call__(self, task: Task) -> Outcome:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", AezWarning)
            try:
                result, fresh = self._convert(task)
            except Exception as error:  # file systems raise whatever their libraries do
                return Outcome(task, None, describe(error, task.source))
        damaged = any(issubclass(note.category, QualityWarning) for note in caught)
        return Outcome(task, result, "", fresh, tuple(str(note.message) for note in caught), damaged)

    def _convert(self, task: Task) -> tuple[Result, bool]:
        started = time.perf_counter()
        data = self.source.read(task.source)
        digest = sha256(data)
        before = task.before
        if before and self._still_holds(task, before, digest):
            stamp = self.target.stamp(before.target)
            return replace(before, source_stamp=task.source_stamp, target_stamp=stamp), False
        converted = self.job.convert(data)
        if isinstance(converted, Kept):
            coded, target = data, task.kept
        else:
            coded, target = converted.data, task.target
        self._write(target, coded, task)
        if before and before.target != target and has(self.target, before.target, before.target_sha256):
            self.target.remove(before.target)
        result = Result(
            settings=self.settings,
            source=task.source,
            source_stamp=task.source_stamp,
            source_sha256=digest,
            source_bytes=len(data),
            target=target,
            target_stamp=self.target.stamp(target),
            target_sha256=sha256(coded),
            target_bytes=len(coded),
            width=converted.width,
            height=converted.height,
            psnr=None if isinstance(converted, Kept) else converted.psnr,
            seconds=round(time.perf_counter() - started, 4),
        )
        return result, True

    def _still_holds(self, task: Task, before: Result, digest: str) -> bool:
        """Whether only stamps have changed."""
        made_alike = (before.settings, before.source, before.source_sha256) == (self.settings, task.source, digest)
        return made_alike and before.is_complete(self.job) and has(self.target, before.target, before.target_sha256)

    def _write(self, name: str, data: bytes, task: Task) -> None:
        """Write a file, never over one that no batch has written."""
        claims_of_this_process(self.target).add(name, sha256(data))
        try:
            self.target.write(name, data, overwrite=self.force)
        except OutputExistsError:
            if not self._is_ours(name, data, task):
                raise taken(name) from None
            self.target.write(name, data)

    def _is_ours(self, name: str, data: bytes, task: Task) -> bool:
        """Whether a batch has written what is there, be it damaged meanwhile."""
        there = self.target.read(name)
        expected = task.before if task.before and task.before.target == name else None
        digest = sha256(there)
        if digest in {sha256(data), *task.claimed, *([expected.target_sha256] if expected else [])}:
            return True
        claimed_since = read_claims(self.target).get(name, ())  # a cluster gives tasks of lost workers to others
        return digest in claimed_since or (expected is not None and self.job.is_damaged(there))
