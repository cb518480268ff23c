"""Where a pull-through cache pulls from: a web server, or whatever fsspec knows.

Nothing that an origin does is trusted: it gets so much time, sends so many bytes at most, and redirects nowhere else.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Protocol
from urllib.parse import quote

import httpx
from anyio.to_thread import run_sync

from aez.batch.trees import LocalTree, RemoteTree, open_tree
from aez.errors import AezError
from aez.serve.settings import Settings

_REDIRECTS = 3
_VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}


class OriginError(AezError):
    """The origin does not answer as it should."""


class SlowOriginError(OriginError):
    """The origin does not answer in time."""


@dataclass(frozen=True)
class Fetched:
    """A file of the origin; `stamp` is for asking whether it has changed, `modified` when it did, if that is known."""

    data: bytes
    stamp: dict[str, str]
    modified: float | None


class Origin(Protocol):
    """A place with files."""

    async def fetch(self, name: str, stamp: Mapping[str, str]) -> Fetched | bool:
        """A file; True if it is still that of the stamp, False if there is none.

        Raises:
            OriginError: neither, or too large, or not in time.
        """

    async def close(self) -> None:
        """Close connections."""


def open_origin(settings: Settings) -> Origin | None:
    """The origin of the settings, if there is one.

    Raises:
        AezError: a package is missing for its URL.
    """
    place = settings.origin
    if place is None:
        return None
    if place.startswith(("http://", "https://")):
        return WebOrigin(place, settings.max_body, settings.origin_seconds)
    return TreeOrigin(open_tree(place), settings.max_body, settings.origin_seconds)


class WebOrigin:
    """A web server."""

    def __init__(self, url: str, max_bytes: int, seconds: float) -> None:
        self._url = httpx.URL(url.rstrip("/") + "/")
        self._max_bytes = max_bytes
        self._seconds = seconds
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=8)
        self._client = httpx.AsyncClient(timeout=seconds, limits=limits, headers={"Accept": "image/*, */*;q=0.1"})

    async def fetch(self, name: str, stamp: Mapping[str, str]) -> Fetched | bool:
        request = self._client.build_request("GET", str(self._url) + quote(name))
        request.headers.update({_VALIDATORS[key]: value for key, value in stamp.items() if key in _VALIDATORS})
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(request)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise SlowOriginError(f"the origin did not send {name} within {self._seconds:g} s") from error
        except httpx.HTTPError as error:
            raise OriginError(f"the origin did not send {name} ({error or type(error).__name__})") from error

    async def close(self) -> None:
        await self._client.aclose()

    async def _follow(self, request: httpx.Request) -> Fetched | bool:
        for _ in range(_REDIRECTS + 1):
            response = await self._client.send(request, stream=True)
            try:
                if response.next_request is None:
                    return await self._received(response)
                request = response.next_request
            finally:
                await response.aclose()
            if (request.url.scheme, request.url.netloc) != (self._url.scheme, self._url.netloc):
                raise OriginError(f"the origin redirects to {request.url.host}")
        raise OriginError("the origin redirects too often")

    async def _received(self, response: httpx.Response) -> Fetched | bool:
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return True
        if response.status_code in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
            return False
        if response.status_code != httpx.codes.OK:
            raise OriginError(f"the origin answers {response.status_code}")
        data = bytearray()
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > self._max_bytes:
                raise OriginError(f"the origin sends more than {self._max_bytes} bytes")
        stamp = {key: response.headers[key] for key in _VALIDATORS if key in response.headers}
        return Fetched(bytes(data), stamp, _seconds(response.headers.get("last-modified")))


@dataclass(frozen=True)
class TreeOrigin:
    """A folder, or a URL of another file system."""

    tree: LocalTree | RemoteTree
    max_bytes: int
    seconds: float

    async def fetch(self, name: str, stamp: Mapping[str, str]) -> Fetched | bool:
        try:
            async with asyncio.timeout(self.seconds):
                return await run_sync(self._fetch, name, stamp.get("stamp"), abandon_on_cancel=True)
        except TimeoutError as error:
            raise SlowOriginError(f"the origin did not send {name} within {self.seconds:g} s") from error

    async def close(self) -> None:
        pass

    def _fetch(self, name: str, known: str | None) -> Fetched | bool:
        try:
            stamp = self.tree.stamp(name)
            if stamp and stamp == known:
                return True
            data = self.tree.read(name, self.max_bytes + 1)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return False
        except (AezError, OSError) as error:
            raise OriginError(f"the origin did not send {name} ({error})") from error
        if len(data) > self.max_bytes:
            raise OriginError(f"the origin sends more than {self.max_bytes} bytes")
        return Fetched(data, {"stamp": stamp} if stamp else {}, None)


def _seconds(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None
