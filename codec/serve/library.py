"""What stands behind names: files of the folder, and what was pulled from the origin."""

import asyncio
import hashlib
import json
import time
from dataclasses import asdict, dataclass, replace
from typing import Literal

from anyio.to_thread import run_sync

from aez.contents import Contents
from aez.errors import AezError, FormatError, PictureError
from aez.files import encode_bytes, open_picture
from aez.serve.cache import Cache
from aez.serve.flights import Flights
from aez.serve.folder import Folder
from aez.serve.names import SUFFIX
from aez.serve.origin import Fetched, Origin, OriginError, SlowOriginError
from aez.serve.pool import BusyError, Pool
from aez.serve.settings import Settings

AEZ = "image/aez"
_SERVED = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}
_MISSING_SECONDS = 60.0
_FAILED_SECONDS = 10.0
_MOST_ENCODINGS = 100
_PREFIX = "origin/"


@dataclass(frozen=True)
class Source:
    """An .aez file or, as long as it is not encoded, an original; `tag` differs from that of any other content."""

    data: bytes
    media_type: str
    tag: str
    modified: float


@dataclass(frozen=True)
class Entry:
    """What is known of a name at the origin: whose file it is there, and since when this was true.

    `final` originals are never encoded, since they cannot be or would grow.
    """

    state: Literal["there", "missing", "failed", "slow"]
    checked: float
    data: bytes = b""
    place: str = ""
    stamp: dict[str, str] | None = None
    media_type: str = ""
    modified: float = 0.0
    final: bool = False

    def pack(self) -> bytes:
        """As bytes."""
        facts = asdict(replace(self, data=b""))
        del facts["data"]
        return json.dumps(facts).encode() + b"\n" + self.data

    @staticmethod
    def unpack(packed: bytes) -> "Entry":
        """From bytes."""
        facts, _, data = packed.partition(b"\n")
        return Entry(**json.loads(facts), data=data)

    def source(self) -> Source:
        """What is served of it."""
        return Source(self.data, self.media_type, hashlib.sha256(self.data).hexdigest()[:16], self.modified)


class Library:
    """Finds sources; originals of the origin are encoded once, in the background."""

    def __init__(
        self, settings: Settings, cache: Cache, flights: Flights, pool: Pool, origin: Origin | None, folder: Folder
    ) -> None:
        self.folder = folder
        self._settings = settings
        self._cache = cache
        self._flights = flights
        self._pool = pool
        self._origin = origin
        self._encodings: dict[str, asyncio.Task[None]] = {}
        self._one_encoding = asyncio.Semaphore(1)

    async def find(self, name: str) -> Source | None:
        """What stands behind a name with or without `SUFFIX`; for a name with it, always an .aez file.

        Raises:
            OriginError: it could be at the origin, which does not answer as it should.
            BusyError: it would have to be encoded first, and too much else waits for that.
            PictureError: it cannot be encoded.
        """
        plain = name.removesuffix(SUFFIX)
        stored = await self._stored(plain)
        if stored:
            return stored
        entry = await self._pulled(plain) if self._origin else None
        if entry is None or entry.state == "missing":
            return None
        if entry.state != "there":
            raise _ERRORS[entry.state](entry.data.decode())
        if entry.media_type != AEZ and name != plain:
            entry = await self._encode(plain)
        elif entry.media_type != AEZ and not entry.final:
            self._encode_later(plain)
        return entry.source()

    async def known(self, plain: str) -> Source | None:
        """What is there without asking the origin, for a name without `SUFFIX`."""
        stored = await self._stored(plain)
        if stored:
            return stored
        entry = await self._entry(plain) if self._origin else None
        return entry.source() if entry and entry.state == "there" else None

    async def names(self) -> list[str]:
        """All names that are known, without `SUFFIX`; those of the origin as far as they were asked for."""
        stored = await run_sync(lambda: [name.removesuffix(SUFFIX) for name in self.folder.names()])
        pulled = await self._cache.keys(_PREFIX) if self._origin else []
        return sorted({*stored, *(key.removeprefix(_PREFIX) for key in pulled)})

    async def close(self) -> None:
        """Give up what has not begun."""
        for task in self._encodings.values():
            task.cancel()
        if self._origin:
            await self._origin.close()

    async def _stored(self, plain: str) -> Source | None:
        name = plain + SUFFIX
        stored = self.folder.recent(name) or await run_sync(self.folder.read, name)
        return Source(stored.data, AEZ, stored.tag, stored.modified) if stored else None

    async def _entry(self, plain: str) -> Entry | None:
        packed = await self._cache.get(_PREFIX + plain)
        return Entry.unpack(packed) if packed else None

    async def _fresh(self, plain: str) -> Entry | None:
        entry = await self._entry(plain)
        if entry is None:
            return None
        lasts = {"there": self._settings.max_age, "missing": _MISSING_SECONDS}.get(entry.state, _FAILED_SECONDS)
        return entry if time.time() - entry.checked < lasts else None

    async def _pulled(self, plain: str) -> Entry:
        fresh = await self._fresh(plain)
        if fresh is None:
            fresh = await self._flights.once(f"pull/{plain}", lambda: self._fresh(plain), lambda: self._pull(plain))
        return fresh

    async def _pull(self, plain: str) -> Entry:
        """Ask the origin. Where it fails, what it said before is still good for a while."""
        old = await self._entry(plain)
        now = time.time()
        try:
            entry = await self._ask(plain, old, now)
        except OriginError as error:
            if old and old.state == "there":
                entry = replace(old, checked=now - self._settings.max_age + _FAILED_SECONDS)
            else:
                entry = Entry("slow" if isinstance(error, SlowOriginError) else "failed", now, str(error).encode())
        lasts = None if entry.state == "there" else _MISSING_SECONDS
        await self._cache.put(_PREFIX + plain, entry.pack(), lasts)
        return entry

    async def _ask(self, plain: str, old: Entry | None, now: float) -> Entry:
        assert self._origin
        for place in (plain + SUFFIX, plain):
            same = old is not None and old.state == "there" and old.place == place
            found = await self._origin.fetch(place, old.stamp or {} if old and same else {})
            if isinstance(found, Fetched):
                media_type = await run_sync(_media_type, place, found.data)
                return Entry("there", now, found.data, place, found.stamp, media_type, found.modified or now)
            if found and old:
                return replace(old, checked=now)
        return Entry("missing", now)

    def _encode_later(self, plain: str) -> None:
        async def encode() -> None:
            try:
                async with self._one_encoding:
                    await self._encode(plain)
            except (AezError, BusyError):
                pass  # the next request tries again, unless that is known to be in vain
            finally:
                del self._encodings[plain]

        if plain not in self._encodings and len(self._encodings) < _MOST_ENCODINGS:
            self._encodings[plain] = asyncio.create_task(encode())

    async def _encode(self, plain: str) -> Entry:
        """The .aez of an original that was pulled."""

        async def find() -> Entry | None:
            entry = await self._entry(plain)
            if entry and entry.final:
                raise PictureError(f"{plain} cannot be encoded, or would grow")
            return entry if entry and entry.media_type == AEZ else None

        async def make() -> Entry:
            entry = await self._entry(plain)
            if entry is None or entry.state != "there":
                raise OriginError(f"{plain} is no longer there")
            original = entry.data
            try:
                data = await self._pool.run(
                    lambda: encode_bytes(original, self._settings.quality, **self._settings.encoding)
                )
                new = replace(entry, data=data, media_type=AEZ) if len(data) < len(original) else None
            except AezError:
                new = None
            await self._cache.put(_PREFIX + plain, (new or replace(entry, final=True)).pack())
            if new is None:
                raise PictureError(f"{plain} cannot be encoded, or would grow")
            return new

        return await self._flights.once(f"encode/{plain}", find, make)


_ERRORS = {"failed": OriginError, "slow": SlowOriginError}


def _media_type(place: str, data: bytes) -> str:
    """What a file of the origin really is.

    Raises:
        OriginError: nothing that is served.
    """
    try:
        if place.endswith(SUFFIX):
            Contents(data)
            return AEZ
        with open_picture(data) as image:
            return _SERVED[str(image.format)]
    except (FormatError, PictureError, KeyError) as error:
        raise OriginError(f"the origin sends as {place} what is no such picture") from error
