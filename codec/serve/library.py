"""What stands behind names: files of the folder, and what was pulled from the origin."""

import asyncio
import threading
import time
from dataclasses import dataclass

from cachetools import LRUCache, TTLCache
from starlette.exceptions import HTTPException

from ..format.strip import without_metadata
from .cache import Cache
from .folder import SUFFIX, Folder
from .origin import OriginError, SlowOriginError, open_origin
from .pull import PullThrough
from .pulled import Pulled, PulledFiles
from .requests import AEZ, check_name
from .settings import ServerSettings
from .threads import CodingPool, in_thread

_NAMES_SECONDS = 5.0
_RECENT_BYTES = 64_000_000


@dataclass(frozen=True)
class Source:
    """An .aez file as it is sent or, as long as it is not encoded, an original.

    `tag` differs from that of any other content; `stored_bytes` is the size of the file as it lies in the folder.
    """

    data: bytes
    media_type: str
    tag: str
    modified: float
    stored_bytes: int


class Library:
    """Finds sources; originals of the origin are encoded in the background."""

    def __init__(self, settings: ServerSettings, folder: Folder, cache: Cache, pool: CodingPool) -> None:
        origin = open_origin(settings)
        self._folder = folder
        self._own = _FolderSources(folder, settings.keep_metadata)
        self._pulled = PulledFiles(cache, settings)
        self._pull = PullThrough(settings, self._pulled, origin, pool) if origin else None
        self._names: TTLCache[None, list[str]] = TTLCache(1, _NAMES_SECONDS)
        self._naming = asyncio.Lock()

    async def find(self, name: str) -> Source | None:
        """What stands behind a name with or without `SUFFIX`; for a name with it, always an .aez file.

        Raises:
            FormatError: the file of the folder is no .aez file.
            PictureError: it is too large, or the origin's cannot be encoded.
            OriginError: it could be at the origin, which does not answer as it should.
            BusyError: it would have to be pulled or encoded first, and too much else waits for that.
            ModelError, MemoryError: it cannot be encoded here and now.
        """
        plain = name.removesuffix(SUFFIX)
        own = await in_thread(self._own.find, plain + SUFFIX)
        if own or not self._pull:
            return own
        pulled = await self._pull.get(plain)
        if pulled.state == "missing":
            return None
        if pulled.state != "there":
            raise (SlowOriginError if pulled.state == "slow" else OriginError)(pulled.data.decode())
        if pulled.media_type != AEZ and name != plain:
            pulled = await self._pull.encoded(plain, pulled)
        elif pulled.media_type != AEZ and pulled.in_vain_until < time.time():
            self._pull.encode_later(plain)
        return _source(pulled)

    async def known(self, plain: str) -> Source | None:
        """What is there without asking the origin, for a name without `SUFFIX`.

        Raises:
            FormatError, PictureError: as `find`.
        """
        own = await in_thread(self._own.find, plain + SUFFIX)
        if own or not self._pull:
            return own
        pulled = await self._pulled.get(plain)
        return _source(pulled) if pulled and pulled.state == "there" else None

    async def distrust(self, name: str, source: Source) -> None:
        """What cannot be decoded is pulled anew, if it is from the origin."""
        if self._pull:
            await self._pull.distrust(name.removesuffix(SUFFIX), source.tag)

    async def names(self) -> list[str]:
        """All names that are known, without `SUFFIX`, as of some seconds ago; those of the origin as far as pulled."""
        async with self._naming:
            names = self._names.get(None)
            if names is None:
                pulled = await self._pulled.names() if self._pull else set()
                names = self._names[None] = await in_thread(self._all_names, pulled)
            return names

    async def close(self) -> None:
        """Give up what has not begun."""
        if self._pull:
            await self._pull.close()

    def _all_names(self, pulled: set[str]) -> list[str]:
        return sorted(pulled | {name.removesuffix(SUFFIX) for name in self._folder.names() if _can_be_asked_for(name)})


class _FolderSources:
    """Files of the folder as sources, from memory where they were just read and have not changed since."""

    def __init__(self, folder: Folder, keep_metadata: bool) -> None:
        self._folder = folder
        self._keep_metadata = keep_metadata
        self._recent: LRUCache[tuple[str, str], Source] = LRUCache(
            _RECENT_BYTES, getsizeof=lambda source: len(source.data)
        )
        self._lock = threading.Lock()

    def find(self, name: str) -> Source | None:
        """A file with its suffix, if there is one.

        Raises:
            FormatError: it is no .aez file.
            PictureError: it is too large.
        """
        tag = self._folder.tag(name) or ""
        with self._lock:
            recent = self._recent.get((name, tag))
        if recent:
            return recent
        stored = self._folder.read(name)
        if stored is None:
            return None
        if self._keep_metadata:
            source = Source(stored.data, AEZ, stored.tag, stored.modified, len(stored.data))
        else:
            data = without_metadata(stored.data)
            source = Source(data, AEZ, f"{stored.tag}-stripped", stored.modified, len(stored.data))
        if len(source.data) < _RECENT_BYTES / 8:
            with self._lock:
                self._recent[name, stored.tag] = source
        return source


def _can_be_asked_for(name: str) -> bool:
    try:
        check_name(name)
    except HTTPException:
        return False
    return True


def _source(pulled: Pulled) -> Source:
    return Source(pulled.data, pulled.media_type, pulled.tag, pulled.modified, len(pulled.data))
