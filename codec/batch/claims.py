"""What a batch is about to write, noted by hash, so that after a kill it is known as the batch's own.

The manifest has results only some time after they are written. Until then a note tells them from files of others that
have taken the name meanwhile. Every process has a note of its own, with what it wrote last.
"""

import hashlib
import json
import threading
from collections.abc import Collection, Mapping
from functools import lru_cache
from secrets import token_hex

from ..storage import OWN_FOLDER, Tree

_FOLDER = "claims"
_LAST = 1000  # more than a process writes between two saves of the manifest


class Claims:
    """The note of this process."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._name = f"{OWN_FOLDER}/{_FOLDER}/{token_hex(8)}"
        self._hashes: dict[str, str] = {}
        self._lock = threading.Lock()

    def add(self, name: str, digest: str) -> None:
        """A file is about to be written."""
        with self._lock:
            self._hashes.pop(name, None)
            self._hashes[name] = digest
            if len(self._hashes) > _LAST:
                del self._hashes[next(iter(self._hashes))]
            self._tree.note(self._name, json.dumps(self._hashes).encode())


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


def is_claimed(tree: Tree, claims: Mapping[str, set[str]], name: str) -> bool:
    """Whether a file that is there was written by a batch."""
    return name in claims and sha256(tree.read(name)) in claims[name]


def settle_claims(tree: Tree, known: Collection[str]) -> None:
    """Remove the notes of which the manifest knows everything."""
    for note in tree.find_own(_FOLDER):
        if set(known).issuperset(_read(tree, note)):
            tree.remove(note)


def sha256(data: bytes) -> str:
    """How files are told apart."""
    return hashlib.sha256(data).hexdigest()


def _read(tree: Tree, note: str) -> dict[str, str]:
    """A note; what is damaged claims nothing."""
    try:
        return dict(json.loads(tree.read(note)))
    except (ValueError, TypeError):
        return {}
