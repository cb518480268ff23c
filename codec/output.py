"""Files out: whole or not at all, and never over an existing file unless told so."""

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from .errors import OutputExistsError

AnyPath = str | os.PathLike[str]

_USUAL, _PRIVATE = 0o666, 0o600
_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP)


def is_device(path: Path) -> bool:
    """Whether a path is that of a pipe, a terminal, /dev/null or the like; not of a disk, which has contents."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def refuse_existing(path: Path, overwrite: bool, hint: str = "-o names another file, -f overwrites this one") -> None:
    """Stop before any work is done in vain. What is written to a pipe or a terminal replaces nothing.

    Raises:
        OutputExistsError: the output exists and `overwrite` is false.
    """
    if path.exists() and not (overwrite or is_device(path)):
        raise OutputExistsError(f"{path} exists", hint)


def write_file(
    path: Path, data: bytes, overwrite: bool, scratch: Path | None = None, *, wait_for_name: bool = True
) -> None:
    """Write a file under a temporary name, in `scratch` if that can be, and rename it when the disk has it.

    So it is there as a whole or not at all, even after a loss of power; unless `wait_for_name`, it may be the latter
    although this has returned. What is overwritten hands on its permissions. Pipes and devices are written to.

    Raises:
        OutputExistsError: it exists and `overwrite` is false.
        OSError: it cannot be written.
    """
    refuse_existing(path, overwrite)
    if path.exists() and not path.is_file():
        try:
            path.write_bytes(data)
        except OSError as error:
            error.filename = str(path)
            raise
        return
    final = Path(os.path.realpath(path))
    if final.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    temporary = (scratch or final.parent) / f".aez-{secrets.token_hex(8)}.tmp"
    replaced = final.stat() if overwrite and final.exists() else None
    try:
        temporary.touch(_PRIVATE if replaced else _USUAL, exist_ok=False)
        temporary.write_bytes(data)
        _sync(temporary, os.O_RDWR)
        if replaced:
            _hand_on_permissions(replaced, temporary)
        if overwrite:
            temporary.replace(final)
        else:
            _rename_to_new(temporary, final)
    except FileExistsError:
        refuse_existing(path, overwrite)
        raise
    except OSError as error:
        if error.errno == errno.EXDEV and scratch:
            write_file(path, data, overwrite, wait_for_name=wait_for_name)
            return
        error.filename, error.filename2 = str(path), None
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    if wait_for_name:
        with suppress(OSError):  # not all systems can
            _sync(final.parent, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    """Wait until the disk has what was written to a file, or the names in a folder."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
    finally:
        os.close(descriptor)


def _hand_on_permissions(replaced: os.stat_result, path: Path) -> None:
    """Mode, and owner and group as far as that is allowed."""
    if hasattr(os, "chown"):
        for owner in ((replaced.st_uid, -1), (-1, replaced.st_gid)):
            with suppress(OSError):
                os.chown(path, *owner)
    path.chmod(stat.S_IMODE(replaced.st_mode))


def _rename_to_new(temporary: Path, final: Path) -> None:
    """Rename unless the name was taken meanwhile; where there are no hard links, that gap stays."""
    try:
        final.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        temporary.replace(final)
