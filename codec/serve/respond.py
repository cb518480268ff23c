"""Representations as responses: entity tags, conditions, ranges and caching, as RFC 9110 and 9111 have them."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from werkzeug.datastructures import Range
from werkzeug.http import http_date, parse_if_range_header, parse_range_header, quote_etag
from werkzeug.sansio.http import is_resource_modified


@dataclass(frozen=True)
class Representation:
    """Bytes as they are sent; `vary` names the headers of the request that they depend on."""

    body: bytes
    media_type: str
    tag: str
    modified: float
    max_age: int
    vary: tuple[str, ...] = ()


def respond(request: Request, found: Representation) -> Response:
    """200, 206, 304 or 416, as the request's conditions demand; HEAD is left to the server."""
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
        http_if_modified_since=given.get("if-modified-since"),
        http_if_none_match=given.get("if-none-match"),
        etag=etag,
        last_modified=modified,
    ):
        return Response(status_code=304, headers=headers)
    wanted = parse_range_header(given.get("range")) if request.method == "GET" else None
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) > 1 or not _same(request, found.tag, modified):
        return Response(found.body, media_type=found.media_type, headers=headers)
    first, end = wanted.ranges[0]
    span = Range("bytes", [(max(first, -len(found.body)), end)]).range_for_length(len(found.body))
    if span is None:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{len(found.body)}"})
    start, stop = span
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(found.body)}"
    return Response(found.body[start:stop], 206, media_type=found.media_type, headers=headers)


def _same(request: Request, tag: str, modified: str) -> bool:
    """Whether a range is of what the client has a part of already."""
    condition = parse_if_range_header(request.headers.get("if-range"))
    if condition.etag is not None:
        return condition.etag == tag
    return condition.date is None or http_date(condition.date) == modified
