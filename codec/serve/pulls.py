"""Asking the origin, once for all who want to know."""

import hashlib
import time
from dataclasses import replace

from anyio.to_thread import run_sync

from ..errors import FormatError, PictureError
from ..format.contents import Contents
from ..picture.opening import open_picture
from .entries import Entries, Entry, State
from .flights import Flights
from .names import SUFFIX
from .origin import Fetched, Origin, OriginError, SlowOriginError
from .pool import BusyError
from .settings import Settings
from .variants import MEDIA_TYPES

AEZ = MEDIA_TYPES["aez"]
_SERVED = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}
_MOST = 100


class Pulls:
    """What the origin has behind a name: an .aez file of that name and suffix, otherwise a picture of that name."""

    def __init__(self, settings: Settings, entries: Entries, origin: Origin) -> None:
        self._entries = entries
        self._origin = origin
        self._flights = Flights(settings.own / "pulls")

    async def get(self, plain: str) -> Entry:
        """What is known, or else what the origin answers now.

        Raises:
            BusyError: too many wait for the origin.
        """
        fresh = await self._entries.fresh(plain)
        if fresh is None:
            if len(self._flights) >= _MOST:
                raise BusyError
            fresh = await self._flights.once(plain, lambda: self._entries.fresh(plain), lambda: self._pull(plain))
        return fresh

    async def close(self) -> None:
        """Close connections."""
        await self._origin.close()

    async def _pull(self, plain: str) -> Entry:
        """Ask the origin. Where it fails, what it said before is still good for a while."""
        old = await self._entries.get(plain)
        known = old if old and old.state == "there" else None
        try:
            found = await self._ask(plain, known)
        except OriginError as error:
            if known:
                found = self._entries.stale(known)
            else:
                state: State = "slow" if isinstance(error, SlowOriginError) else "failed"
                found = Entry(state, time.time(), str(error).encode())
        now = await self._entries.get(plain)
        if known and now and found.stamp == now.stamp and now.media_type == AEZ:
            found = replace(now, checked=found.checked)  # encoded meanwhile
        await self._entries.keep(plain, found)
        return found

    async def _ask(self, plain: str, known: Entry | None) -> Entry:
        """What the origin has; an error for the .aez file does not matter if there is a picture."""
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


def tag_of(data: bytes) -> str:
    """A short name for this content."""
    return hashlib.sha256(data).hexdigest()[:16]


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
    return Entry("there", now, found.data, place, found.stamp, media_type, modified, tag_of(found.data))
