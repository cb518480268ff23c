"""`aez serve` under load, over loopback, from a process of its own.

python benchmarks/serve.py --pictures DIR [--workers 1] [--minutes 20]

Requests per second are of 32 connections that ask again at once; the answers are in the server's cache (results) or
read from the folder (front parts). Decodes are of pictures that are in no cache: medium, to JPEG. Latencies are at 70 %
of the measured rate, requests at equal distances, counted from when they were due. Memory is the proportional set size
of all processes of the server, under a mixed load: 300 cached results and front parts a second, and between them bursts
of results of all formats and qualities.
"""

import argparse
import hashlib
import itertools
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from load import Load, Outcome, run
from measured import family, proportional_bytes
from pictures import load_pictures

import aez

CONNECTIONS = 32
SECONDS = 20.0
USUAL_RATE = 560
QUALITIES = (35, 50, 65, 75, 85, 95)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of PNG photographs")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=0, help="of the mixed load for the memory")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        pictures = load_pictures(arguments.pictures)
        for number, image in enumerate(pictures):
            (root / f"{number}.aez").write_bytes(aez.encode(image))
        names = [str(number) for number in range(len(pictures))]
        with serving(root, arguments.workers) as (process, port):
            measure(names, port)
            if arguments.minutes:
                watch_memory(process, names, port, arguments.minutes)


@contextmanager
def serving(root: Path, workers: int) -> Iterator[tuple[int, int]]:
    """A server, as its process and port."""
    command = [sys.executable, "-m", "aez.cli", "serve", root, "--port", "0", "--workers", workers]
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    found = re.search(r":(\d+)$", process.stderr.readline())
    assert found
    try:
        yield process.pid, int(found[1])
    finally:
        process.terminate()
        process.wait()


def measure(names: list[str], port: int) -> None:
    decodes = [f"/{name}?res=medium&format=jpeg&q={q}" for q in QUALITIES for name in names]
    run(Load(port, decodes[:8], 2, times=1))
    cold = run(Load(port, decodes[8:], 8, times=1))
    print("| load | answers per second | median, ms | 99th percentile, ms | refused |\n| --- | --- | --- | --- | --- |")
    print(line("medium decodes, 768 x 512 to JPEG, 8 connections", cold))
    kinds = {
        "cached results": [f"/{name}?res=medium&format=jpeg&q=75" for name in names],
        "medium front parts": [f"/{name}.aez?res=medium" for name in names],
    }
    usual = run(Load(port, kinds["cached results"], CONNECTIONS, SECONDS, rate=USUAL_RATE))
    print(line(f"cached results, {USUAL_RATE} a second", usual))
    for kind, paths in kinds.items():
        closed = run(Load(port, paths, CONNECTIONS, SECONDS))
        print(line(f"{kind}, as many as can be", closed))
        print(line(f"{kind}, at 70 % of that", run(Load(port, paths, CONNECTIONS, SECONDS, rate=0.7 * closed.rate))))
    paths = [*itertools.chain(*kinds.values()), *(f"/{name}.aez" for name in names), *decodes]
    hashes = {path: hashlib.sha256(fetch(port, path)).hexdigest() for path in paths}
    many = run(Load(port, paths, 200, SECONDS, hashes=hashes))
    print(line("200 connections, everything mixed, each body checked", many))
    print(f"\nWrong bodies: {many.wrong} of {len(many.latencies) + many.wrong}.")


def line(name: str, outcome: Outcome) -> str:
    figures = f"{outcome.rate:.0f} | {outcome.percentile(0.5):.1f} | {outcome.percentile(0.99):.1f}"
    return f"| {name} | {figures} | {outcome.refused} |"


def fetch(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as response:
        body: bytes = response.read()
    return body


def watch_memory(process: int, names: list[str], port: int, minutes: float) -> None:
    """Print the memory over time."""
    hot = [f"/{name}{rest}" for name in names for rest in (".aez?res=medium", "?res=medium&format=jpeg&q=75")]
    kinds = itertools.product(QUALITIES, ("jpeg", "webp", "avif"), ("medium", "high"), names)
    new = [f"/{name}?format={form}&q={quality}&res={res}" for quality, form, res, name in kinds]
    print("\n| minute | memory, MB |\n| --- | --- |")
    started = time.monotonic()
    while (minute := (time.monotonic() - started) / 60) < minutes:
        print(f"| {minute:.0f} | {sum(map(proportional_bytes, family(process))) / 1e6:.0f} |", flush=True)
        for _ in range(6):
            run(Load(port, hot, CONNECTIONS, 8, rate=300))
            run(Load(port, new, 4, 2))
    print(f"| {minute:.0f} | {sum(map(proportional_bytes, family(process))) / 1e6:.0f} |")


if __name__ == "__main__":
    main()
