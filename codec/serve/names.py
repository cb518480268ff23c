"""Paths of requests: which of them are names of pictures."""

import unicodedata
from urllib.parse import unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.types import Scope

SUFFIX = ".aez"
_LONGEST, _LONGEST_PART = 1024, 240
_NEVER_ENCODED = (b"%2f", b"%5c", b"%00")
_NEVER = ("//", "\\", "::")


def picture_name(scope: Scope) -> str:
    """The name of the requested picture, such as `a/b.jpg` or `a/b.aez`: parts of a path below the root.

    No name leaves the root, is hidden, or could be taken for a URL.

    Raises:
        HTTPException: 400, it is malformed; 404, no picture can have this name.
    """
    raw: bytes = scope["raw_path"]
    if any(code in raw.lower() for code in _NEVER_ENCODED):
        raise HTTPException(400, "encoded slashes and NUL are not allowed in paths")
    try:
        path = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise HTTPException(400, "the path is not UTF-8") from error
    if any(part in path for part in _NEVER) or any(unicodedata.category(letter) == "Cc" for letter in path):
        raise HTTPException(400, "the path has characters that no name has")
    name = path.removeprefix("/")
    parts = name.split("/")
    if len(name) > _LONGEST or any(len(part.encode()) > _LONGEST_PART for part in parts):
        raise HTTPException(414, "the path is too long")
    if any(not part or part.startswith(".") for part in parts):
        raise HTTPException(404, "there is no such picture")
    return name
