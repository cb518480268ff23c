"""What can go wrong, or is worth a note, as one line for a person."""

import os
import sys
import warnings
from pathlib import Path

import PIL

_PASSED = tuple(f"{Path(file).parent}{os.sep}" for file in (__file__, PIL.__file__))


class AezError(Exception):
    """Anything aez refuses to do; the message says why in one line, `hint` which option of the command line helps."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class FormatError(AezError):
    """The data is not an aez file, or one that this version cannot read."""


class DamagedError(FormatError):
    """The data was an aez file once and is truncated or altered."""


class ModelError(AezError):
    """A model is missing, broken, or computes wrongly on this machine."""


class PictureError(AezError):
    """The input picture cannot be read or is beyond a limit."""


class LimitError(PictureError):
    """The picture is larger than allowed."""


class OutputExistsError(AezError, FileExistsError):
    """The output is there already, and was not to be overwritten."""


class AezWarning(UserWarning):
    """Something about a picture was converted, left out or generated."""


class QualityWarning(AezWarning):
    """A picture is far from what its quality promises."""


def warn(text: str, kind: type[AezWarning] = AezWarning) -> None:
    """Warn of the line that called aez, perhaps by way of Pillow: Python shows the same warning once a line."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_code.co_filename.startswith(_PASSED):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, kind, stacklevel=level)


def unreadable(error: BaseException) -> PictureError:
    """What to raise where a library cannot read a picture; some of them only assert that it is well-formed."""
    reason = first_line(error) if str(error) else "it is malformed"
    return PictureError(f"cannot be read ({reason})")


def needs_extra(what: str, package: str, extra: str) -> AezError:
    """What to raise where a package is missing that comes with an extra of aez."""
    return AezError(f"{what} needs {package}: pip install 'aez[{extra}]'")


def first_line(error: BaseException) -> str:
    """What a library's exception says, or is called, without the pages that some of them add."""
    return (str(error) or type(error).__name__).splitlines()[0]
