"""Originals of the origin become .aez files, once."""

import asyncio
from dataclasses import replace

from ..api import encode_bytes
from ..errors import AezError, PictureError
from .entries import Entries, Entry
from .flights import Flights
from .origin import OriginError
from .pool import BusyError, Pool
from .pulls import AEZ, tag_of
from .settings import Settings

_MOST = 100


class Encodings:
    """Encodes what was pulled, and keeps that in its place."""

    def __init__(self, settings: Settings, entries: Entries, pool: Pool) -> None:
        self._settings = settings
        self._entries = entries
        self._pool = pool
        self._flights = Flights(settings.own / "encodings")
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self._one = asyncio.Semaphore(1)

    async def now(self, plain: str) -> Entry:
        """The .aez of an original.

        Raises:
            PictureError: it cannot be encoded, or would grow.
            BusyError: too much else waits.
        """
        return await self._flights.once(plain, lambda: self._find(plain), lambda: self._make(plain))

    def later(self, plain: str) -> None:
        """Encode an original when there is nothing else to do, if there is not too much of that already."""
        if plain not in self._waiting and len(self._waiting) < _MOST:
            self._waiting[plain] = asyncio.create_task(self._in_background(plain))

    def close(self) -> None:
        """Give up what has not begun."""
        for task in self._waiting.values():
            task.cancel()

    async def _in_background(self, plain: str) -> None:
        try:
            async with self._one:
                await self.now(plain)
        except (AezError, BusyError):
            pass  # the next request tries again, unless that is known to be in vain
        finally:
            del self._waiting[plain]

    async def _find(self, plain: str) -> Entry | None:
        entry = await self._entries.get(plain)
        if entry and entry.final:
            raise _in_vain(plain)
        return entry if entry and entry.media_type == AEZ else None

    async def _make(self, plain: str) -> Entry:
        original = await self._entries.get(plain)
        if original is None or original.state != "there":
            raise OriginError(f"{plain} is no longer there")
        quality, options = self._settings.quality, self._settings.encoding
        try:
            data = await self._pool.run(lambda: encode_bytes(original.data, quality, **options))
            smaller = len(data) < len(original.data)
        except AezError:
            data, smaller = b"", False
        made = replace(original, data=data, media_type=AEZ, tag=tag_of(data))
        now = await self._entries.get(plain)
        if now and now.tag == original.tag:  # otherwise the original has changed meanwhile
            new = made if smaller else replace(original, final=True)
            await self._entries.keep(plain, replace(new, checked=now.checked))
        if not smaller:
            raise _in_vain(plain)
        return made


def _in_vain(plain: str) -> PictureError:
    return PictureError(f"{plain} cannot be encoded, or would grow")
