"""What stands behind names: files of the folder, and what was pulled from the origin."""

import asyncio
import hashlib
import json
import time
from dataclasses import asdict, dataclass, replace
from typing import Literal

from anyio.to_thread import run_sync
from cachetools import TTLCache

from aez.contents import Contents
from aez.errors import AezError, FormatError, PictureError
from aez.files import encode_bytes, open_picture
from aez.serve.cache import Cache
from aez.serve.flights import Flights
from aez.serve.folder import Folder, RecentFiles
from aez.serve.names import SUFFIX
from aez.serve.origin import Fetched, Origin, OriginError, SlowOriginError
from aez.serve.pool import BusyError, Pool
from aez.serve.settings import Settings

AEZ = "image/aez"
_SERVED = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}
_MISSING_SECONDS = 60.0
_FAILED_SECONDS = 10.0
_RECENT_SECONDS, _RECENT_BYTES = 1.0, 64_000_000
_NAMES_SECONDS = 5.0
_MOST_PULLS = 100
_MOST_ENCODINGS = 100
_THERE, _ABSENT = "origin-1/there/", "origin-1/absent/"  # the number is that of the fields of `Entry`


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

    `final` originals are never encoded, since they cannot be or would grow. `data` says why where it is not there.
    """

    state: Literal["there", "missing", "failed", "slow"]
    checked: float
    data: bytes = b""
    place: str = ""
    stamp: dict[str, str] | None = None
    media_type: str = ""
    modified: float = 0.0
    tag: str = ""
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
        return Source(self.data, self.media_type, self.tag, self.modified)


class Library:
    """Finds sources; originals of the origin are encoded once, in the background."""

    def __init__(self, settings: Settings, cache: Cache, pool: Pool, origin: Origin | None, folder: Folder) -> None:
        self._settings = settings
        self._cache = cache
        self._pool = pool
        self._origin = origin
        self._folder = folder
        self._files = RecentFiles(folder)
        self._entries: TTLCache[str, Entry] = TTLCache(
            _RECENT_BYTES, _RECENT_SECONDS, getsizeof=lambda entry: 200 + len(entry.data)
        )
        self._names: TTLCache[None, list[str]] = TTLCache(1, _NAMES_SECONDS)
        self._naming = asyncio.Lock()
        self._pulls = Flights(settings.own / "pulls")
        self._encodes = Flights(settings.own / "encodes")
        self._encodings: dict[str, asyncio.Task[None]] = {}
        self._one_encoding = asyncio.Semaphore(1)

    async def find(self, name: str) -> Source | None:
        """What stands behind a name with or without `SUFFIX`; for a name with it, always an .aez file.

        Raises:
            OriginError: it could be at the origin, which does not answer as it should.
            BusyError: it would have to be pulled or encoded first, and too much else waits for that.
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
            raise (SlowOriginError if entry.state == "slow" else OriginError)(entry.data.decode())
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
        """All names that are known, without `SUFFIX`, as of some seconds ago; those of the origin as far as pulled."""
        async with self._naming:
            names = self._names.get(None)
            if names is None:
                stored = await run_sync(lambda: {name.removesuffix(SUFFIX) for name in self._folder.names()})
                pulled = await self._cache.keys(_THERE) if self._origin else []
                names = self._names[None] = sorted(stored.union(key.removeprefix(_THERE) for key in pulled))
            return names

    async def close(self) -> None:
        """Give up what has not begun."""
        for task in self._encodings.values():
            task.cancel()
        if self._origin:
            await self._origin.close()

    async def _stored(self, plain: str) -> Source | None:
        name = plain + SUFFIX
        stored = self._files.get(name) or await run_sync(self._files.read, name)
        return Source(stored.data, AEZ, stored.tag, stored.modified) if stored else None

    async def _entry(self, plain: str) -> Entry | None:
        packed = await self._cache.get(_THERE + plain) or await self._cache.get(_ABSENT + plain)
        return Entry.unpack(packed) if packed else None

    async def _keep(self, plain: str, entry: Entry) -> None:
        there = entry.state == "there"
        await self._cache.put((_THERE if there else _ABSENT) + plain, entry.pack(), None if there else _MISSING_SECONDS)
        await self._cache.remove((_ABSENT if there else _THERE) + plain)
        self._entries.pop(plain, None)

    async def _fresh(self, plain: str) -> Entry | None:
        entry = self._entries.get(plain) or await self._entry(plain)
        if entry is None:
            return None
        if plain not in self._entries and len(entry.data) < _RECENT_BYTES / 8:
            self._entries[plain] = entry
        lasts = {"there": self._settings.max_age, "missing": _MISSING_SECONDS}.get(entry.state, _FAILED_SECONDS)
        return entry if time.time() - entry.checked < lasts else None

    async def _pulled(self, plain: str) -> Entry:
        fresh = await self._fresh(plain)
        if fresh is None:
            if len(self._pulls) >= _MOST_PULLS:
                raise BusyError
            fresh = await self._pulls.once(plain, lambda: self._fresh(plain), lambda: self._pull(plain))
        return fresh

    async def _pull(self, plain: str) -> Entry:
        """Ask the origin. Where it fails, what it said before is still good for a while."""
        old = await self._entry(plain)
        known = old if old and old.state == "there" else None
        try:
            found = await self._ask(plain, known)
        except OriginError as error:
            failed = time.time() - self._settings.max_age + _FAILED_SECONDS
            state: Literal["slow", "failed"] = "slow" if isinstance(error, SlowOriginError) else "failed"
            found = replace(known, checked=failed) if known else Entry(state, time.time(), str(error).encode())
        now = await self._entry(plain)
        if known and now and found.stamp == now.stamp and now.media_type == AEZ:
            found = replace(now, checked=found.checked)  # encoded meanwhile
        await self._keep(plain, found)
        return found

    async def _ask(self, plain: str, known: Entry | None) -> Entry:
        """What the origin has, first as .aez; an error there does not matter if it has an original."""
        assert self._origin
        trouble = None
        for place in (plain + SUFFIX, plain):
            same = known if known and known.place == place else None
            try:
                found = await self._origin.fetch(place, same.stamp or {} if same else {})
                if isinstance(found, Fetched):
                    return await run_sync(_entry_of, place, found)
            except SlowOriginError:
                raise
            except OriginError as error:
                trouble = trouble or error
                continue
            if found and same:
                return replace(same, checked=time.time())
        if trouble:
            raise trouble
        return Entry("missing", time.time())

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
            quality, options = self._settings.quality, self._settings.encoding
            try:
                data = await self._pool.run(lambda: encode_bytes(original, quality, **options))
                new = replace(entry, data=data, media_type=AEZ, tag=_tag(data)) if len(data) < len(original) else None
            except AezError:
                new = None
            now = await self._entry(plain)
            if now and now.tag == entry.tag:
                await self._keep(plain, replace(new or replace(entry, final=True), checked=now.checked))
            if new is None:
                raise PictureError(f"{plain} cannot be encoded, or would grow")
            return new

        return await self._encodes.once(plain, find, make)


def _entry_of(place: str, found: Fetched) -> Entry:
    """What the origin has sent, by its content.

    Raises:
        OriginError: nothing that is served.
    """
    try:
        if place.endswith(SUFFIX):
            Contents(found.data)
            media_type = AEZ
        else:
            with open_picture(found.data) as image:
                media_type = _SERVED[str(image.format)]
    except (FormatError, PictureError, KeyError) as error:
        raise OriginError("the origin sends what is no such picture") from error
    now = time.time()
    modified = now if found.modified is None else found.modified
    return Entry("there", now, found.data, place, found.stamp, media_type, modified, _tag(found.data))


def _tag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
