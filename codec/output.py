"""Files out: whole or not at all, and never over an existing file unless told so."""

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from .errors import AezError

AnyPath = str | os.PathLike[str]


class OutputExistsError(AezError):
    """The output is there already."""


def is_device(path: Path) -> bool:
    """Whether a path is that of a pipe, a terminal, /dev/null or the like; not of a disk, which has contents."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Stop before any work is done in vain. What is written to a pipe or a terminal replaces nothing.

    Raises:
        OutputExistsError: the output exists and `overwrite` is false.
    """
    if path.exists() and not (overwrite or is_device(path)):
        raise OutputExistsError(f"{path} exists", "-f overwrites it")


def write_file(path: Path, data: bytes, overwrite: bool, scratch: Path | None = None) -> None:
    """Write a file under a temporary name, in `scratch` if that can be, and rename it when it is complete.

    Devices are written to.

    Raises:
        OutputExistsError: it exists and `overwrite` is false.
        OSError: it cannot be written.
    """
    refuse_existing(path, overwrite)
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    final = path.resolve()
    temporary = (scratch or final.parent) / f".aez-{secrets.token_hex(8)}.tmp"
    try:
        temporary.write_bytes(data)
        if overwrite:
            temporary.replace(final)
        else:
            _rename_to_new(temporary, final)
    except FileExistsError:
        refuse_existing(path, overwrite)
        raise
    except OSError as error:
        if error.errno == errno.EXDEV and scratch:
            write_file(path, data, overwrite)
            return
        error.filename, error.filename2 = str(path), None
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _rename_to_new(temporary: Path, final: Path) -> None:
    """Rename unless the name was taken meanwhile; where there are no hard links, that gap stays."""
    try:
        final.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        temporary.replace(final)
