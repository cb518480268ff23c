"""Metadata that ImageMagick and others put into PNG files as text: a name, a length, and hexadecimal digits."""

import re
from collections.abc import Mapping
from typing import Any

from .notes import note

_PREFIX = "Raw profile type "
_LAYOUT = re.compile(r"\s*[^\n]*\n\s*(\d+)\n([\s0-9a-fA-F]*)")


def raw_profile(info: Mapping[Any, Any], *names: str, start: bytes = b"") -> bytes:
    """The first profile of these names that begins with `start`, without that, from a Pillow image's `info`."""
    for name in names:
        text = info.get(_PREFIX + name)
        if not isinstance(text, str):
            continue
        found = _LAYOUT.match(text)
        length, digits = (int(found[1]), "".join(found[2].split())[: 2 * int(found[1])]) if found else (1, "")
        if len(digits) < 2 * length:
            note(f"the malformed profile {name} is left out")
        elif (profile := bytes.fromhex(digits)).startswith(start):
            return profile.removeprefix(start)
    return b""


def has_raw_profile(info: Mapping[Any, Any], *names: str) -> bool:
    """Whether there is one of these names, well-formed or not."""
    return any(_PREFIX + name in info for name in names)


def is_raw_profile(key: str) -> bool:
    """Whether this key of `info` is one."""
    return key.startswith(_PREFIX)
