"""Representations as responses: entity tags, conditions, ranges and caching, as RFC 9110 and 9111 have them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from werkzeug.datastructures import Range
from werkzeug.http import http_date, parse_date, parse_if_range_header, parse_range_header, quote_etag
from werkzeug.sansio.http import is_resource_modified


@dataclass(frozen=True)
class Representation:
    """What is sent, without its bytes; `vary` names the headers of the request that it depends on."""

    media_type: str
    tag: str
    modified: float
    max_age: int
    vary: tuple[str, ...] = ()


async def respond(request: Request, found: Representation, body: Callable[[], Awaitable[bytes]]) -> Response:
    """200, 206, 304 or 416, as the request's conditions demand; the bytes are only asked for where they are needed.

    HEAD gets them too; the server leaves them out.
    """
    modified = http_date(int(found.modified))
    etag = quote_etag(found.tag)
    headers = {
        "ETag": etag,
        "Last-Modified": modified,
        "Cache-Control": f"public, max-age={found.max_age}",
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
    }
    if found.vary:
        headers["Vary"] = ", ".join(found.vary)
    given = request.headers
    if not is_resource_modified(
        http_if_modified_since=_date(given.get("if-modified-since")),
        http_if_none_match=given.get("if-none-match"),
        etag=etag,
        last_modified=modified,
    ):
        return Response(status_code=304, headers=headers)
    data = await body()
    wanted = parse_range_header(given.get("range")) if request.method == "GET" else None
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) > 1 or not _same(given.get("if-range"), found):
        return Response(data, media_type=found.media_type, headers=headers)
    first, end = wanted.ranges[0]
    span = Range("bytes", [(max(first, -len(data)), end)]).range_for_length(len(data))
    if span is None:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(data)}", "Cache-Control": "no-store"})
    start, stop = span
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return Response(data[start:stop], 206, media_type=found.media_type, headers=headers)


def _same(condition: str | None, found: Representation) -> bool:
    """Whether a range is of what the client has a part of already."""
    if condition is None:
        return True
    if not condition.startswith(('"', "W/")):
        return _date(condition) == http_date(int(found.modified))
    return parse_if_range_header(condition).etag == found.tag


def _date(text: str | None) -> str | None:
    """A date as HTTP writes it; what is none, or beyond all calendars, is as if it were not there."""
    try:
        date = parse_date(text)
        return http_date(date) if date else None
    except (ValueError, OverflowError):
        return None
