"""The page of all pictures."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from anyio.to_thread import run_sync
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from rich.filesize import decimal
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from aez import api
from aez.errors import AezError
from aez.serve.facts import FILE, Facts, Measured, load_facts
from aez.serve.library import AEZ, Library
from aez.serve.names import SUFFIX
from aez.serve.variants import ACCEPT_CH

PER_PAGE = 24
_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class Resolution:
    """One of the two pictures of a file as the page shows it."""

    name: str
    url: str
    width: int
    height: int
    bytes: int
    facts: Facts | None


@dataclass(frozen=True)
class Picture:
    """A file as the page shows it."""

    name: str
    url: str
    resolutions: tuple[Resolution, ...]


class MeasuredFacts:
    """The facts of a folder, read again when they have changed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._changed = 0
        self._facts: dict[str, Measured] = {}

    def of(self, name: str, size: int) -> Measured | None:
        """What was measured of a file of that size."""
        try:
            changed = os.stat(self._root / FILE).st_mtime_ns  # noqa: PTH116
        except OSError:
            changed = 0
        if changed != self._changed:
            self._changed, self._facts = changed, load_facts(self._root)
        found = self._facts.get(name)
        return found if found and found.bytes == size else None


async def gallery_page(request: Request, library: Library, facts: MeasuredFacts) -> HTMLResponse:
    """One page of the gallery.

    Raises:
        HTTPException: 404, there is no such page.
    """
    names = await library.names()
    pages = max(1, -(-len(names) // PER_PAGE))
    try:
        page = int(request.query_params.get("page", "1"))
    except ValueError:
        page = 0
    if not 1 <= page <= pages:
        raise HTTPException(404, "there is no such page")
    shown = [await _picture(library, facts, name) for name in names[PER_PAGE * (page - 1) : PER_PAGE * page]]
    body = await run_sync(
        lambda: _template().render(
            pictures=[picture for picture in shown if picture], count=len(names), page=page, pages=pages, size=decimal
        )
    )
    headers = {"Content-Security-Policy": _POLICY, "Accept-CH": ACCEPT_CH, "Cache-Control": "no-cache"}
    return HTMLResponse(body, headers=headers)


async def _picture(library: Library, facts: MeasuredFacts, name: str) -> Picture | None:
    """What is known without decoding; None where there is nothing to show."""
    source = await library.known(name)
    if source is None or source.media_type != AEZ:
        return None
    try:
        found = api.info(source.data)
    except AezError:
        return None
    measured = facts.of(name, found.bytes)
    of_medium, of_high = (measured.medium, measured.high) if measured else (None, None)
    url = "/" + quote(name)
    return Picture(
        name,
        url + SUFFIX,
        (
            Resolution(
                "medium",
                f"{url}?res=medium",
                found.medium_width,
                found.medium_height,
                found.medium_bytes,
                of_medium,
            ),
            Resolution("high", f"{url}?res=high", found.width, found.height, found.bytes, of_high),
        ),
    )


@cache
def _template() -> Template:
    environment = Environment(loader=PackageLoader("aez.serve", ""), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("gallery.html.jinja")
