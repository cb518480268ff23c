"""Where a pull-through cache pulls from: a web server, a folder, or whatever fsspec knows.

Nothing that an origin does is trusted: it gets so much time, sends so many bytes at most, and redirects nowhere else.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol
from urllib.parse import quote, urlsplit, urlunsplit

import httpx
from werkzeug.http import parse_date

from ..errors import AezError, PictureError
from ..storage import RemoteTree, open_tree, without_secrets
from .folder import Folder
from .settings import ServerSettings
from .threads import DaemonThreads

_REDIRECTS = 3
_THREADS = 16
_VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
_NOT_IN_KEYS = "?#*[]"  # fsspec's file systems take some of them for versions or patterns


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


class NotSent(Enum):
    """Why an origin sends no file, although nothing is wrong."""

    UNCHANGED = "it is still that of the stamp"
    MISSING = "there is none"


class Origin(Protocol):
    """A place with files."""

    async def fetch(self, name: str, stamp: Mapping[str, str]) -> Fetched | NotSent:
        """A file, unless it is still that of the stamp.

        Raises:
            OriginError: the origin fails, or sends too much, or not in time.
        """

    async def close(self) -> None:
        """Close connections."""


def open_origin(settings: ServerSettings) -> Origin | None:
    """The origin of the settings, if there is one.

    Raises:
        AezError: it is no URL, a package is missing for it, or it is a folder that is not there.
    """
    place, limits = settings.origin, (settings.max_body, settings.origin_seconds)
    if place is None:
        return None
    if place.lower().startswith(("http://", "https://")):
        return WebOrigin(place, *limits)
    tree = open_tree(place)
    if isinstance(tree, RemoteTree):
        return TreeOrigin(tree, *limits)
    if not tree.root.is_dir():
        raise AezError(f"{tree} is not a folder")
    return TreeOrigin(FolderTree(Folder(tree.root, settings.max_body)), *limits)


class WebOrigin:
    """A web server. Names go behind the path of its URL; a query, such as a signature, is that of every request."""

    def __init__(self, url: str, max_bytes: int, seconds: float) -> None:
        try:
            self._url, self._parts = httpx.URL(url), urlsplit(url)
            self._parts.port  # noqa: B018 - raises if it is beyond all ports
        except (httpx.InvalidURL, ValueError) as error:
            raise AezError(without_secrets(f"{url}: not a URL ({error})")) from error
        if not self._url.host:
            raise AezError(f"{without_secrets(url)}: not a URL (no host)")
        self._max_bytes = max_bytes
        self._seconds = seconds
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=8)
        # A few kilobytes of a packed answer may become gigabytes.
        headers = {"Accept": "image/*, */*;q=0.1", "Accept-Encoding": "identity"}
        self._client = httpx.AsyncClient(timeout=seconds, limits=limits, headers=headers)

    async def fetch(self, name: str, stamp: Mapping[str, str]) -> Fetched | NotSent:
        path = f"{self._parts.path.rstrip('/')}/{quote(name)}"
        request = self._client.build_request("GET", urlunsplit(self._parts._replace(path=path, fragment="")))
        request.headers.update({_VALIDATORS[key]: value for key, value in stamp.items() if key in _VALIDATORS})
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(request)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise SlowOriginError("the origin does not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise OriginError("the origin does not answer as it should") from error

    async def close(self) -> None:
        await self._client.aclose()

    async def _follow(self, request: httpx.Request) -> Fetched | NotSent:
        for _ in range(_REDIRECTS + 1):
            response = await self._client.send(request, stream=True)
            try:
                if response.next_request is None:
                    return await self._received(response)
                request = response.next_request
            finally:
                await response.aclose()
            if (request.url.scheme, request.url.netloc) != (self._url.scheme, self._url.netloc):
                raise OriginError("the origin redirects to elsewhere")
        raise OriginError("the origin redirects too often")

    async def _received(self, response: httpx.Response) -> Fetched | NotSent:
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return NotSent.UNCHANGED
        if response.status_code in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
            return NotSent.MISSING
        if response.status_code != httpx.codes.OK:
            raise OriginError(f"the origin answers {response.status_code}")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise OriginError("the origin packs what it sends")
        data = bytearray()
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > self._max_bytes:
                raise OriginError(f"the origin sends more than {self._max_bytes} bytes")
        found = {key: response.headers.get(key, "") for key in _VALIDATORS}
        stamp = {key: value for key, value in found.items() if value and value.isascii()}  # others cannot be sent back
        return Fetched(bytes(data), stamp, _seconds(response.headers.get("last-modified")))


@dataclass(frozen=True)
class FolderTree:
    """A folder as an origin: no name leads out of it."""

    folder: Folder

    def stamp(self, name: str) -> str:
        return self.folder.tag(name) or ""

    def read(self, name: str, at_most: int) -> bytes:
        stored = self.folder.read(name)
        if stored is None and not self.folder.root.is_dir():
            raise OSError(f"{self.folder.root} is gone")
        if stored is None:
            raise FileNotFoundError(name)
        return stored.data


class TreeOrigin:
    """A folder, or a URL of a file system of fsspec."""

    def __init__(self, tree: FolderTree | RemoteTree, max_bytes: int, seconds: float) -> None:
        self._tree = tree
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._threads = DaemonThreads(_THREADS)

    async def fetch(self, name: str, stamp: Mapping[str, str]) -> Fetched | NotSent:
        if isinstance(self._tree, RemoteTree) and any(letter in name for letter in _NOT_IN_KEYS):
            return NotSent.MISSING
        try:
            return await self._threads.run(lambda: self._fetch(name, stamp.get("stamp")), self._seconds)
        except TimeoutError as error:
            raise SlowOriginError("the origin does not answer in time") from error

    async def close(self) -> None:
        pass

    def _fetch(self, name: str, known: str | None) -> Fetched | NotSent:
        try:
            stamp = self._tree.stamp(name)
            if stamp and stamp == known:
                return NotSent.UNCHANGED
            data = self._tree.read(name, self._max_bytes + 1)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return NotSent.MISSING
        except PictureError as error:
            raise OriginError(f"at the origin, {error}") from error
        except (AezError, OSError) as error:
            raise OriginError("the origin does not answer as it should") from error
        if len(data) > self._max_bytes:
            raise OriginError(f"the origin sends more than {self._max_bytes} bytes")
        return Fetched(data, {"stamp": stamp} if stamp else {}, None)


def _seconds(date: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date that is not in the future."""
    try:
        found = parse_date(date)
        return min(max(found.timestamp(), 0), time.time()) if found else None
    except (ValueError, OverflowError):
        return None
