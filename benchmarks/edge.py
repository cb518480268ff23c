"""Does one .aez in a cache pay? A simulated edge cache that answers phones with medium and desktops with high.

python benchmarks/edge.py --pictures DIR --metric ssimulacra2 --out docs/edge

The catalogue is 5,000 pictures, those of DIR over and over, so that all sizes are really measured: one .aez of the
default quality, and two files each of JPEG, WebP and AVIF that look as good by SSIMULACRA2, or are as near by PSNR,
one for each resolution (medium against the 2x2 box average). AVIF is tuned for the measure. 200,000 requests,
popularity by Zipf's law with exponent 0.9, 60 % of them for medium; least recently used files go first; the same
bytes of cache for all, as percentages of what two JPEGs of everything need. What is not there is fetched whole from
the origin. CPU seconds are of one thread: an .aez decoded and coded as JPEG, as is needed for clients that do not
know .aez, each time that the result is not kept. Such results would take a part of the cache that is not taken here.
"""

import argparse
import io
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from cachetools import LRUCache
from pictures import load_pictures
from PIL import Image

import aez
from aez.api import Resolution
from aez.compare.codecs import ImageCodec, avif_codec, installed_codecs
from aez.compare.comparison import medium_of
from aez.compare.measure import fidelity, nearest_fidelity
from aez.limits import MAX_PIXELS
from aez.metrics.rate_distortion import MEASURES, Metric
from aez.model.registry import DEFAULT_MODEL

CATALOGUE, REQUESTS, EXPONENT, MEDIUM_SHARE, SEED = 5_000, 200_000, 0.9, 0.6, 1
CACHE_PERCENT = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class Stored:
    """Bytes of a picture in one scheme: of what a request for medium, and for high, needs in the cache."""

    medium: int
    high: int
    shared: bool

    @property
    def total(self) -> int:
        return self.high if self.shared else self.medium + self.high


@dataclass(frozen=True)
class Cost:
    """CPU seconds of one decoding and coding as JPEG."""

    medium: float
    high: float


@dataclass(frozen=True)
class Outcome:
    """Of a trace: the share of requests answered from the cache, and bytes fetched from the origin."""

    hits: float
    origin_bytes: int


Outcomes = Mapping[tuple[str, int], Outcome]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of PNG photographs")
    parser.add_argument("--metric", choices=MEASURES, default="ssimulacra2", help="at equal what")
    parser.add_argument("--out", type=Path, required=True, help="plot, without suffix")
    arguments = parser.parse_args()
    pictures = load_pictures(arguments.pictures)
    schemes, costs = measure(pictures, arguments.metric)
    trace = make_trace()
    catalogues = {name: [sizes[i % len(sizes)] for i in range(CATALOGUE)] for name, sizes in schemes.items()}
    totals = {name: sum(stored.total for stored in catalogue) for name, catalogue in catalogues.items()}
    print("| stored | all pictures, MB | over one .aez |\n| --- | --- | --- |")
    for name, total in totals.items():
        print(f"| {name} | {total / 1e6:.0f} | x {total / totals['one .aez']:.2f} |")
    outcomes = {
        (name, percent): simulate(catalogue, trace, totals["two JPEGs"] * percent // 100)
        for name, catalogue in catalogues.items()
        for percent in CACHE_PERCENT
    }
    print_table("hit ratio, %", outcomes, schemes, lambda outcome: f"{100 * outcome.hits:.1f}")
    print_table("MB from the origin", outcomes, schemes, lambda outcome: f"{outcome.origin_bytes / 1e6:.0f}")
    mixed = MEDIUM_SHARE * costs.medium + (1 - MEDIUM_SHARE) * costs.high
    print(
        f"\nCPU seconds per 1,000 requests that have to be decoded and coded as JPEG: "
        f"medium {1000 * costs.medium:.0f}, high {1000 * costs.high:.0f}, this mix {1000 * mixed:.0f}; "
        "none for clients that take .aez."
    )
    plot(outcomes, schemes, arguments.out)


def measure(pictures: list[Image.Image], metric: Metric) -> tuple[dict[str, list[Stored]], Cost]:
    """All schemes for all pictures, and the mean cost of decoding."""
    codecs = installed_codecs(DEFAULT_MODEL, 1, MAX_PIXELS)
    webp = next(codec for codec in codecs.others if codec.name == "WebP")
    peers: dict[str, ImageCodec] = {"JPEG": codecs.jpeg, "WebP": webp, "AVIF": avif_codec(metric)}
    schemes: dict[str, list[Stored]] = {"one .aez": [], **{f"two {name}s": [] for name in peers}}
    seconds = []
    for image in pictures:
        data = aez.encode(image, threads=1)
        (high, high_seconds), (medium, medium_seconds) = decode(data, "high"), decode(data, "medium")
        seconds.append((medium_seconds, high_seconds))
        schemes["one .aez"].append(Stored(len(data), len(data), shared=True))
        smaller, average = medium_of(image)
        for name, codec in peers.items():
            of_medium = nearest_fidelity(codec, smaller, fidelity(metric, medium, smaller, average), metric)
            of_high = nearest_fidelity(codec, image, fidelity(metric, high, image), metric)
            schemes[f"two {name}s"].append(Stored(of_medium.bytes, of_high.bytes, shared=False))
    return schemes, Cost(*(float(mean) for mean in np.mean(seconds, axis=0)))


def decode(data: bytes, resolution: Resolution) -> tuple[Image.Image, float]:
    """The picture, and CPU seconds until it was JPEG."""
    started = time.process_time()
    image = aez.decode(data, resolution, threads=1)
    image.save(io.BytesIO(), "jpeg", quality=85)
    return image, time.process_time() - started


def make_trace() -> list[tuple[int, bool]]:
    """Requests: the picture's number, and whether for medium."""
    generator = np.random.default_rng(SEED)
    weights = 1 / np.arange(1, CATALOGUE + 1) ** EXPONENT
    ranked = generator.permutation(CATALOGUE)
    numbers = ranked[generator.choice(CATALOGUE, REQUESTS, p=weights / weights.sum())]
    return list(zip(numbers.tolist(), (generator.random(REQUESTS) < MEDIUM_SHARE).tolist(), strict=True))


def simulate(catalogue: list[Stored], trace: Iterable[tuple[int, bool]], cache_bytes: int) -> Outcome:
    """A trace through an empty cache."""
    cache: LRUCache[Hashable, int] = LRUCache(cache_bytes, getsizeof=int)
    hits = fetched = 0
    for number, medium in trace:
        stored = catalogue[number]
        key = number if stored.shared else (number, medium)
        if cache.get(key) is not None:
            hits += 1
            continue
        size = stored.medium if medium else stored.high
        fetched += size
        if size <= cache_bytes:
            cache[key] = size
    return Outcome(hits / REQUESTS, fetched)


def print_table(title: str, outcomes: Outcomes, schemes: Iterable[str], show: Callable[[Outcome], str]) -> None:
    print(f"\n| {title}; cache: | {' | '.join(f'{percent} %' for percent in CACHE_PERCENT)} |")
    print(f"| {' | '.join(['---'] * (1 + len(CACHE_PERCENT)))} |")
    for name in schemes:
        print(f"| {name} | {' | '.join(show(outcomes[name, percent]) for percent in CACHE_PERCENT)} |")


def plot(outcomes: Outcomes, schemes: Iterable[str], out: Path) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), constrained_layout=True)
    for name in schemes:
        of_scheme = [outcomes[name, percent] for percent in CACHE_PERCENT]
        left.plot(CACHE_PERCENT, [100 * outcome.hits for outcome in of_scheme], "o-", label=name)
        right.plot(CACHE_PERCENT, [outcome.origin_bytes / 1e6 for outcome in of_scheme], "o-", label=name)
    for axes, label in ((left, "hit ratio, %"), (right, "MB from the origin")):
        axes.set(xscale="log", xlabel="cache, % of two JPEGs of everything", ylabel=label)
        axes.set_xticks(CACHE_PERCENT, [str(percent) for percent in CACHE_PERCENT])
        axes.grid(alpha=0.3)
    left.legend()
    for suffix in (".png", ".svg"):
        figure.savefig(out.with_suffix(suffix), dpi=120)


if __name__ == "__main__":
    main()
