"""What a request asks for: the name of a picture, and which of its variants.

Variants are words of short lists, so that nobody can fill a cache with them.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.types import Scope
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from ..api import Resolution
from ..web.assets import FOLDER as ASSETS
from ..web.assets import SCRIPT
from .folder import SUFFIX

Format = Literal["aez", "avif", "webp", "jpeg", "png"]
Word = TypeVar("Word", bound=str)

RESOLUTIONS: tuple[Resolution, ...] = get_args(Resolution)
MEDIA_TYPES: Mapping[Format, str] = {name: f"image/{name}" for name in get_args(Format)}
AEZ = MEDIA_TYPES["aez"]
QUALITIES = (35, 50, 65, 75, 85, 95)
HINTS = ("Save-Data", "Sec-CH-Width", "Sec-CH-DPR")
ACCEPT_CH = "Sec-CH-DPR, Sec-CH-Width"
_USUAL_QUALITY: Mapping[Format, int] = {"avif": 65, "webp": 75, "jpeg": 85}
HEALTH, METRICS = "healthz", "metrics"
_OWN_NAMES = (HEALTH, METRICS, SCRIPT)
_DENSE = 1.5
_LONGEST, _LONGEST_PART = 1024, 240
_NEVER_ENCODED = (b"%2f", b"%5c", b"%00")
_NEVER = ("\\", "::")
_NEVER_LETTERS = ("Cc", "Cs")  # control characters, and the surrogates that stand for bytes that are not UTF-8


@dataclass(frozen=True)
class Variant:
    """A representation of a picture; `quality` is that of AVIF, WebP and JPEG."""

    resolution: Resolution
    format: Format
    quality: int | None = None

    def __str__(self) -> str:
        return f"{self.resolution}.{self.format}" + ("" if self.quality is None else f".{self.quality}")


@dataclass(frozen=True)
class Traits:
    """What the choice depends on besides the request."""

    medium_width: int
    alpha: bool


@dataclass(frozen=True)
class Choice:
    """A variant, and the headers that were looked at."""

    variant: Variant
    vary: tuple[str, ...]


def picture_name(scope: Scope) -> str:
    """The name of the requested picture, such as `a/b.jpg` or `a/b.aez`: parts of a path below the root.

    No name leaves the root, is hidden, could be taken for a URL, or is one of the server's own.

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
    if "//" in path:
        raise HTTPException(400, "the path has an empty part")
    name = path.removeprefix("/")
    check_name(name)
    return name


def check_name(name: str) -> None:
    """Whether a request can be for a picture of this name.

    Raises:
        HTTPException: as `picture_name`.
    """
    parts = name.split("/")
    if any(part in name for part in _NEVER) or any(unicodedata.category(letter) in _NEVER_LETTERS for letter in name):
        raise HTTPException(400, "the path has characters that no name has")
    if len(name) > _LONGEST or any(len(part.encode()) > _LONGEST_PART for part in parts):
        raise HTTPException(414, "the path is too long")
    if any(not part or part.startswith(".") for part in parts):
        raise HTTPException(404, "there is no such picture")
    if name.removesuffix(SUFFIX) in _OWN_NAMES or (parts[0] == ASSETS and len(parts) == 2):
        raise HTTPException(404, "the server has something else of this name")


def content_length(headers: Headers) -> int:
    """The bytes of the body that a request announces, 0 where it announces none.

    Raises:
        HTTPException: 400, this is no number.
    """
    text = headers.get("content-length", "0")
    if not re.fullmatch("[0-9]{1,20}", text):
        raise HTTPException(400, "Content-Length is no number")
    return int(text)


def choose(query: QueryParams, headers: Headers, traits: Traits) -> Choice:
    """The variant for a request: what its query says, otherwise what its headers say.

    Raises:
        HTTPException: 400, a value is none of its list; 406, the client accepts none of the formats.
    """
    vary: tuple[str, ...] = ()
    format = one_of(query, "format", get_args(Format))
    quality = one_of(query, "q", tuple(str(number) for number in QUALITIES))
    resolution = one_of(query, "res", RESOLUTIONS)
    if format is None:
        vary += ("Accept",)
        format = _accepted(headers, traits.alpha)
    if resolution is None:
        vary += HINTS
        resolution = _hinted(headers, traits.medium_width)
    usual = _USUAL_QUALITY.get(format)
    return Choice(Variant(resolution, format, int(quality) if quality and usual else usual), vary)


def one_of(query: QueryParams, name: str, words: tuple[Word, ...]) -> Word | None:
    """The value of a parameter, if there is one.

    Raises:
        HTTPException: 400, it is none of the words, or there are several.
    """
    values = query.getlist(name)
    if not values:
        return None
    for word in words:
        if values == [word]:
            return word
    raise HTTPException(400, f"{name} must be one of {', '.join(words)}")


def _accepted(headers: Headers, alpha: bool) -> Format:
    """The smallest of the formats that the client likes best; wildcards mean JPEG, or PNG where there is alpha."""
    accept = parse_accept_header(headers.get("accept") or "*/*", MIMEAccept)
    named = {value for value, _ in accept}
    usual: tuple[Format, ...] = ("png", "jpeg") if alpha else ("jpeg", "png")
    smaller: tuple[Format, ...] = ("aez", "avif", "webp")
    offered = [*(name for name in smaller if MEDIA_TYPES[name] in named), *usual]
    best = max(offered, key=lambda name: accept.quality(MEDIA_TYPES[name]))
    if accept.quality(MEDIA_TYPES[best]) <= 0:
        raise HTTPException(406, f"there are {', '.join(MEDIA_TYPES.values())}")
    return best


def _hinted(headers: Headers, medium_width: int) -> Resolution:
    if headers.get("save-data", "").strip().lower() == "on":
        return "medium"
    width = _number(headers.get("sec-ch-width"))
    if width is not None:
        return "medium" if width <= medium_width else "high"
    density = _number(headers.get("sec-ch-dpr"))
    return "medium" if density is not None and density < _DENSE else "high"


def _number(text: str | None) -> float | None:
    """A positive number as a structured header field has it; others are as if there were none."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 < number < 1e6 else None
