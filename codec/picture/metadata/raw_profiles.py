"""Metadata that ImageMagick and others put into PNG files as text: a name, a length, and hexadecimal digits."""

from collections.abc import Mapping
from typing import Any

from ...errors import warn

_PREFIX = "Raw profile type "
_LENGTH_DIGITS = 8


def raw_profile(info: Mapping[Any, Any], *names: str, start: bytes = b"") -> bytes:
    """The first profile of these names that begins with `start`, without that, from a Pillow image's `info`."""
    for name in names:
        text = info.get(_PREFIX + name)
        if not isinstance(text, str):
            continue
        try:
            profile = _content(text)
        except ValueError:
            warn(f"the malformed profile {name} is left out")
            continue
        if profile.startswith(start):
            return profile.removeprefix(start)
    return b""


def has_raw_profile(info: Mapping[Any, Any], *names: str) -> bool:
    """Whether there is one of these names, well-formed or not."""
    return any(_PREFIX + name in info for name in names)


def is_raw_profile(key: str) -> bool:
    """Whether this key of `info` is one."""
    return key.startswith(_PREFIX)


def _content(text: str) -> bytes:
    """What the text says.

    Raises:
        ValueError: it has not as many digits as it says, or is no such text.
    """
    _, length, digits = text.lstrip().split("\n", 2)
    length = length.strip()
    if not (length.isascii() and length.isdecimal() and len(length) <= _LENGTH_DIGITS):
        raise ValueError("no length")
    content = bytes.fromhex("".join(digits.split())[: 2 * int(length)])
    if len(content) < int(length):
        raise ValueError("too short")
    return content
