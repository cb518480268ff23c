"""What goes wrong, as a plain status and one line that nobody keeps."""

import errno
from collections.abc import Awaitable, Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from ..errors import AezError
from .origin import OriginError, SlowOriginError
from .pool import BusyError

Handler = Callable[[Request, Exception], Awaitable[Response]]


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


async def _disk_trouble(request: Request, error: Exception) -> Response:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return _plain(507, "the disk is full") if full else _plain(500, "the disk cannot be used")


REFUSALS: dict[type[Exception], Handler] = {
    HTTPException: _refuse,
    AezError: _say(422),
    BusyError: _say(503, "too much waits already", {"Retry-After": "1"}),
    MemoryError: _say(503, "not enough memory", {"Retry-After": "10"}),
    OriginError: _say(502),
    SlowOriginError: _say(504),
    IsADirectoryError: _say(409, "there is a folder of that name, or it leads elsewhere"),
    NotADirectoryError: _say(409, "there is a picture where the path needs a folder"),
    OSError: _disk_trouble,
    ClientDisconnect: _say(400, "the client has gone"),
}
