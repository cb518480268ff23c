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
_THERE, _ABSENT = "origin-1/there/", "origin-1/absent/"  # the number is that of the fields of `Entry`


@dataclass(frozen=True)
class Entry:
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
    def unpack(packed: bytes) -> "Entry":
        """From bytes."""
        facts, _, data = packed.partition(b"\n")
        return Entry(**json.loads(facts), data=data)


class Entries:
    """Entries by names without suffix; what is there is fresh for `max_age` seconds, other news not for so long."""

    def __init__(self, cache: Cache, max_age: float) -> None:
        self._cache = cache
        self._lasts = {"there": max_age, "missing": _MISSING_SECONDS}
        self._recent: TTLCache[str, Entry] = TTLCache(
            _RECENT_BYTES, _RECENT_SECONDS, getsizeof=lambda entry: 200 + len(entry.data)
        )

    async def get(self, plain: str) -> Entry | None:
        """An entry, fresh or not."""
        packed = await self._cache.get(_THERE + plain) or await self._cache.get(_ABSENT + plain)
        return Entry.unpack(packed) if packed else None

    async def fresh(self, plain: str) -> Entry | None:
        """An entry for which the origin need not be asked."""
        entry = self._recent.get(plain) or await self.get(plain)
        if entry is None or time.time() - entry.checked > self._lasts.get(entry.state, _FAILED_SECONDS):
            return None
        if plain not in self._recent and len(entry.data) < _RECENT_BYTES / 8:
            self._recent[plain] = entry
        return entry

    async def keep(self, plain: str, entry: Entry) -> None:
        """Keep an entry in place of an older one."""
        there = entry.state == "there"
        await self._cache.put((_THERE if there else _ABSENT) + plain, entry.pack(), None if there else _MISSING_SECONDS)
        await self._cache.remove((_ABSENT if there else _THERE) + plain)
        self._recent.pop(plain, None)

    async def names(self) -> set[str]:
        """The names of what is there."""
        return {key.removeprefix(_THERE) for key in await self._cache.keys(_THERE)}

    def stale(self, entry: Entry) -> Entry:
        """An entry that is good for a while longer, since the origin fails."""
        return replace(entry, checked=time.time() - self._lasts["there"] + _FAILED_SECONDS)
