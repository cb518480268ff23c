"""Variants of pictures, made once and then kept."""

from collections.abc import Mapping

from cachetools import TTLCache

from .. import __version__, api
from ..errors import FormatError, PictureError
from ..picture.files.saving import save_picture
from . import counters
from .cache import Cache
from .library import Source
from .locks import SingleFlight
from .requests import Variant
from .settings import ServerSettings
from .threads import CodingPool

_REFUSED_SECONDS = 60.0
_RECENT_SECONDS, _RECENT_BYTES = 60.0, 64_000_000
_MADE = b"+"
_REFUSED: Mapping[bytes, type[FormatError | PictureError]] = {b"f": FormatError, b"p": PictureError}


class Variants:
    """Pictures decoded, and coded anew in the format of a client."""

    def __init__(self, settings: ServerSettings, cache: Cache, pool: CodingPool) -> None:
        self._options = settings.decoding
        self._cache = cache
        self._pool = pool
        self._single_flight = SingleFlight(settings.single_flight / "variants")
        self._recent: TTLCache[str, bytes] = TTLCache(_RECENT_BYTES, _RECENT_SECONDS, getsizeof=len)

    async def get(self, name: str, source: Source, variant: Variant) -> tuple[bytes, bool]:
        """A variant of an .aez file, and whether it was there already.

        Raises:
            FormatError: the file is damaged.
            PictureError: it is larger than it may be.
            ModelError: its model is not there, or does not work on this machine.
            BusyError: it is not there, and too many others wait.
            MemoryError: there is not enough for it.
        """
        key = f"variant/{__version__}/{source.tag}/{variant}/{name}"
        recent = self._recent.get(key)
        if recent:
            return recent, True
        stored = await self._cache.get(key)
        hit = stored is not None
        if stored is None:
            stored = await self._single_flight.once(
                key, lambda: self._cache.get(key), lambda: self._make(key, source, variant)
            )
        kind, made = stored[:1], stored[1:]
        if kind in _REFUSED:
            raise _REFUSED[kind](made.decode())
        return self._shared(key, made), hit

    def _shared(self, key: str, made: bytes) -> bytes:
        """What all get who ask for it: kept in memory so shortly that the cache on disk learns what is in use."""
        if key not in self._recent and len(made) < _RECENT_BYTES / 8:
            self._recent[key] = made
        return self._recent.get(key, made)

    async def _make(self, key: str, source: Source, variant: Variant) -> bytes:
        """What is kept under the key: a picture, for a while a fault of the file, never one of this machine."""
        try:
            made = _MADE + await self._pool.run(lambda: self._code(source.data, variant))
        except (FormatError, PictureError) as error:
            made = (b"f" if isinstance(error, FormatError) else b"p") + str(error).encode()
        await self._cache.put(key, made, None if made.startswith(_MADE) else _REFUSED_SECONDS)
        return made

    def _code(self, data: bytes, variant: Variant) -> bytes:
        assert variant.format != "aez"
        counters.CODED.inc()
        image = api.decode(data, variant.resolution, **self._options)
        return save_picture(image, variant.format, variant.quality)
