"""Throughput and memory of `aez batch` on photographs of one megapixel, beside what one thread does in one process.

python benchmarks/batch.py --pictures DIR [--count 200]

The photographs are those of DIR, over and over, cropped and scaled to 1152 x 864, as JPEG files of quality 92.
Megapixels per second are those of the whole command, start, reading and writing included; those of one thread in one
process are of `aez.encode` on the same files, without its start. Memory is the largest resident set of any worker.
"""

import argparse
import itertools
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from measured import family, peak_bytes
from PIL import Image, ImageOps

from aez.api import encode_bytes
from aez.picture.files.formats import READABLE

SIZE = 1152, 864


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--count", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        album = Path(temporary) / "album"
        make_album(arguments.pictures, album, arguments.count)
        megapixels = arguments.count * SIZE[0] * SIZE[1] / 1e6
        in_process = megapixels / time_in_process(album)
        print(f"| {arguments.count} pictures of 1 megapixel | MP/s | memory of a worker, MB |\n| --- | --- | --- |")
        print(f"| one thread, in one process | {in_process:.2f} | |")
        speeds = {}
        for workers in (1, 2):
            seconds, memory = run_batch(album, Path(temporary) / f"coded-{workers}", workers)
            speeds[workers] = megapixels / seconds
            print(f"| `aez batch --jobs {workers} --threads 1` | {speeds[workers]:.2f} | {memory / 1e6:.0f} |")
        ratios = speeds[2] / speeds[1], speeds[2] / in_process / 2
        print(f"\nTwo workers over one: {ratios[0]:.2f}; over twice one thread: {ratios[1]:.2f}.")


def make_album(source: Path, album: Path, count: int) -> None:
    album.mkdir()
    paths = sorted(path for path in source.iterdir() if path.suffix.lower() in READABLE)
    for number, path in enumerate(itertools.islice(itertools.cycle(paths), count)):
        with Image.open(path) as image:
            ImageOps.fit(image.convert("RGB"), SIZE).save(album / f"{number:04}.jpg", quality=92)


def time_in_process(album: Path) -> float:
    """Seconds to encode all files, the first one twice."""
    files = [path.read_bytes() for path in sorted(album.iterdir())]
    encode_bytes(files[0], threads=1)
    started = time.perf_counter()
    for file in files:
        encode_bytes(file, threads=1)
    return time.perf_counter() - started


def run_batch(album: Path, coded: Path, workers: int) -> tuple[float, int]:
    """Seconds, and bytes of the largest resident set among its processes."""
    command = [
        sys.executable,
        "-m",
        "aez.cli",
        "batch",
        album,
        coded,
        "--jobs",
        str(workers),
        "--threads",
        "1",
        "--quiet",
    ]
    started = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command])
    peak = 0
    watcher_stops = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not watcher_stops.wait(0.1):
            peak = max([peak, *map(peak_bytes, family(process.pid))])

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    seconds = time.perf_counter() - started
    watcher_stops.set()
    watcher.join()
    if code:
        raise SystemExit(f"aez batch ended with {code}")
    return seconds, peak


if __name__ == "__main__":
    main()
