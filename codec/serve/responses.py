"""How a request is answered: a representation as RFC 9110 and 9111 have it, or one line that says what is wrong."""

import asyncio
import errno
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from werkzeug.datastructures import Range
from werkzeug.http import http_date, parse_date, parse_etags, parse_if_range_header, parse_range_header, quote_etag
from werkzeug.sansio.http import is_resource_modified

from ..errors import AezError, FormatError, ModelError, PictureError
from .middleware import exchange
from .origin import OriginError, SlowOriginError
from .threads import BusyError

Handler = Callable[[Request, Exception], Awaitable[Response]]

_SLICE_BYTES = 65_536  # what is sent at a time: of what slow clients have not taken yet, only so much is copied


@dataclass(frozen=True)
class Representation:
    """What is sent, without its bytes; `vary` names the headers of the request that it depends on."""

    media_type: str
    tag: str
    modified: float
    max_age: int
    vary: tuple[str, ...] = ()

    @property
    def last_modified(self) -> str:
        """As HTTP writes it; what is not from the past is from now."""
        return http_date(int(min(max(self.modified, 0), time.time())))


async def respond(request: Request, found: Representation, body: Callable[[], Awaitable[bytes]]) -> Response:
    """200, 206, 304, 412 or 416, as the request's conditions demand; the bytes are asked for where they are needed.

    HEAD gets them too; the server leaves them out.
    """
    etag = quote_etag(found.tag)
    headers = {
        "ETag": etag,
        "Last-Modified": found.last_modified,
        "Cache-Control": f"public, max-age={found.max_age}",
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if found.vary:
        headers["Vary"] = ", ".join(found.vary)
    given = request.headers
    wanted_tags = parse_etags(given.get("if-match"))
    if wanted_tags and not (wanted_tags.star_tag or wanted_tags.is_strong(found.tag)):
        return _plain(412, "it is another one by now\n")
    if not is_resource_modified(
        http_if_modified_since=_date(given.get("if-modified-since")),
        http_if_none_match=given.get("if-none-match"),
        etag=etag,
        last_modified=found.last_modified,
    ):
        return Response(status_code=304, headers=headers)
    data = await body()
    wanted = parse_range_header(given.get("range")) if request.method == "GET" else None
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) > 1 or not _same(given.get("if-range"), found):
        return _send(data, 200, found.media_type, headers)
    first, end = wanted.ranges[0]
    span = Range("bytes", [(max(first, -len(data)), end)]).range_for_length(len(data))
    if span is None:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(data)}", "Cache-Control": "no-store"})
    start, stop = span
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return _send(memoryview(data)[start:stop], 206, found.media_type, headers)


def _send(data: bytes | memoryview, status: int, media_type: str, headers: Mapping[str, str]) -> Response:
    if len(data) <= _SLICE_BYTES:
        return Response(bytes(data), status, headers, media_type)
    return StreamingResponse(
        _slices(memoryview(data)), status, {**headers, "Content-Length": str(len(data))}, media_type
    )


async def _slices(data: memoryview) -> AsyncIterator[memoryview]:
    for start in range(0, len(data), _SLICE_BYTES):
        yield data[start : start + _SLICE_BYTES]
        await asyncio.sleep(0)  # where nobody takes them any more, this is cancelled here


def _same(condition: str | None, found: Representation) -> bool:
    """Whether a range is of what the client has a part of already."""
    if condition is None:
        return True
    if not condition.startswith(('"', "W/")):
        return _date(condition) == found.last_modified
    return parse_if_range_header(condition).etag == found.tag


def _date(text: str | None) -> str | None:
    """A date as HTTP writes it; what is none, or beyond all calendars, is as if it were not there."""
    try:
        date = parse_date(text)
        return http_date(date) if date else None
    except (ValueError, OverflowError):
        return None


def _plain(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(text, status, {"Cache-Control": "no-store", **(headers or {})})


def _say(status: int, text: str = "", headers: Mapping[str, str] | None = None) -> Handler:
    """The text is that of the error unless given."""

    async def answer(request: Request, error: Exception) -> Response:
        return _plain(status, text or str(error), headers)

    return answer


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _plain(error.status_code, error.detail, error.headers)


async def _model_trouble(request: Request, error: Exception) -> Response:
    """What is wrong with the model, and where it lies on this machine, is for the log alone."""
    exchange(request).error = str(error)
    return _plain(500, "the model that this picture needs is not here, or does not work")


async def _disk_trouble(request: Request, error: Exception) -> Response:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return _plain(507, "the disk is full") if full else _plain(500, "the disk cannot be used")


REFUSALS: dict[type[Exception], Handler] = {
    HTTPException: _refuse,
    AezError: _say(500),
    FormatError: _say(422),
    PictureError: _say(422),
    ModelError: _model_trouble,
    BusyError: _say(503, "too much waits already", {"Retry-After": "1"}),
    MemoryError: _say(503, "not enough memory", {"Retry-After": "10"}),
    OriginError: _say(502),
    SlowOriginError: _say(504),
    IsADirectoryError: _say(409, "there is a folder of that name, or it leads elsewhere"),
    NotADirectoryError: _say(409, "there is a picture where the path needs a folder"),
    OSError: _disk_trouble,
    ClientDisconnect: _say(400, "the client has gone"),
}
