"""What batches have made so far, kept beside their results, so that they can be continued."""

import json
import time
from dataclasses import asdict, dataclass

from ..errors import AezError
from ..jobs import Job
from ..storage import OWN_FOLDER, Tree

NAME = f"{OWN_FOLDER}/manifest.json"
VERSION = 1
_SAVE_SECONDS = 2.0
_SAVE_SHARE = 0.02


@dataclass(frozen=True)
class Result:
    """One finished file: what it was made of, what it is, and what was measured."""

    source: str
    source_stamp: str
    source_sha256: str
    source_bytes: int
    target: str
    target_stamp: str
    target_sha256: str
    target_bytes: int
    width: int
    height: int
    psnr: float | None
    seconds: float

    def is_complete(self, job: Job) -> bool:
        """Whether it has all that is asked for; kept originals have no PSNR."""
        return not job.measure or self.psnr is not None or not self.target.endswith(job.suffix)


@dataclass(frozen=True)
class Entry:
    """A target: the settings it is made with, and its result once it is finished."""

    settings: str
    result: Result | None


class Manifest:
    """Entries by the name of the target, all from one source. What is lost between two saves is only done again.

    Raises:
        AezError: there is one that cannot be read.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._next_save = 0.0
        self.source = ""
        self.entries: dict[str, Entry] = {}
        self.stored = tree.read(NAME) if tree.exists(NAME) else b""
        if not self.stored:
            return
        try:
            values = json.loads(self.stored)
            if values["version"] != VERSION:
                raise ValueError(f"version {values['version']}")
            self.source = str(values["source"])
            for target, (settings, result) in values["entries"].items():
                self.entries[target] = Entry(settings, Result(**result) if result else None)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AezError(f"{tree}/{NAME} cannot be read ({error}); remove it to begin anew") from error

    def save(self) -> None:
        """Write it."""
        started = time.monotonic()
        entries = {
            target: (entry.settings, asdict(entry.result) if entry.result else None)
            for target, entry in self.entries.items()
        }
        values = {"version": VERSION, "source": self.source, "entries": entries}
        self._tree.write(NAME, json.dumps(values).encode())
        finished = time.monotonic()
        self._next_save = finished + max(_SAVE_SECONDS, (finished - started) / _SAVE_SHARE)

    def save_now_and_then(self) -> None:
        """Write it, unless that was done a moment ago."""
        if time.monotonic() >= self._next_save:
            self.save()
