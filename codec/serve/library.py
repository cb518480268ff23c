"""What stands behind names: files of the folder, and what was pulled from the origin."""

import asyncio
import time
from dataclasses import dataclass

from anyio.to_thread import run_sync
from cachetools import TTLCache

from .cache import Cache
from .folder import SUFFIX, Folder, RecentFiles
from .origin import OriginError, SlowOriginError, open_origin
from .pull import PullThrough
from .pulled import Pulled, PulledFiles
from .requests import AEZ
from .settings import ServerSettings
from .threads import CodingPool

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

    def __init__(self, settings: ServerSettings, folder: Folder, cache: Cache, pool: CodingPool) -> None:
        origin = open_origin(settings)
        self._folder = folder
        self._recent = RecentFiles(folder)
        self._pulled = PulledFiles(cache, settings)
        self._pull = PullThrough(settings, self._pulled, origin, pool) if origin else None
        self._names: TTLCache[None, list[str]] = TTLCache(1, _NAMES_SECONDS)
        self._naming = asyncio.Lock()

    async def find(self, name: str) -> Source | None:
        """What stands behind a name with or without `SUFFIX`; for a name with it, always an .aez file.

        Raises:
            OriginError: it could be at the origin, which does not answer as it should.
            BusyError: it would have to be pulled or encoded first, and too much else waits for that.
            PictureError: it cannot be encoded.
            ModelError, MemoryError: it cannot be encoded here and now.
        """
        plain = name.removesuffix(SUFFIX)
        stored = await self._stored(plain)
        if stored or not self._pull:
            return stored
        pulled = await self._pull.get(plain)
        if pulled.state == "missing":
            return None
        if pulled.state != "there":
            raise (SlowOriginError if pulled.state == "slow" else OriginError)(pulled.data.decode())
        if pulled.media_type != AEZ and name != plain:
            pulled = await self._pull.encoded(plain)
        elif pulled.media_type != AEZ and pulled.in_vain_until < time.time():
            self._pull.encode_later(plain)
        return _source(pulled)

    async def known(self, plain: str) -> Source | None:
        """What is there without asking the origin, for a name without `SUFFIX`."""
        stored = await self._stored(plain)
        if stored or not self._pull:
            return stored
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
                stored = await run_sync(lambda: {name.removesuffix(SUFFIX) for name in self._folder.names()})
                pulled = await self._pulled.names() if self._pull else set()
                names = self._names[None] = sorted(stored | pulled)
            return names

    async def close(self) -> None:
        """Give up what has not begun."""
        if self._pull:
            await self._pull.close()

    async def _stored(self, plain: str) -> Source | None:
        name = plain + SUFFIX
        stored = self._recent.get(name) or await run_sync(self._recent.read, name)
        return Source(stored.data, AEZ, stored.tag, stored.modified) if stored else None


def _source(pulled: Pulled) -> Source:
    return Source(pulled.data, pulled.media_type, pulled.tag, pulled.modified)
