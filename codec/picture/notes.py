"""Notes: what was converted or left out, one line each, for whoever encodes or decodes a picture."""

import warnings

from ..errors import AezWarning


def note(text: str) -> None:
    """Say it as an `AezWarning`."""
    warnings.warn(text, AezWarning, stacklevel=3)
