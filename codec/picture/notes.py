"""Conversions of samples: noted as an `AezWarning`, or refused where samples shall stay as they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..errors import PictureError, warn

_refusing: ContextVar[bool] = ContextVar("refusing", default=False)


def note_conversion(text: str) -> None:
    """Say with an `AezWarning` how samples do not stay as they are.

    Raises:
        PictureError: they shall.
    """
    refuse_conversion(text)
    warn(text)


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
