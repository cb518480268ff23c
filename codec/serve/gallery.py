"""The page of all pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from rich.filesize import decimal
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from .. import api
from ..errors import AezError
from ..metrics.rate_distortion import MEASURES, Measure
from ..web.assets import SCRIPT
from .folder import SUFFIX
from .gallery_facts import FILE, Facts, Measured, load_facts
from .library import Library
from .middleware import exchange
from .requests import ACCEPT_CH, AEZ, one_of
from .threads import in_thread

PER_PAGE = 24
_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_BROWSER_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' data:;"
    " img-src 'self' blob: data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class Shown:
    """One of the two pictures of a file as the page shows it."""

    name: str
    url: str
    width: int
    height: int
    bytes: int
    facts: Facts | None


@dataclass(frozen=True)
class Both:
    """Bytes that both resolutions of a picture need together."""

    aez: int
    jpeg: int
    avif: int | None


@dataclass(frozen=True)
class Exhibit:
    """A file as the page shows it."""

    name: str
    url: str
    resolutions: tuple[Shown, Shown]
    measure: Measure | None
    both: Both | None


class NotShown(Enum):
    """Why a name has no place on the page."""

    UNREADABLE = "they cannot be read"
    ORIGINAL = "they are passed on as they came"
    GONE = "they are no longer there"


class Gallery:
    """Pages of all pictures, with what was measured of them; that is read again when it has changed."""

    def __init__(self, root: Path, library: Library, max_pixels: int) -> None:
        self._root = root
        self._library = library
        self._max_pixels = max_pixels
        self._changed = 0
        self._facts: Mapping[str, Measured] = {}

    async def page(self, request: Request) -> HTMLResponse:
        """One page; with `view=aez`, the browser decodes the files.

        Raises:
            HTTPException: 404, there is no such page; 400, there is no such view.
        """
        exchange(request).route = "gallery"
        in_browser = one_of(request.query_params, "view", ("aez",)) is not None
        names = await self._library.names()
        pages = max(1, -(-len(names) // PER_PAGE))
        try:
            page = int(request.query_params.get("page", "1"))
        except ValueError:
            page = 0
        if not 1 <= page <= pages:
            raise HTTPException(404, "there is no such page")
        here = names[PER_PAGE * (page - 1) : PER_PAGE * page]
        found = {name: await self._exhibit(name) for name in here}
        shown: dict[str, object] = {"count": len(names)}
        shown["pictures"] = [exhibit for exhibit in found.values() if isinstance(exhibit, Exhibit)]
        missing = [(reason, [name for name in here if found[name] is reason]) for reason in NotShown]
        shown["not_shown"] = [(reason, names) for reason, names in missing if names]
        shown |= {"page": page, "pages": pages, "size": decimal, "script": SCRIPT if in_browser else None}
        body = await in_thread(lambda: _template().render(shown))
        policy = _BROWSER_POLICY if in_browser else _POLICY
        headers = {"Content-Security-Policy": policy, "Accept-CH": ACCEPT_CH, "Cache-Control": "no-cache"}
        return HTMLResponse(body, headers=headers)

    async def jpeg_bytes(self, name: str, size: int, high: bool) -> int:
        """What a JPEG that is as good as a file of that size would need; 0 if that was not measured."""
        measured = await self._measured(name, size)
        if measured is None:
            return 0
        return measured.high.jpeg if high else measured.medium.jpeg

    async def _measured(self, name: str, size: int) -> Measured | None:
        facts = await in_thread(self._load)
        found = facts.get(name)
        return found if found and found.bytes == size else None

    def _load(self) -> Mapping[str, Measured]:
        try:
            changed = (self._root / FILE).stat().st_mtime_ns
        except OSError:
            changed = 0
        if changed != self._changed:
            self._facts, self._changed = load_facts(self._root), changed
        return self._facts

    async def _exhibit(self, name: str) -> Exhibit | NotShown:
        """What is known without decoding, or why there is nothing to show."""
        try:
            source = await self._library.known(name)
            if source is None:
                return NotShown.GONE
            if source.media_type != AEZ:
                return NotShown.ORIGINAL
            found = await in_thread(lambda: api.info(source.data, max_pixels=self._max_pixels))
        except AezError:
            return NotShown.UNREADABLE
        measured = await self._measured(name, source.stored_bytes)
        of_medium, of_high = (measured.medium, measured.high) if measured else (None, None)
        measure = MEASURES[measured.metric] if measured else None
        url = "/" + quote(name)
        medium = Shown(
            "medium", f"{url}?res=medium", found.medium_width, found.medium_height, found.medium_bytes, of_medium
        )
        high = Shown("high", f"{url}?res=high", found.width, found.height, found.bytes, of_high)
        return Exhibit(name, url + SUFFIX, (medium, high), measure, _both(found.bytes, of_medium, of_high))


def _both(size: int, medium: Facts | None, high: Facts | None) -> Both | None:
    if not medium or not high:
        return None
    avif = medium.avif + high.avif if medium.avif and high.avif else None
    return Both(size, medium.jpeg + high.jpeg, avif)


@cache
def _template() -> Template:
    environment = Environment(loader=PackageLoader("aez.serve", ""), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("gallery.html.jinja")
