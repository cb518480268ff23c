"""A pull-through cache: the origin is asked once for all who want to know, and its originals are encoded once."""

import asyncio
import sys
import time
from dataclasses import replace

from ..errors import PictureError, first_line
from .folder import SUFFIX
from .locks import SingleFlight
from .origin import Fetched, NotSent, Origin, OriginError, SlowOriginError
from .pulled import Pulled, PulledFiles, State, encoded, received
from .requests import AEZ
from .settings import ServerSettings
from .threads import BusyError, CodingPool, in_thread

_MOST = 100


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

    async def encoded(self, plain: str, original: Pulled) -> Pulled:
        """The .aez of an original, which is given since a small cache may not hold it.

        Raises:
            PictureError: it cannot be encoded, or would grow.
            ModelError: the model does not work on this machine.
            MemoryError: there is not enough for it.
            BusyError: too much else waits.
        """
        return await self._encodings.once(
            plain, lambda: self._find_encoded(plain), lambda: self._encode(plain, original)
        )

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
                    return await in_thread(received, place, found, self._settings)
            except SlowOriginError:
                raise
            except OriginError as error:
                trouble = trouble or error
                continue
            if found is NotSent.UNCHANGED and same:
                return replace(same, checked=time.time())
        if trouble:
            raise trouble
        return Pulled("missing", time.time())

    async def _encode_in_background(self, plain: str) -> None:
        try:
            async with self._one_at_a_time:
                original = await self._files.get(plain)
                if original and original.state == "there" and original.media_type != AEZ:
                    await self.encoded(plain, original)
        except (PictureError, BusyError):
            pass
        except Exception as error:  # nobody waits for this task
            print(f"aez: cannot encode: {first_line(error)}", file=sys.stderr, flush=True)
        finally:
            del self._background[plain]

    async def _find_encoded(self, plain: str) -> Pulled | None:
        pulled = await self._files.get(plain)
        if pulled and pulled.in_vain_until > time.time():
            raise _in_vain(plain)
        return pulled if pulled and pulled.media_type == AEZ else None

    async def _encode(self, plain: str, original: Pulled) -> Pulled:
        made = await self._pool.run(lambda: encoded(original, self._settings))
        now = await self._files.get(plain)
        if now and now.original == original.original:  # otherwise the original has changed meanwhile
            await self._files.keep(plain, replace(made, checked=now.checked))
        if made.media_type != AEZ:
            raise _in_vain(plain)
        return made


def _in_vain(plain: str) -> PictureError:
    return PictureError(f"{plain} cannot be encoded, or would grow")
