"""Where files come from and go to: a local folder, or a URL of any file system that fsspec knows.

A file has a name, its path below the root with slashes, and a stamp, which changes when the file does; an empty stamp
says nothing, and is that of a file which is not there.
"""

from .local import LocalTree
from .opening import open_tree
from .remote import RemoteTree
from .tree import OWN_FOLDER, Listing, Tree
from .urls import without_secrets

__all__ = ["OWN_FOLDER", "Listing", "LocalTree", "RemoteTree", "Tree", "open_tree", "without_secrets"]
