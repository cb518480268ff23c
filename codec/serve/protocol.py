"""Connections of clients that neither ask nor take what they asked for are closed."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

_LEAST_BYTES = 10_000


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with a look at every connection as often as its keep-alive lasts.

    A connection is closed if no request has become whole since the last look and none is being answered, or if its
    client has taken less than 10 kB of an answer since then.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._unsent, self._unsent_since = 0, 0
        self._idle_since = -1
        self._requests = 0
        self._look = self.loop.call_later(self.timeout_keep_alive, self._look_at_it)

    def connection_lost(self, exc: Exception | None) -> None:
        self._look.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._requests += 1
        super().on_response_complete()

    def _look_at_it(self) -> None:
        cycle: Any = self.cycle
        unsent = self.transport.get_write_buffer_size()
        same = self._unsent_since == self._requests  # otherwise the client has taken what waited then
        stuck = same and self._unsent > 0 and unsent > max(0, self._unsent - _LEAST_BYTES)
        idle = not unsent and (cycle is None or cycle.response_complete)
        if stuck or (idle and self._idle_since == self._requests):
            self.transport.abort()
            return
        self._unsent, self._unsent_since = unsent, self._requests
        self._idle_since = self._requests if idle else -1
        self._look = self.loop.call_later(self.timeout_keep_alive, self._look_at_it)
