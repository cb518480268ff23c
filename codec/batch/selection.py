"""Which files of a tree a batch looks at, and what it leaves out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from ..jobs import Job
from ..storage import Tree
from ..terminal.names import printable
from ..terminal.reporter import describe
from .name_list import is_below

_KINDS_SHOWN = 8


@dataclass
class Chosen:
    """Files with their stamps; what cannot be used, with a line that says why; how many are left out, by kind."""

    files: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Selection:
    """Globs on the name below the root or on its last part; no `include` means all.

    `names`, where given, are all there is, and are taken whatever their suffix is.
    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    names: Sequence[str] | None = None

    def choose(self, source: Tree, job: Job) -> Chosen:
        """The files of a tree that a job can take.

        Raises:
            AezError, OSError: the tree cannot be listed.
        """
        chosen = Chosen()
        if self.names is None:
            found = source.find()
            chosen.left_out.update(found.others.values())
            chosen.refused += [(str(error.filename), describe(error, str(source))) for error in found.errors]
            files = found.files
        else:
            files = dict.fromkeys(self.names, "")
        for name, stamp in files.items():
            if self.names is None and (kind := job.foreign_kind(name)):
                chosen.left_out[kind] += 1
            elif not self._matches(name):
                chosen.left_out["--include and --exclude"] += 1
            elif not is_below(name):
                chosen.refused.append((name, f"{printable(name)}: is not a name below the source"))
            else:
                chosen.files[name] = stamp
        return chosen

    def _matches(self, name: str) -> bool:
        return (not self.include or _matches(name, self.include)) and not _matches(name, self.exclude)


def shown(left_out: Counter[str]) -> str:
    """How many files are left out, by kind, in one line; nothing if there are none."""
    kinds = left_out.most_common(_KINDS_SHOWN)
    words = [f"{printable(kind)} {count}" for kind, count in kinds]
    rest = left_out.total() - sum(count for _, count in kinds)
    return f"left out: {', '.join(words)}" + (f", others {rest}" if rest else "") if words else ""


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) or fnmatchcase(PurePosixPath(name).name, glob) for glob in globs)
