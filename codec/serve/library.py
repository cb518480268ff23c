"""What stands behind names: files of the folder, and what was pulled from the origin."""

import asyncio
from dataclasses import dataclass

from anyio.to_thread import run_sync
from cachetools import TTLCache

from .cache import Cache
from .encodings import Encodings
from .entries import Entries, Entry
from .folder import Folder, RecentFiles
from .names import SUFFIX
from .origin import OriginError, SlowOriginError, open_origin
from .pool import Pool
from .pulls import AEZ, Pulls
from .settings import Settings

_NAMES_SECONDS = 5.0


@dataclass(frozen=True)
class Source:
    """An .aez file or, as long as it is not encoded, an original; `tag` differs from that of any other content."""

    data: bytes
    media_type: str
    tag: str
    modified: float


class Library:
    """Finds sources; originals of the origin are encoded in the background."""

    def __init__(self, settings: Settings, cache: Cache, pool: Pool, folder: Folder) -> None:
        origin = open_origin(settings)
        self._folder = folder
        self._files = RecentFiles(folder)
        self._entries = Entries(cache, settings.max_age)
        self._pulls = Pulls(settings, self._entries, origin) if origin else None
        self._encodings = Encodings(settings, self._entries, pool)
        self._names: TTLCache[None, list[str]] = TTLCache(1, _NAMES_SECONDS)
        self._naming = asyncio.Lock()

    async def find(self, name: str) -> Source | None:
        """What stands behind a name with or without `SUFFIX`; for a name with it, always an .aez file.

        Raises:
            OriginError: it could be at the origin, which does not answer as it should.
            BusyError: it would have to be pulled or encoded first, and too much else waits for that.
            PictureError: it cannot be encoded.
        """
        plain = name.removesuffix(SUFFIX)
        stored = await self._stored(plain)
        if stored or not self._pulls:
            return stored
        entry = await self._pulls.get(plain)
        if entry.state == "missing":
            return None
        if entry.state != "there":
            raise (SlowOriginError if entry.state == "slow" else OriginError)(entry.data.decode())
        if entry.media_type != AEZ and name != plain:
            entry = await self._encodings.now(plain)
        elif entry.media_type != AEZ and not entry.final:
            self._encodings.later(plain)
        return _source(entry)

    async def known(self, plain: str) -> Source | None:
        """What is there without asking the origin, for a name without `SUFFIX`."""
        stored = await self._stored(plain)
        if stored or not self._pulls:
            return stored
        entry = await self._entries.get(plain)
        return _source(entry) if entry and entry.state == "there" else None

    async def names(self) -> list[str]:
        """All names that are known, without `SUFFIX`, as of some seconds ago; those of the origin as far as pulled."""
        async with self._naming:
            names = self._names.get(None)
            if names is None:
                stored = await run_sync(lambda: {name.removesuffix(SUFFIX) for name in self._folder.names()})
                pulled = await self._entries.names() if self._pulls else set()
                names = self._names[None] = sorted(stored | pulled)
            return names

    async def close(self) -> None:
        """Give up what has not begun."""
        self._encodings.close()
        if self._pulls:
            await self._pulls.close()

    async def _stored(self, plain: str) -> Source | None:
        name = plain + SUFFIX
        stored = self._files.get(name) or await run_sync(self._files.read, name)
        return Source(stored.data, AEZ, stored.tag, stored.modified) if stored else None


def _source(entry: Entry) -> Source:
    return Source(entry.data, entry.media_type, entry.tag, entry.modified)
