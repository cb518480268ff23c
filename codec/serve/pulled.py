"""What is known of the origin's files, in the cache that all workers share."""

import json
import time
from dataclasses import asdict, dataclass, replace
from typing import Literal

from cachetools import TTLCache

from .cache import Cache

State = Literal["there", "missing", "failed", "slow"]

_MISSING_SECONDS, _FAILED_SECONDS = 60.0, 10.0
_RECENT_SECONDS, _RECENT_BYTES = 1.0, 64_000_000
_THERE, _ABSENT = "origin-1/there/", "origin-1/absent/"  # the number is that of the fields of `Pulled`


@dataclass(frozen=True)
class Pulled:
    """What is known of a name: whose file it is at the origin, and since when this was true.

    `data` says why where it is not there. `final` originals are never encoded, since they cannot be or would grow.
    """

    state: State
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
    def unpack(packed: bytes) -> "Pulled":
        """From bytes."""
        facts, _, data = packed.partition(b"\n")
        return Pulled(**json.loads(facts), data=data)


class PulledFiles:
    """What is known, by names without suffix: fresh for `max_age` seconds where it is there, other news not so long."""

    def __init__(self, cache: Cache, max_age: float) -> None:
        self._cache = cache
        self._lasts = {"there": max_age, "missing": _MISSING_SECONDS}
        self._recent: TTLCache[str, Pulled] = TTLCache(
            _RECENT_BYTES, _RECENT_SECONDS, getsizeof=lambda pulled: 200 + len(pulled.data)
        )

    async def get(self, plain: str) -> Pulled | None:
        """What is known, fresh or not."""
        packed = await self._cache.get(_THERE + plain) or await self._cache.get(_ABSENT + plain)
        return Pulled.unpack(packed) if packed else None

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
        key, other = (_THERE, _ABSENT) if there else (_ABSENT, _THERE)
        await self._cache.put(key + plain, pulled.pack(), None if there else _MISSING_SECONDS)
        await self._cache.remove(other + plain)
        self._recent.pop(plain, None)

    async def names(self) -> set[str]:
        """The names of what is there."""
        return {key.removeprefix(_THERE) for key in await self._cache.keys(_THERE)}

    def stale(self, pulled: Pulled) -> Pulled:
        """What is good for a while longer, since the origin fails."""
        return replace(pulled, checked=time.time() - self._lasts["there"] + _FAILED_SECONDS)
