"""What a batch is about to write, noted by hash, so that after a kill it is known as the batch's own.

The manifest has results only some time after they are written. Until then a note tells them from files of others that
have taken the name meanwhile. Every process has notes of its own; they stay until the manifest knows all that they do.
"""

import hashlib
import json
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import cycle
from secrets import token_hex

from ..errors import AezError
from ..storage import OWN_FOLDER, Tree

_FOLDER = "claims"
_PER_NOTE = 100  # a note is written anew with each of its files


class Claims:
    """The notes of this process."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._lock = threading.Lock()
        self._begin()

    def add(self, name: str, digest: str) -> None:
        """A file is about to be written."""
        with self._lock:
            if name in self._hashes or len(self._hashes) == _PER_NOTE:
                self._begin()
            self._hashes[name] = digest
            self._tree.note(next(self._places), json.dumps(self._hashes).encode())

    def _begin(self) -> None:
        place = f"{OWN_FOLDER}/{_FOLDER}/{token_hex(8)}"
        # By turns: what is killed while it writes one leaves the other, which has all but the last.
        self._places = cycle((f"{place}-0", f"{place}-1"))
        self._hashes: dict[str, str] = {}


@lru_cache(maxsize=1)
def claims_of_this_process(tree: Tree) -> Claims:
    """Where to note what goes to a tree."""
    return Claims(tree)


def read_claims(tree: Tree) -> dict[str, set[str]]:
    """Hashes by name, of batches that were killed."""
    claims: dict[str, set[str]] = {}
    for note in tree.find_own(_FOLDER):
        for name, digest in _read(tree, note).items():
            claims.setdefault(name, set()).add(digest)
    return claims


def is_claimed(tree: Tree, hashes: Collection[str], name: str) -> bool:
    """Whether a file that is there is one of those that a batch has noted."""
    return bool(hashes) and sha256(tree.read(name)) in hashes


def settle_claims(tree: Tree, known: Mapping[str, str]) -> None:
    """Remove the notes of which every file is known, by name and hash, or is not what was noted any more."""
    for note in tree.find_own(_FOLDER):
        claimed = _read(tree, note).items()
        with suppress(AezError, OSError):  # what cannot be looked at stays noted
            if all(known.get(name) == digest or not has(tree, name, digest) for name, digest in claimed):
                tree.remove(note)


def has(tree: Tree, name: str, digest: str) -> bool:
    """Whether there is a file of this content."""
    return tree.exists(name) and sha256(tree.read(name)) == digest


def sha256(data: bytes) -> str:
    """How files are told apart."""
    return hashlib.sha256(data).hexdigest()


def _read(tree: Tree, note: str) -> dict[str, str]:
    """A note; what is damaged claims nothing."""
    try:
        return dict(json.loads(tree.read(note)))
    except (ValueError, TypeError):
        return {}
