"""All pictures together: mean curves, BD-rates, sizes at equal fidelity, speeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from ..metrics.rate_distortion import Metric, Point, bd_rate, common_range, mean_curve
from .codecs import JPEG
from .comparison import Comparison


@dataclass(frozen=True)
class BdRate:
    """BD-rate in percent against JPEG 4:2:0, over as much of the measure's range as both curves have."""

    percent: float
    range: tuple[float, float]


@dataclass(frozen=True)
class Summary:
    """A codec over all pictures.

    Bytes at equal fidelity, or those of a lossless codec, are over those of aez, with the number of pictures that reach
    it; speeds are megapixels per second over all measurements.
    """

    codec: str
    bd_rates: dict[Metric, BdRate]
    times_as_large: float | None
    pictures: int
    encode_speed: float
    decode_speed: float


def mean_curves(comparisons: Sequence[Comparison], metric: Metric) -> dict[str, list[Point]]:
    """The mean curve of every codec."""
    codecs = dict.fromkeys(one.codec for one in comparisons[0].measurements)
    return {codec: mean_curve([comparison.curve(codec, metric) for comparison in comparisons]) for codec in codecs}


def metrics_of(comparisons: Sequence[Comparison]) -> tuple[Metric, ...]:
    """What was measured, first what codecs are compared by."""
    return ("ssimulacra2", "psnr") if comparisons[0].metric == "ssimulacra2" else ("psnr",)


def summarize(comparisons: Sequence[Comparison]) -> list[Summary]:
    """Every codec over all pictures, lossless ones last.

    Without the package `bjontegaard` (aez[compare]) there are no BD-rates.
    """
    curves = {metric: mean_curves(comparisons, metric) for metric in metrics_of(comparisons)}
    lossy = [
        _summarize(codec, {metric: _bd_rate(found, codec, metric) for metric, found in curves.items()}, comparisons)
        for codec in curves["psnr"]
    ]
    return [*lossy, *(_summarize_lossless(number, comparisons) for number in range(len(comparisons[0].lossless)))]


def _bd_rate(curves: Mapping[str, Sequence[Point]], codec: str, metric: Metric) -> BdRate | None:
    pair = curves[JPEG], curves[codec]
    within = common_range(pair, metric) if find_spec("bjontegaard") else None
    percent = bd_rate(*pair, within) if within else None
    return BdRate(percent, within) if within and percent is not None else None


def _summarize(codec: str, bd_rates: Mapping[Metric, BdRate | None], comparisons: Sequence[Comparison]) -> Summary:
    pairs = [(comparison.bytes_at_equal_fidelity(codec), comparison.stored.bytes) for comparison in comparisons]
    reached = [(theirs, ours) for theirs, ours in pairs if theirs is not None]
    measured = [(c.width * c.height / 1e6, s) for c in comparisons for s in c.measurements if s.codec == codec]
    megapixels = sum(size for size, _ in measured)
    return Summary(
        codec=codec,
        bd_rates={metric: rate for metric, rate in bd_rates.items() if rate},
        times_as_large=sum(t for t, _ in reached) / sum(o for _, o in reached) if reached else None,
        pictures=len(reached),
        encode_speed=megapixels / sum(one.encode_seconds for _, one in measured),
        decode_speed=megapixels / sum(one.decode_seconds for _, one in measured),
    )


def _summarize_lossless(number: int, comparisons: Sequence[Comparison]) -> Summary:
    found = [comparison.lossless[number] for comparison in comparisons]
    megapixels = sum(comparison.width * comparison.height for comparison in comparisons) / 1e6
    return Summary(
        codec=found[0].codec,
        bd_rates={},
        times_as_large=sum(exact.bytes for exact in found) / sum(comparison.stored.bytes for comparison in comparisons),
        pictures=len(found),
        encode_speed=megapixels / sum(exact.encode_seconds for exact in found),
        decode_speed=megapixels / sum(exact.decode_seconds for exact in found),
    )
