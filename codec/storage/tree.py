"""What all trees of files can do."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

OWN_FOLDER = ".aez-batch"
OWN_PREFIX = ".aez-"
"""Of all that aez keeps beside the files of a tree."""


@dataclass
class Listing:
    """What was found: files with their stamps, other things with a word for what they are, folders that are closed."""

    files: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    errors: list[OSError] = field(default_factory=list)


class Tree(Protocol):
    """A root and the files below it.

    Raises:
        AezError, OSError: from any method: the file or the whole tree cannot be used.
    """

    def __hash__(self) -> int: ...

    @property
    def private(self) -> bool:
        """Whether only this process sees it."""

    def find(self) -> Listing:
        """All that is there, but for what aez keeps itself."""

    def find_own(self, folder: str) -> list[str]:
        """Names of the files in a folder of `OWN_FOLDER`."""

    def existing(self, names: Iterable[str]) -> dict[str, str]:
        """Those of the names that are there, with their stamps."""

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    def stamp(self, name: str) -> str:
        """The stamp of a file."""

    def read(self, name: str, at_most: int | None = None) -> bytes:
        """A file, or its first bytes."""

    def write(self, name: str, data: bytes, *, overwrite: bool = True) -> None:
        """Write a file as a whole or not at all.

        Raises:
            OutputExistsError: it is there, and `overwrite` is false.
        """

    def note(self, name: str, data: bytes) -> None:
        """Write a file quickly. It may be lost or incomplete after a loss of power."""

    def remove(self, name: str) -> None:
        """Remove a file."""
