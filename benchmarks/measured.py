"""What several benchmarks measure: seconds, and the memory of processes as Linux shows it in /proc."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path


def timed(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def family(process: int) -> Iterator[int]:
    """A process and all below it that still run."""
    listed = Path(f"/proc/{process}/task/{process}/children")
    if listed.exists():
        yield process
        for child in listed.read_text().split():
            yield from family(int(child))


def resident_bytes(process: int) -> int:
    """What a process has in memory; 0 if it has ended."""
    return _bytes(process, "status", "VmRSS")


def peak_bytes(process: int) -> int:
    """The most that it has had."""
    return _bytes(process, "status", "VmHWM")


def proportional_bytes(process: int) -> int:
    """What it has in memory, of which what it shares with others counts in part (proportional set size)."""
    return _bytes(process, "smaps_rollup", "Pss")


def _bytes(process: int, file: str, name: str) -> int:
    try:
        lines = Path(f"/proc/{process}/{file}").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
