"""Descriptions of the files below a folder, kept beside them, so that each is described once."""

import io
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..arrays import Floats
from ..output import write_file
from .description import SIZE, Description

NAME = ".aez-similar"
_VERSION = 2
_STORED = np.dtype("<f2")
_DIGEST = 32
"""Bytes of a SHA-256."""


@dataclass(frozen=True)
class Catalogue:
    """Names below the folder, what they look like, and the vectors of that, [N, SIZE]."""

    names: list[str]
    descriptions: list[Description]
    vectors: Floats


@dataclass
class Index:
    """Stamps and descriptions by name. In a file it is an .npz of arrays."""

    entries: dict[str, tuple[str, Description]] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> "Index":
        """The index of a folder. One that is missing, damaged or of another version is empty: it only costs time."""
        try:
            with np.load(io.BytesIO((folder / NAME).read_bytes()), allow_pickle=False) as arrays:
                return cls._of(arrays)
        except Exception:  # whatever unzipping and parsing meet
            return cls()

    def save(self, folder: Path) -> None:
        """Write it into the folder, at once or not at all.

        Raises:
            OSError: it cannot be written.
        """
        found = [description for _, description in self.entries.values()]
        buffer = io.BytesIO()
        np.savez(
            buffer,
            version=_VERSION,
            names=_bytes(self.entries),
            stamps=_bytes([stamp for stamp, _ in self.entries.values()]),
            sizes=np.array([(one.width, one.height, one.bytes) for one in found], "<i8").reshape(-1, 3),
            vectors=np.array([one.vector for one in found], _STORED).reshape(-1, SIZE),
            digests=np.frombuffer(bytes.fromhex("".join(one.digest for one in found)), np.uint8).reshape(-1, _DIGEST),
        )
        write_file(folder / NAME, buffer.getvalue(), overwrite=True, wait_for_name=False)

    def outdated(self, stamps: Mapping[str, str]) -> list[str]:
        """Names of files, with their stamps, that are new or have changed."""
        return sorted(
            name for name, stamp in stamps.items() if name not in self.entries or self.entries[name][0] != stamp
        )

    def forget(self, is_gone: Callable[[str], bool]) -> None:
        """Forget files."""
        self.entries = {name: entry for name, entry in self.entries.items() if not is_gone(name)}

    def catalogue(self, stamps: Mapping[str, str]) -> Catalogue:
        """Those of the files that are described as they are, by name."""
        names = sorted(name for name, (stamp, _) in self.entries.items() if stamps.get(name) == stamp)
        found = [self.entries[name][1] for name in names]
        vectors = np.array([one.vector for one in found], np.float32).reshape(-1, SIZE)
        return Catalogue(names, found, vectors)

    @classmethod
    def _of(cls, arrays: Mapping[str, np.ndarray]) -> "Index":
        names, stamps = _words(arrays["names"]), _words(arrays["stamps"])
        sizes, vectors, digests = arrays["sizes"], arrays["vectors"].astype(np.float32), arrays["digests"]
        shapes = [(len(names), length) for length in (3, SIZE, _DIGEST)]
        if arrays["version"] != _VERSION or [sizes.shape, vectors.shape, digests.shape] != shapes:
            raise ValueError("of another version")
        if not np.isfinite(vectors).all():
            raise ValueError("damaged")
        described = [
            Description(width, height, size, vector, digest.astype(np.uint8).tobytes().hex())
            for (width, height, size), vector, digest in zip(sizes.tolist(), vectors, digests, strict=True)
        ]
        return cls(dict(zip(names, zip(stamps, described, strict=True), strict=True)))


def _bytes(words: Collection[str]) -> np.ndarray:
    """Names of files have any bytes but zero, which ends each."""
    return np.frombuffer(b"".join(os.fsencode(word) + b"\0" for word in words), np.uint8)


def _words(data: np.ndarray) -> list[str]:
    return [os.fsdecode(word) for word in data.astype(np.uint8).tobytes().split(b"\0")[:-1]]
