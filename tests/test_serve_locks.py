"""Single flight: work is done once over all workers, and nobody waits for the work of another name."""

import asyncio
from pathlib import Path

from aez.serve.locks import SingleFlight


async def nothing() -> None:
    return None


def test_one_name_never_waits_for_another(tmp_path: Path) -> None:
    async def run() -> list[int]:
        flights, end = SingleFlight(tmp_path), asyncio.Event()

        async def hang() -> int:
            await end.wait()
            return -1

        async def done(number: int) -> int:
            return number

        hanging = [asyncio.create_task(flights.once(f"hanging {n}", nothing, hang)) for n in range(50)]
        await asyncio.sleep(0)
        others = [flights.once(f"a/{n}.jpg", nothing, lambda n=n: done(n)) for n in range(500)]
        found = await asyncio.wait_for(asyncio.gather(*others), 60)
        end.set()
        assert set(await asyncio.gather(*hanging)) == {-1}
        return found

    assert asyncio.run(run()) == list(range(500))
    assert not list(tmp_path.iterdir()), "locked files are not left behind"


def test_once_over_all_workers(tmp_path: Path) -> None:
    async def run() -> tuple[set[str], int]:
        made: list[str] = []

        async def find() -> str | None:
            return made[0] if made else None

        async def make() -> str:
            await asyncio.sleep(0.05)
            made.append(f"made by {len(made)}")
            return made[-1]

        workers = [SingleFlight(tmp_path) for _ in range(5)]
        found = await asyncio.gather(*(worker.once("x", find, make) for worker in workers for _ in range(20)))
        return set(found), len(made)

    assert asyncio.run(run()) == ({"made by 0"}, 1)


def test_a_failure_is_that_of_all_who_wait_and_of_nobody_after(tmp_path: Path) -> None:
    async def run() -> list[object]:
        flights = SingleFlight(tmp_path)

        async def fail() -> str:
            await asyncio.sleep(0.01)
            raise MemoryError

        async def make() -> str:
            return "made"

        waiting = [flights.once("x", nothing, fail) for _ in range(3)]
        outcomes: list[object] = list(await asyncio.gather(*waiting, return_exceptions=True))
        return [type(outcome) for outcome in outcomes] + [await flights.once("x", nothing, make), len(flights)]

    assert asyncio.run(run()) == [MemoryError, MemoryError, MemoryError, "made", 0]
