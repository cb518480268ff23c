"""Lists of names, as people and other programs write them."""

import codecs
from pathlib import Path, PurePath


def read_names(path: Path) -> list[str]:
    """The names in a file, one a line, whatever bytes they have: each once, with slashes, without `./`.

    Editors and Windows put a byte order mark in front, and Windows writes UTF-16.

    Raises:
        OSError: the file cannot be read.
    """
    data = path.read_bytes()
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = data.decode("utf-16", "replace") if wide else data.decode("utf-8-sig", "surrogateescape")
    lines = (line.removesuffix("\r") for line in text.split("\n"))
    return list(dict.fromkeys(PurePath(line).as_posix() for line in lines if line.strip()))


def is_below(name: str) -> bool:
    """Whether a name leads to a place below its root, as this system reads it."""
    path = PurePath(name)
    inside = not path.is_absolute() and not path.drive and not {"..", "."}.intersection(path.parts)
    return bool(path.parts) and inside and path.as_posix() == name and "\0" not in name
