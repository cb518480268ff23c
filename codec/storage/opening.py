"""From a path or URL to its tree."""

import re
from pathlib import Path

from ..errors import AezError
from .local import LocalTree
from .remote import RemoteTree

_LOCAL = re.compile("(?:file|local)://")


def open_tree(place: str) -> LocalTree | RemoteTree:
    """The tree at a path or URL.

    Raises:
        AezError: a package is missing for that URL, there is no such file system, or it names no place there.
    """
    if "://" not in place or _LOCAL.match(place):
        return LocalTree(Path(_LOCAL.sub("", place, count=1)).absolute())
    scheme, _, path = place.partition("://")
    if not path.rstrip("/"):
        raise AezError(f"{place} names no place")  # what a shell makes of s3://$BUCKET without that variable
    tree = RemoteTree(f"{scheme}://{path.rstrip('/')}")
    tree.kind  # noqa: B018 - opens it
    return tree
