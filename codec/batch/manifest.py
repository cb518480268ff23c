"""What a batch has done so far, kept beside its results, so that it can be continued."""

import json
import time
from dataclasses import asdict, dataclass

from aez.batch.trees import OWN_FOLDER, Tree
from aez.errors import AezError

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


@dataclass(frozen=True)
class Entry:
    """A target: the settings it is made with, and its result once it is finished."""

    settings: str
    result: Result | None


class Manifest:
    """Entries by the name of the target. It is saved now and then: what is lost is only done again.

    Raises:
        AezError: there is one that cannot be read.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._next_save = 0.0
        self.entries: dict[str, Entry] = {}
        if not tree.stamp(NAME):
            return
        try:
            stored = json.loads(tree.read(NAME))
            if stored["version"] != VERSION:
                raise ValueError(f"version {stored['version']}")
            for target, (settings, result) in stored["entries"].items():
                self.entries[target] = Entry(settings, Result(**result) if result else None)
        except (ValueError, KeyError, TypeError) as error:
            raise AezError(f"{tree}/{NAME} cannot be read ({error}); remove it to begin anew") from error

    def save(self) -> None:
        """Write it."""
        started = time.monotonic()
        entries = {
            target: (entry.settings, asdict(entry.result) if entry.result else None)
            for target, entry in self.entries.items()
        }
        self._tree.write(NAME, json.dumps({"version": VERSION, "entries": entries}).encode())
        finished = time.monotonic()
        self._next_save = finished + max(_SAVE_SECONDS, (finished - started) / _SAVE_SHARE)

    def finish(self, target: str, entry: Entry) -> None:
        """Note a finished target."""
        self.entries[target] = entry
        if time.monotonic() >= self._next_save:
            self.save()
