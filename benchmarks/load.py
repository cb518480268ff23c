"""A load of HTTP requests on one host, from a process of its own, with every body checked by its hash."""

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context


@dataclass
class Outcome:
    """Latencies in seconds of what was answered with 200, counts of all else, and how long it took."""

    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    wrong: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Good answers per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency in milliseconds that this share of the answers do not exceed."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(frozen=True)
class Load:
    """Requests for `paths` in turn, over `connections` at a time.

    With a `rate`, requests are due at equal distances and latency counts from when they were due; without, each
    connection asks again as soon as it has an answer. Each path is asked `times` times, or until `seconds` are over.
    """

    port: int
    paths: Sequence[str]
    connections: int
    seconds: float = 1e9
    rate: float | None = None
    times: int | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)


def run(load: Load) -> Outcome:
    """Run it in another process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_run, load).result()


def _run(load: Load) -> Outcome:
    return asyncio.run(_Client(load).run())


class _Client:
    def __init__(self, load: Load) -> None:
        self._load = load
        self._outcome = Outcome()
        self._next = 0

    async def run(self) -> Outcome:
        self._started = time.perf_counter()
        await asyncio.gather(*(self._connection() for _ in range(self._load.connections)))
        self._outcome.seconds = time.perf_counter() - self._started
        return self._outcome

    async def _connection(self) -> None:
        load, outcome = self._load, self._outcome
        reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
        while True:
            number = self._next
            due = self._started + number / load.rate if load.rate else time.perf_counter()
            if due - self._started > load.seconds or (load.times and number >= load.times * len(load.paths)):
                break
            self._next += 1
            if due > time.perf_counter():
                await asyncio.sleep(due - time.perf_counter())
            path = load.paths[number % len(load.paths)]
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            status, body = await _answer(reader)
            if status != 200:
                outcome.refused += 1
            elif path in load.hashes and hashlib.sha256(body).hexdigest() != load.hashes[path]:
                outcome.wrong += 1
            else:
                outcome.latencies.append(time.perf_counter() - due)
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)
