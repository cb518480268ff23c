"""A pull-through cache: the origin is asked once for all who want to know, and its originals are encoded once."""

import asyncio
import hashlib
import sys
import time
from dataclasses import replace

from anyio.to_thread import run_sync

from ..api import encode_bytes
from ..errors import AezError, FormatError, ModelError, PictureError
from ..format.contents import Contents
from ..picture.opening import open_picture
from .folder import SUFFIX
from .locks import SingleFlight
from .origin import Fetched, Origin, OriginError, SlowOriginError
from .pulled import Pulled, PulledFiles, State
from .requests import AEZ
from .settings import ServerSettings
from .threads import BusyError, CodingPool

_SERVED = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}
_MOST = 100
_IN_VAIN_SECONDS = 3600.0


class PullThrough:
    """What the origin has behind a name: an .aez file of that name and suffix, otherwise a picture of that name."""

    def __init__(self, settings: ServerSettings, files: PulledFiles, origin: Origin, pool: CodingPool) -> None:
        self._settings = settings
        self._files = files
        self._origin = origin
        self._pool = pool
        self._pulls = SingleFlight(settings.single_flight / "pulls")
        self._encodings = SingleFlight(settings.single_flight / "encodings")
        self._background: dict[str, asyncio.Task[None]] = {}
        self._one_at_a_time = asyncio.Semaphore(1)

    async def get(self, plain: str) -> Pulled:
        """What is known, or else what the origin answers now.

        Raises:
            BusyError: too many wait for the origin.
        """
        fresh = await self._files.fresh(plain)
        if fresh is None:
            if len(self._pulls) >= _MOST:
                raise BusyError
            fresh = await self._pulls.once(plain, lambda: self._files.fresh(plain), lambda: self._pull(plain))
        return fresh

    async def encoded(self, plain: str) -> Pulled:
        """The .aez of an original.

        Raises:
            PictureError: it cannot be encoded, or would grow.
            ModelError: the model does not work on this machine.
            MemoryError: there is not enough for it.
            BusyError: too much else waits.
        """
        return await self._encodings.once(plain, lambda: self._find_encoded(plain), lambda: self._encode(plain))

    def encode_later(self, plain: str) -> None:
        """Encode an original when there is nothing else to do, if there is not too much of that already.

        Where that fails, the next request tries again.
        """
        if plain not in self._background and len(self._background) < _MOST:
            self._background[plain] = asyncio.create_task(self._encode_in_background(plain))

    async def distrust(self, plain: str, tag: str) -> None:
        """Pull anew, soon, what cannot be decoded: `tag` is that of its data."""
        pulled = await self._files.get(plain)
        if pulled and pulled.tag == tag and pulled.original:
            await self._files.keep(plain, self._files.stale(replace(pulled, stamp=None, original="")))

    async def close(self) -> None:
        """Give up what has not begun."""
        for task in self._background.values():
            task.cancel()
        await self._origin.close()

    async def _pull(self, plain: str) -> Pulled:
        """Ask the origin. Where it fails, what it said before is still good for a while."""
        old = await self._files.get(plain)
        known = old if old and old.state == "there" else None
        try:
            found = await self._ask(plain, known)
        except OriginError as error:
            if known:
                found = self._files.stale(known)
            else:
                state: State = "slow" if isinstance(error, SlowOriginError) else "failed"
                found = Pulled(state, time.time(), str(error).encode())
        now = await self._files.get(plain)
        if now and found.original and now.original == found.original:
            found = replace(now, checked=found.checked, stamp=found.stamp)  # which may have been encoded meanwhile
        await self._files.keep(plain, found)
        return found

    async def _ask(self, plain: str, known: Pulled | None) -> Pulled:
        """What the origin has; an error for the .aez file does not matter if there is a picture."""
        trouble = None
        for place in (plain + SUFFIX, plain):
            same = known if known and known.place == place else None
            try:
                found = await self._origin.fetch(place, same.stamp or {} if same else {})
                if isinstance(found, Fetched):
                    return await run_sync(_pulled, place, found)
            except SlowOriginError:
                raise
            except OriginError as error:
                trouble = trouble or error
                continue
            if found and same:
                return replace(same, checked=time.time())
        if trouble:
            raise trouble
        return Pulled("missing", time.time())

    async def _encode_in_background(self, plain: str) -> None:
        try:
            async with self._one_at_a_time:
                await self.encoded(plain)
        except (ModelError, MemoryError) as error:
            print(f"aez: cannot encode: {error or 'not enough memory'}", file=sys.stderr, flush=True)
        except (AezError, BusyError):
            pass
        finally:
            del self._background[plain]

    async def _find_encoded(self, plain: str) -> Pulled | None:
        pulled = await self._files.get(plain)
        if pulled and pulled.in_vain_until > time.time():
            raise _in_vain(plain)
        return pulled if pulled and pulled.media_type == AEZ else None

    async def _encode(self, plain: str) -> Pulled:
        original = await self._files.get(plain)
        if original is None or original.state != "there":
            raise OriginError(f"{plain} is no longer there")
        made = await self._pool.run(lambda: self._made_of(original))
        now = await self._files.get(plain)
        if now and now.original == original.original:  # otherwise the original has changed meanwhile
            await self._files.keep(plain, replace(made, checked=now.checked))
        if made.media_type != AEZ:
            raise _in_vain(plain)
        return made

    def _made_of(self, original: Pulled) -> Pulled:
        """The .aez of an original, or the original with a note that there will be none."""
        in_vain = replace(original, in_vain_until=time.time() + _IN_VAIN_SECONDS)
        try:
            data = encode_bytes(original.data, self._settings.quality, **self._settings.encoding)
        except PictureError:
            return in_vain
        if len(data) >= len(original.data):
            return in_vain
        return replace(original, data=data, media_type=AEZ, tag=_tag(data))


def _in_vain(plain: str) -> PictureError:
    return PictureError(f"{plain} cannot be encoded, or would grow")


def _tag(data: bytes) -> str:
    """A short name for this content."""
    return hashlib.sha256(data).hexdigest()[:16]


def _pulled(place: str, found: Fetched) -> Pulled:
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
    tag = _tag(found.data)
    return Pulled("there", now, found.data, place, found.stamp, media_type, modified, tag, original=tag)
