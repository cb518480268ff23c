"""Listening, and what uvicorn is told: how many connections there may be, and when one of them is closed.

uvicorn's supervisor, its mark of a failed start and the insides of its protocol are not promised to stay as they are;
pyproject.toml names the newest version that was tried.
"""

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.supervisors import Multiprocess

from ..errors import AezError

if TYPE_CHECKING:
    from starlette.applications import Starlette

_HEADER_BYTES = 16_384
_CONNECTIONS = 1000
_GRACE_SECONDS = 30
_LEAST_BYTES = 10_000
# What the system holds back for a client is not to be seen from here, and may be megabytes unless that is limited.
_UNSENT_OPTION: int | None = getattr(socket, "TCP_NOTSENT_LOWAT", None)
_UNSENT_BYTES = 65_536


def listen(host: str, port: int) -> socket.socket:
    """A socket at which clients can connect; port 0 is any free one.

    Raises:
        OSError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.getaddrinfo(host or None, port, family)
        return socket.create_server((host, port), family=family, backlog=2048)
    except UnicodeError as error:
        raise OSError(errno.EINVAL, "not the name of a host", host) from error
    except socket.gaierror as error:
        raise OSError(error.errno, error.strerror, f"{host}:{port}") from error
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), f"{host}:{port}") from error


def url_of(listening: socket.socket) -> str:
    """Where a client finds a socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(create_app: "Callable[[], Starlette]", listening: socket.socket, workers: int, patience: float) -> None:
    """Answer requests in so many processes until told to stop; then those that run are finished.

    A connection has `patience` seconds to show that it is alive. `create_app` is called in each process.

    Raises:
        AezError: no process could start.
    """
    _allow_open_files()
    config = uvicorn.Config(
        create_app,
        factory=True,
        workers=workers,
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        timeout_keep_alive=max(1, round(patience)),
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # uvicorn's own handlers stop it, and then raise the signal again
    if workers == 1:
        server = uvicorn.Server(config)
        server.run([listening])
        started = server.started
    else:
        supervisor = Multiprocess(config, [listening])
        supervisor.run()
        started = all(process.exitcode != STARTUP_FAILURE for process in supervisor.processes)
    if not started:
        raise AezError("the server could not start")


def _allow_open_files() -> None:
    """As many as the system lets us have: often the limit is 1024 until one asks, and a connection is a file too."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS says "unlimited", and means it not
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with a look at every connection as often as its keep-alive lasts.

    A connection is closed if no request has become whole since the last look and none is being answered, or if its
    client has taken less than 10 kB of an answer since then.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None and _UNSENT_OPTION is not None:
            connection.setsockopt(socket.IPPROTO_TCP, _UNSENT_OPTION, _UNSENT_BYTES)
        self._unsent, self._unsent_since = 0, 0
        self._idle_since = -1
        self._requests = self._resumed = 0
        self._look = self.loop.call_later(self.timeout_keep_alive, self._look_at_it)

    def connection_lost(self, exc: Exception | None) -> None:
        self._look.cancel()
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        self._resumed += 1
        super().resume_writing()

    def on_response_complete(self) -> None:
        self._requests += 1
        super().on_response_complete()

    def _look_at_it(self) -> None:
        cycle: Any = self.cycle
        unsent = self.transport.get_write_buffer_size()
        progress = self._requests + self._resumed  # where it has grown, the client has taken what waited then
        same = self._unsent_since == progress
        stuck = same and self._unsent > 0 and unsent > max(0, self._unsent - _LEAST_BYTES)
        idle = not unsent and (cycle is None or cycle.response_complete)
        if stuck or (idle and self._idle_since == self._requests):
            self.transport.abort()
            return
        self._unsent, self._unsent_since = unsent, progress
        self._idle_since = self._requests if idle else -1
        self._look = self.loop.call_later(self.timeout_keep_alive, self._look_at_it)
