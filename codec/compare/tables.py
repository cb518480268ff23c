"""The comparison as text: tables for people, rows for programs."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.filesize import decimal
from rich.table import Table

from ..metrics.rate_distortion import MEASURES, Metric
from .codecs import JPEG
from .comparison import JPEG_FORMATS, Comparison, Single
from .measure import Measurement
from .summary import Summary, metrics_of, summarize

_PIPED_WIDTH = 160
_FIDELITY = ("SSIMULACRA2", "PSNR, dB", "MS-SSIM")


def console() -> Console:
    """Standard output; tables are Markdown, and keep their width where there is no terminal."""
    found = Console(highlight=False, markup=False, emoji=False)
    return found if found.is_terminal else Console(highlight=False, markup=False, emoji=False, width=_PIPED_WIDTH)


def tables(comparisons: Sequence[Comparison]) -> RenderableType:
    """Everything for the terminal."""
    parts: list[RenderableType] = [_summary(comparisons), "", _curves(comparisons), "", *sentences(comparisons)]
    if len(comparisons) > 1:
        parts = [_pictures(comparisons), "", *parts]
    return Group(*parts)


def single_tables(singles: Sequence[Single]) -> RenderableType:
    """One quality of aez and the nearest ones of JPEG, picture by picture."""
    table = _table("picture", "codec", "quality", "size", "bpp", *_FIDELITY, "beside aez")
    for single in singles:
        ours = single.measurements[0]
        for one in single.measurements:
            cells = single.name, one.codec, f"{one.quality:g}", decimal(one.bytes), f"{one.bpp:.3f}"
            times = f"x {one.bytes / ours.bytes:.2f}"
            table.add_row(*cells, *_fidelity([one]), times)
        if single.file_format in JPEG_FORMATS:
            times = f"x {single.file_bytes / ours.bytes:.2f}"
            blank = [""] * len(_FIDELITY)
            table.add_row(single.name, "the file itself", "", decimal(single.file_bytes), "", *blank, times)
    return table


def _pictures(comparisons: Sequence[Comparison]) -> Table:
    metric = comparisons[0].metric
    name = MEASURES[metric].name
    table = _table("picture", "file", "aez", name, f"JPEG of equal {name}", "beside aez", "BD-rate, %")
    for comparison in comparisons:
        jpeg = comparison.bytes_at_equal_fidelity(JPEG)
        ours, *_ = summarize([comparison])
        table.add_row(
            comparison.name,
            f"{comparison.file_format} {decimal(comparison.file_bytes)}",
            decimal(comparison.stored.bytes),
            f"{comparison.stored.fidelity:.2f}",
            "" if jpeg is None else decimal(jpeg),
            "" if jpeg is None else f"x {jpeg / comparison.stored.bytes:.2f}",
            bd_rate_text(ours, metric),
        )
    return table


def _summary(comparisons: Sequence[Comparison]) -> Table:
    metrics = metrics_of(comparisons)
    equal = f"size at equal {MEASURES[comparisons[0].metric].name}"
    table = _table("codec", *map(bd_rate_heading, metrics), equal, "encode, MP/s", "decode, MP/s")
    for summary in summarize(comparisons):
        rates = [bd_rate_text(summary, metric) for metric in metrics]
        speeds = f"{summary.encode_speed:.1f}", f"{summary.decode_speed:.1f}"
        table.add_row(summary.codec, *rates, _times(summary, len(comparisons)), *speeds)
    return table


def bd_rate_heading(metric: Metric) -> str:
    """What BD-rates of a measure are over."""
    measure = MEASURES[metric]
    low, high = measure.bd_range
    return f"BD-rate by {measure.name}, {low:g} to {high:g}{measure.unit}, %"


def bd_rate_text(summary: Summary, metric: Metric) -> str:
    """The BD-rate, with its range where that is not the usual one."""
    rate = summary.bd_rates.get(metric)
    if rate is None:
        return ""
    (low, high), measure = rate.range, MEASURES[metric]
    other = "" if rate.range == measure.bd_range else f" ({low:.1f} to {high:.1f}{measure.unit})"
    return f"{rate.percent:+.1f}{other}"


def _times(summary: Summary, pictures: int) -> str:
    if summary.times_as_large is None:
        return ""
    some = "" if summary.pictures == pictures else f" ({summary.pictures} of {pictures} pictures)"
    return f"x {summary.times_as_large:.2f}{some}"


def _curves(comparisons: Sequence[Comparison]) -> Table:
    table = _table("codec", "quality", "bpp", *_FIDELITY)
    previous = ""
    for measured in zip(*(comparison.measurements for comparison in comparisons), strict=True):
        codec, quality = measured[0].codec, measured[0].quality
        table.add_row(
            codec if codec != previous else "",
            f"{quality:g}",
            f"{_mean([one.bpp for one in measured]):.3f}",
            *_fidelity(measured),
        )
        previous = codec
    return table


def _fidelity(measured: Sequence[Measurement]) -> Iterator[str]:
    """Means of what was measured, as in the columns `_FIDELITY`."""
    for name, form in (("ssimulacra2", ".2f"), ("psnr", ".2f"), ("ms_ssim", ".4f")):
        values = [value for one in measured if (value := getattr(one, name)) is not None]
        yield format(_mean(values), form) if values else ""


def sentences(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """What matters, in words; about those pictures for which JPEG has a file of equal fidelity."""
    measure = MEASURES[comparisons[0].metric]
    pairs = [(comparison.stored, comparison.bytes_at_equal_fidelity(JPEG)) for comparison in comparisons]
    high = [(stored, jpeg) for stored, jpeg in pairs if jpeg is not None]
    if high:
        ours, theirs = sum(stored.bytes for stored, _ in high), sum(jpeg for _, jpeg in high)
        at = measure.text(_mean([stored.fidelity for stored, _ in high]))
        yield f"At {at}, aez quality {high[0][0].quality:g}: JPEG needs {decimal(theirs)}, aez {decimal(ours)}."
    both = [(stored, jpeg, stored.medium_jpeg_bytes) for stored, jpeg in high if stored.medium_jpeg_bytes is not None]
    if both:
        ours, theirs = sum(stored.bytes for stored, _, _ in both), sum(jpeg for _, jpeg, _ in both)
        medium = sum(jpeg for _, _, jpeg in both)
        yield (
            f"A cache that serves high and medium stores {decimal(ours)} as .aez, or two JPEGs of equal {measure.name}"
            f", {decimal(theirs)} + {decimal(medium)}: {(theirs + medium) / ours:.2f} times as much."
        )
    own = [comparison for comparison in comparisons if comparison.file_format in JPEG_FORMATS]
    if own:
        theirs, ours = sum(c.file_bytes for c in own), sum(c.stored.bytes for c in own)
        at = measure.text(_mean([comparison.stored.fidelity for comparison in own]))
        yield (
            f"The {'JPEG itself has' if len(own) == 1 else f'{len(own)} JPEGs themselves have'} {decimal(theirs)}; "
            f"aez keeps {'its' if len(own) == 1 else 'their'} samples at {at} in {decimal(ours)}."
        )


def as_json(comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """The comparison as one object."""
    return {
        "pictures": [asdict(comparison) for comparison in comparisons],
        "codecs": [asdict(summary) for summary in summarize(comparisons)],
    }


def as_csv(rows: Sequence[tuple[str, Measurement]]) -> str:
    """A line per picture, codec and quality."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["picture", *Measurement.__dataclass_fields__], lineterminator="\n")
    writer.writeheader()
    writer.writerows({"picture": name, **asdict(sample)} for name, sample in rows)
    return buffer.getvalue()


def _table(*columns: str) -> Table:
    table = Table(box=box.MARKDOWN)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    return table


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
