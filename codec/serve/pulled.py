"""What is known of the origin's files: as they came, or encoded; kept in the cache that all workers share."""

import hashlib
import json
import sys
import time
from dataclasses import asdict, dataclass, replace
from typing import Literal

from cachetools import TTLCache

from .. import __version__
from ..api import encode_bytes
from ..errors import FormatError, ModelError, PictureError, first_line
from ..format.contents import Contents
from ..format.strip import without_metadata
from ..model.registry import DEFAULT_MODEL, find_by_name
from ..picture.files.formats import FORMATS
from ..picture.files.opening import open_picture
from .cache import Cache
from .folder import SUFFIX
from .origin import Fetched, OriginError
from .requests import AEZ
from .settings import ServerSettings
from .threads import in_thread

State = Literal["there", "missing", "failed", "slow"]

_SERVED = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}
_OPENED = tuple(name for name in FORMATS if name in _SERVED)
_PASSED_ON_PIXELS = 256_000_000  # what is too large to be encoded is passed on as it came
_MISSING_SECONDS, _FAILED_SECONDS, _IN_VAIN_SECONDS, _UNFORESEEN_SECONDS = 60.0, 10.0, 3600.0, 60.0
_RECENT_SECONDS, _RECENT_BYTES = 1.0, 64_000_000


@dataclass(frozen=True)
class Pulled:
    """What is known of a name: whose file it is at the origin, and since when this was true.

    `data` is that file, or the .aez that was made of it; where there is none, it says why. `tag` is a hash of `data`,
    `original` one of what the origin has sent. Until `in_vain_until` it need not be encoded: it cannot be, or would
    grow.
    """

    state: State
    checked: float
    data: bytes = b""
    place: str = ""
    stamp: dict[str, str] | None = None
    media_type: str = ""
    modified: float = 0.0
    tag: str = ""
    original: str = ""
    in_vain_until: float = 0.0

    def pack(self) -> bytes:
        """As bytes."""
        facts = asdict(replace(self, data=b""))
        del facts["data"]
        return json.dumps(facts).encode() + b"\n" + self.data

    @staticmethod
    def unpack(packed: bytes) -> "Pulled | None":
        """From bytes; None if they are those of something else."""
        facts, _, data = packed.partition(b"\n")
        try:
            return Pulled(**json.loads(facts), data=data)
        except (ValueError, TypeError):
            return None


def received(place: str, found: Fetched, settings: ServerSettings) -> Pulled:
    """What the origin has sent, by its content.

    Raises:
        OriginError: nothing that is served.
    """
    data = found.data
    try:
        if place.endswith(SUFFIX):
            data, media_type = _as_sent(data, settings), AEZ
        else:
            with open_picture(data, max(settings.max_pixels, _PASSED_ON_PIXELS), _OPENED) as image:
                media_type = _SERVED[str(image.format)]
    except (FormatError, PictureError, KeyError) as error:
        kinds = "an .aez file" if place.endswith(SUFFIX) else "a JPEG, PNG, WebP or AVIF picture"
        raise OriginError(f"what the origin sends under this name is not {kinds}") from error
    now = time.time()
    modified = now if found.modified is None else found.modified
    return Pulled("there", now, data, place, found.stamp, media_type, modified, _tag(data), _tag(found.data))


def encoded(original: Pulled, settings: ServerSettings) -> Pulled:
    """The .aez of an original, or the original with a note that for a while there will be none.

    Raises:
        ModelError: the model does not work on this machine.
        MemoryError: there is not enough for it.
    """
    try:
        data = _as_sent(encode_bytes(original.data, settings.quality, **settings.encoding), settings)
    except (ModelError, MemoryError):
        raise
    except PictureError:
        return _in_vain(original, _IN_VAIN_SECONDS)
    except Exception as error:  # nobody knows whose fault it is, and each request would try again
        trouble = f"{original.place}: {type(error).__name__}: {first_line(error)}"
        print(f"aez: cannot encode {trouble!r}", file=sys.stderr, flush=True)
        return _in_vain(original, _UNFORESEEN_SECONDS)
    if len(data) >= len(original.data):
        return _in_vain(original, _IN_VAIN_SECONDS)
    return replace(original, data=data, media_type=AEZ, tag=_tag(data))


class PulledFiles:
    """What is known, by names without suffix: fresh for `max_age` seconds where it is there, other news not so long.

    What was pulled with other settings, or encoded with another model, is as if it were not there.
    """

    def __init__(self, cache: Cache, settings: ServerSettings) -> None:
        self._cache = cache
        self._lasts = {"there": float(settings.max_age), "missing": _MISSING_SECONDS}
        keys = f"origin/{_fingerprint(settings)}"
        self._there, self._absent = f"{keys}/there/", f"{keys}/absent/"
        self._recent: TTLCache[str, Pulled] = TTLCache(
            _RECENT_BYTES, _RECENT_SECONDS, getsizeof=lambda pulled: 200 + len(pulled.data)
        )

    async def get(self, plain: str) -> Pulled | None:
        """What is known, fresh or not."""
        packed = await self._cache.get(self._there + plain) or await self._cache.get(self._absent + plain)
        return await in_thread(Pulled.unpack, packed) if packed else None

    async def fresh(self, plain: str) -> Pulled | None:
        """What is known so well that the origin need not be asked."""
        pulled = self._recent.get(plain) or await self.get(plain)
        if pulled is None or time.time() - pulled.checked > self._lasts.get(pulled.state, _FAILED_SECONDS):
            return None
        if plain not in self._recent and len(pulled.data) < _RECENT_BYTES / 8:
            self._recent[plain] = pulled
        return pulled

    async def keep(self, plain: str, pulled: Pulled) -> None:
        """Keep it in place of what was known before."""
        there = pulled.state == "there"
        key, other = (self._there, self._absent) if there else (self._absent, self._there)
        packed = await in_thread(pulled.pack)
        await self._cache.put(key + plain, packed, None if there else _MISSING_SECONDS)
        await self._cache.remove(other + plain)
        self._recent.pop(plain, None)

    async def names(self) -> set[str]:
        """The names of what is there."""
        return {key.removeprefix(self._there) for key in await self._cache.keys(self._there)}

    def stale(self, pulled: Pulled) -> Pulled:
        """What is good for a moment longer, and then asked for again."""
        return replace(pulled, checked=time.time() - self._lasts["there"] + _FAILED_SECONDS)


def _in_vain(original: Pulled, seconds: float) -> Pulled:
    return replace(original, in_vain_until=time.time() + seconds)


def _as_sent(data: bytes, settings: ServerSettings) -> bytes:
    """An .aez file as clients get it.

    Raises:
        FormatError: it is none.
    """
    if not settings.keep_metadata:
        return without_metadata(data)
    Contents(data)
    return data


def _tag(data: bytes) -> str:
    """A short name for this content."""
    return hashlib.sha256(data).hexdigest()[:16]


def _fingerprint(settings: ServerSettings) -> str:
    """Another one whenever the same name may lead to other bytes, or an original be encoded that could not be."""
    model = find_by_name(DEFAULT_MODEL).id
    facts = (__version__, model, settings.origin, settings.quality, settings.max_pixels, settings.keep_metadata)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
