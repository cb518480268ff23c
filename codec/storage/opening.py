"""From a path or URL to its tree."""

import re
from pathlib import Path

from .local import LocalTree
from .remote import RemoteTree

_LOCAL = re.compile("(?:file|local)://")


def open_tree(place: str) -> LocalTree | RemoteTree:
    """The tree at a path or URL.

    Raises:
        AezError: a package is missing for that URL, or there is no such file system.
    """
    if "://" not in place or _LOCAL.match(place):
        return LocalTree(Path(_LOCAL.sub("", place, count=1)).absolute())
    tree = RemoteTree(place.rstrip("/"))
    tree.kind  # noqa: B018 - opens it
    return tree
