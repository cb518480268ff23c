"""Around every request: a time limit, a line in the log, and the counters."""

import asyncio
import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import counters

_CANCELLED = 499  # as in nginx's logs: the client has gone


@dataclass
class Exchange:
    """What the log says of a request besides the request: handlers fill in `route`, `cache` and `error`.

    `seconds` last until the answer begins; how long it takes to be sent is up to the client.
    """

    route: str = "refused"
    cache: str | None = None
    status: int = _CANCELLED
    sent: int = 0
    seconds: float | None = None
    error: str | None = None


def exchange(request: Request) -> Exchange:
    """The exchange that a request belongs to."""
    found: Exchange = request.scope["aez.exchange"]
    return found


class Guard:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        now = scope["aez.exchange"] = Exchange()
        started = time.perf_counter()
        limit = asyncio.timeout(self._seconds)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                now.status = message["status"]
                now.seconds = time.perf_counter() - started
                if not limit.expired():
                    limit.reschedule(None)
            elif scope["method"] != "HEAD":
                now.sent += len(message.get("body", b""))
            await send(message)

        try:
            async with limit:
                await self._app(scope, receive, watched)
        except TimeoutError:
            if now.status == _CANCELLED:
                await PlainTextResponse("this took too long", 503, {"Retry-After": "5"})(scope, receive, watched)
        except asyncio.CancelledError:  # the server ends, and would say so with a traceback
            if now.seconds is None:
                raise
        except Exception:
            now.status = 500
            raise
        finally:
            self._account(scope, now, now.seconds or time.perf_counter() - started)

    def _account(self, scope: Scope, now: Exchange, seconds: float) -> None:
        counters.REQUESTS.labels(now.route, _known_method(scope["method"]), now.status).inc()
        counters.SECONDS.labels(now.route).observe(seconds)
        counters.SENT_BYTES.labels(now.route).inc(now.sent)
        line: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "client": (scope["client"] or ["-"])[0],
            "method": scope["method"],
            "path": scope["raw_path"].decode("ascii", "replace"),
            "query": scope["query_string"].decode("ascii", "replace"),
            "status": now.status,
            "bytes": now.sent,
            "seconds": round(seconds, 4),
            "route": now.route,
            "cache": now.cache,
            "agent": Headers(scope=scope).get("user-agent"),
        }
        if now.error is not None:
            line["error"] = now.error
        with suppress(OSError):  # nobody reads it, or the disk is full: no reason to answer nobody
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()


def _known_method(method: str) -> str:
    return method if method in ("GET", "HEAD", "PUT", "DELETE") else "other"
