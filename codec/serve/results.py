"""Variants of pictures, made once and then kept."""

from cachetools import TTLCache

from .. import __version__, api
from ..errors import AezError
from ..picture.saving import save_picture
from . import counters
from .cache import Cache
from .flights import Flights
from .library import Source
from .pool import Pool
from .settings import Settings
from .variants import Variant

_FAILED_SECONDS = 60.0
_RECENT_SECONDS, _RECENT_BYTES = 60.0, 64_000_000
_FINE, _FAILED = b"+", b"-"


class Results:
    """Pictures decoded, and coded anew in the format of a client."""

    def __init__(self, settings: Settings, cache: Cache, pool: Pool) -> None:
        self._options = settings.decoding
        self._cache = cache
        self._pool = pool
        self._flights = Flights(settings.own / "results")
        self._recent: TTLCache[str, bytes] = TTLCache(_RECENT_BYTES, _RECENT_SECONDS, getsizeof=len)

    async def get(self, name: str, source: Source, variant: Variant) -> tuple[bytes, bool]:
        """A variant of an .aez file, and whether it was there already.

        Raises:
            AezError: the file is damaged, or larger than it may be.
            BusyError: it is not there, and too many others wait.
            MemoryError: there is not enough for it.
        """
        key = f"result/{__version__}/{source.tag}/{variant}/{name}"
        stored = self._recent.get(key) or await self._cache.get(key)
        hit = stored is not None
        if stored is None:
            stored = await self._flights.once(
                key, lambda: self._cache.get(key), lambda: self._make(key, source, variant)
            )
        if stored.startswith(_FAILED):
            raise AezError(stored.removeprefix(_FAILED).decode())
        self._keep(key, stored)
        return stored.removeprefix(_FINE), hit

    def _keep(self, key: str, stored: bytes) -> None:
        """In memory, for so short a time that the cache on disk learns what is in use."""
        if key not in self._recent and len(stored) < _RECENT_BYTES / 8:
            self._recent[key] = stored

    async def _make(self, key: str, source: Source, variant: Variant) -> bytes:
        try:
            made = _FINE + await self._pool.run(lambda: self._code(source.data, variant))
        except AezError as error:
            made = _FAILED + str(error).encode()
        await self._cache.put(key, made, _FAILED_SECONDS if made.startswith(_FAILED) else None)
        return made

    def _code(self, data: bytes, variant: Variant) -> bytes:
        assert variant.format != "aez"
        counters.CODED.inc()
        image = api.decode(data, variant.resolution, **self._options)
        return save_picture(image, variant.format, variant.quality)
