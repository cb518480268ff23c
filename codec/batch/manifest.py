"""What batches have made so far, kept beside their results, so that they can be continued."""

import json
import time
from dataclasses import dataclass

from ..errors import AezError
from ..jobs import Job
from ..storage import OWN_FOLDER, Tree

NAME = f"{OWN_FOLDER}/manifest.json"
VERSION = 1
_SAVE_SECONDS = 2.0
_SAVE_SHARE = 0.02


@dataclass(frozen=True)
class Result:
    """One finished file: with which settings and of what it was made, what it is, and what was measured."""

    settings: str
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


class Manifest:
    """Results by the name that was aimed at, all from one source. What is lost between two saves is only done again.

    Raises:
        AezError: there is one that cannot be read.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._next_save = 0.0
        self.source = ""
        self.results: dict[str, Result] = {}
        self.stored = tree.read(NAME) if tree.exists(NAME) else b""
        if not self.stored:
            return
        try:
            values = json.loads(self.stored)
            if values["version"] != VERSION:
                raise ValueError(f"version {values['version']}")
            self.source = str(values["source"])
            for goal, (settings, result) in values["entries"].items():
                self.results[goal] = Result(settings, **result)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AezError(f"{tree}/{NAME} cannot be read ({error}); remove it to begin anew") from error

    def save(self) -> None:
        """Write it."""
        started = time.monotonic()
        entries = {}
        for goal, result in self.results.items():
            values = dict(vars(result))
            entries[goal] = values.pop("settings"), values
        stored = {"version": VERSION, "source": self.source, "entries": entries}
        self._tree.write(NAME, json.dumps(stored).encode())
        finished = time.monotonic()
        self._next_save = finished + max(_SAVE_SECONDS, (finished - started) / _SAVE_SHARE)

    def save_now_and_then(self) -> None:
        """Write it, unless that was done a moment ago."""
        if time.monotonic() >= self._next_save:
            self.save()
