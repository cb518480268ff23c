"""How fast aez encodes and decodes in one process, where the time goes, and peers in the same run.

python benchmarks/speed.py --pictures DIR --threads 2

Megapixels are those of the full-resolution picture, also for medium. A figure is the mean over the pictures of the
median of five runs after a warm-up; entropy coding and colour are included, reading and writing files are not.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measured import timed
from pictures import load_pictures
from PIL import AvifImagePlugin, Image

import aez
from aez.coding.dead_zone import Quantizer
from aez.compare.codecs import installed_codecs
from aez.format import entropy
from aez.limits import MAX_PIXELS
from aez.model import model as networks
from aez.model.registry import DEFAULT_MODEL

QUALITIES = (10, 25, 50, 75, 90)
PEER_QUALITIES = {"JPEG 4:2:0": 50, "WebP": 60, "AVIF tune=psnr": 55}
RUNS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of PNG pictures, such as Kodak's 24")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    pictures, threads = load_pictures(arguments.pictures), arguments.threads

    print(f"{threads} threads\n\n| quality | encode | decode high | decode medium | coded symbols per pixel |")
    print("| --- | --- | --- | --- | --- |")
    for quality in QUALITIES:
        files = [aez.encode(image, quality, threads=threads) for image in pictures]
        speeds = (
            rate(pictures, lambda image, _: aez.encode(image, quality, threads=threads)),  # noqa: B023
            rate(pictures, lambda _, i: aez.decode(files[i], threads=threads)),  # noqa: B023
            rate(pictures, lambda _, i: aez.decode(files[i], "medium", threads=threads)),  # noqa: B023
        )
        symbols = np.mean([coded_symbols(f) / (i.width * i.height) for f, i in zip(files, pictures, strict=True)])
        print(f"| {quality} | {' | '.join(f'{speed:.1f}' for speed in speeds)} | {symbols:.3f} |")
    print("\nMP/s, higher is better.\n")
    print_peers(pictures)
    print_breakdown(pictures[0], threads)
    print_processes(pictures[0])


def rate(pictures: list[Image.Image], work: Callable[[Image.Image, int], object]) -> float:
    """Megapixels per second, mean over the pictures of the median of `RUNS`."""
    speeds = []
    for number, image in enumerate(pictures):
        work(image, number)
        seconds = [timed(lambda: work(image, number)) for _ in range(RUNS)]  # noqa: B023
        speeds.append(image.width * image.height / 1e6 / statistics.median(seconds))
    return statistics.mean(speeds)


def coded_symbols(data: bytes) -> int:
    """How many symbols the entropy decoder reads."""
    count = 0
    with replaced(entropy.AnsReader, "read") as original:

        def counting(self: entropy.AnsReader, indices: Any, tables: Any) -> Any:
            nonlocal count
            count += len(indices)
            return original(self, indices, tables)

        entropy.AnsReader.read = counting  # type: ignore[method-assign]
        aez.decode(data)
    return count


def print_peers(pictures: list[Image.Image]) -> None:
    """Other codecs, one thread each, at qualities of roughly equal PSNR."""
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    print("| peer | encode | decode |\n| --- | --- | --- |")
    installed = {codec.name: codec for codec in installed_codecs(DEFAULT_MODEL, 1, MAX_PIXELS)}
    for name, quality in PEER_QUALITIES.items():
        codec = installed[name]
        files = [codec.encode(image, quality) for image in pictures]
        encoding = rate(pictures, lambda image, _: codec.encode(image, quality))  # noqa: B023
        decoding = rate(pictures, lambda _, i: codec.decode(files[i]))  # noqa: B023
        print(f"| {name}, quality {quality} | {encoding:.1f} | {decoding:.1f} |")


def print_breakdown(image: Image.Image, threads: int) -> None:
    """Milliseconds per part of encoding and decoding one picture at quality 50."""
    data = aez.encode(image, 50, threads=threads)
    tasks: dict[str, Callable[[], object]] = {
        "encode": lambda: aez.encode(image, 50, threads=threads),
        "decode high": lambda: aez.decode(data, threads=threads),
        "decode medium": lambda: aez.decode(data, "medium", threads=threads),
    }
    times = {task: breakdown(work) for task, work in tasks.items()}
    parts = sorted({part for found in times.values() for part in found}, key=lambda p: (p == "all", p))
    print(f"\n| milliseconds, {image.width} x {image.height} | {' | '.join(tasks)} |")
    print("| --- |" + " --- |" * len(tasks))
    for part in parts:
        print(f"| {part} | {' | '.join(f'{found[part]:.1f}' if part in found else '' for found in times.values())} |")


def print_processes(image: Image.Image) -> None:
    """Seconds of commands as whole processes, from start to end."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "img.aez", Path(folder) / "img.png"
        source.write_bytes(aez.encode(image, 50))
        commands: dict[str, list[str | Path]] = {
            "aez --help": ["--help"],
            "aez info img.aez": ["info", source],
            "aez decode img.aez": ["decode", source, "-o", target, "-f", "--quiet"],
        }
        print("\n| whole process | seconds |\n| --- | --- |")
        for name, arguments in commands.items():
            command = [sys.executable, "-m", "aez.cli", *arguments]
            work = partial(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
            seconds = [timed(work) for _ in range(RUNS + 1)][1:]
            print(f"| `{name}` | {statistics.median(seconds):.2f} |")


def breakdown(work: Callable[[], object]) -> dict[str, float]:
    """Median milliseconds of each network, of entropy coding, and of the rest."""
    runs = []
    work()
    for _ in range(RUNS):
        found: dict[str, float] = defaultdict(float)
        with clocked(found):
            total = 1000 * timed(work)
        found["colour, latents, container"] = total - sum(found.values())
        runs.append({**found, "all": total})
    return {part: statistics.median(run[part] for run in runs) for part in runs[0]}


@contextmanager
def clocked(found: dict[str, float]) -> Iterator[None]:
    """Add up the milliseconds spent in networks and in entropy coding."""
    with (
        replaced(networks.Model, "_run") as run,
        replaced(entropy.AnsReader, "read") as read,
        replaced(entropy.AnsWriter, "finish") as finish,
        replaced(Quantizer, "__call__") as quantize,
    ):

        def clock(original: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
            def call(*arguments: Any, **options: Any) -> Any:
                start = time.perf_counter()
                result = original(*arguments, **options)
                found[name(*arguments)] += 1000 * (time.perf_counter() - start)
                return result

            return call

        networks.Model._run = clock(run, lambda _, network, __: network.name.rstrip("_0123"))  # type: ignore[method-assign]
        entropy.AnsReader.read = clock(read, lambda *_: "entropy coding")  # type: ignore[method-assign]
        entropy.AnsWriter.finish = clock(finish, lambda *_: "entropy coding")  # type: ignore[method-assign]
        Quantizer.__call__ = clock(quantize, lambda *_: "quantization")  # type: ignore[method-assign]
        yield


@contextmanager
def replaced(owner: type, name: str) -> Iterator[Callable[..., Any]]:
    """Give an attribute of a class back after it was replaced."""
    original = getattr(owner, name)
    try:
        yield original
    finally:
        setattr(owner, name, original)


if __name__ == "__main__":
    main()
