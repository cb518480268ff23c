"""Notes: what was converted or left out, one line each, for whoever encodes or decodes a picture."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..errors import AezWarning, PictureError

_refusing: ContextVar[bool] = ContextVar("refusing", default=False)


def note(text: str) -> None:
    """Say it as an `AezWarning`."""
    warnings.warn(text, AezWarning, stacklevel=3)


def note_conversion(text: str) -> None:
    """The same of samples that do not stay as they are.

    Raises:
        PictureError: they shall.
    """
    refuse_conversion(text)
    warnings.warn(text, AezWarning, stacklevel=3)


def refuse_conversion(text: str) -> None:
    """What a conversion of samples that is not worth a note says where they shall stay.

    Raises:
        PictureError: they shall.
    """
    if _refusing.get():
        raise PictureError(f"not without loss: {text}")


@contextmanager
def conversions_refused() -> Iterator[None]:
    """Pictures whose samples would be converted are errors meanwhile."""
    token = _refusing.set(True)
    try:
        yield
    finally:
        _refusing.reset(token)
