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

from ..metrics import BD_RANGE
from .codecs import JPEG
from .measure import JPEG_FORMATS, Comparison, Sample, Single, Summary, summarize

_PIPED_WIDTH = 160


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
    table = _table("picture", "codec", "quality", "size", "bpp", "PSNR, dB", "MS-SSIM", "beside aez")
    for single in singles:
        ours = single.samples[0]
        for sample in single.samples:
            cells = single.name, sample.codec, f"{sample.quality:g}", decimal(sample.bytes), f"{sample.bpp:.3f}"
            times = f"x {sample.bytes / ours.bytes:.2f}"
            table.add_row(*cells, f"{sample.psnr:.2f}", _optional(sample.ms_ssim, ".4f"), times)
        if single.file_format in JPEG_FORMATS:
            times = f"x {single.file_bytes / ours.bytes:.2f}"
            table.add_row(single.name, "the file itself", "", decimal(single.file_bytes), "", "", "", times)
    return table


def _pictures(comparisons: Sequence[Comparison]) -> Table:
    table = _table("picture", "file", "aez", "PSNR, dB", "JPEG of equal PSNR", "beside aez", "BD-rate, %")
    for comparison in comparisons:
        jpeg = comparison.bytes_at_equal_psnr(JPEG)
        ours, *_ = summarize([comparison])
        table.add_row(
            comparison.name,
            f"{comparison.file_format} {decimal(comparison.file_bytes)}",
            decimal(comparison.stored.bytes),
            f"{comparison.stored.psnr:.2f}",
            "" if jpeg is None else decimal(jpeg),
            "" if jpeg is None else f"x {jpeg / comparison.stored.bytes:.2f}",
            _bd_rate(ours),
        )
    return table


def _summary(comparisons: Sequence[Comparison]) -> Table:
    heading = f"BD-rate, {BD_RANGE[0]:g} to {BD_RANGE[1]:g} dB, %"
    table = _table("codec", heading, "size at equal PSNR", "encode, MP/s", "decode, MP/s")
    for summary in summarize(comparisons):
        speeds = f"{summary.encode_speed:.1f}", f"{summary.decode_speed:.1f}"
        table.add_row(summary.codec, _bd_rate(summary), _times(summary, len(comparisons)), *speeds)
    return table


def _bd_rate(summary: Summary) -> str:
    """The BD-rate, with its range where that is not the usual one."""
    if summary.bd_rate is None or summary.bd_range is None:
        return ""
    other = "" if summary.bd_range == BD_RANGE else f" ({summary.bd_range[0]:.1f} to {summary.bd_range[1]:.1f} dB)"
    return f"{summary.bd_rate:+.1f}{other}"


def _times(summary: Summary, pictures: int) -> str:
    if summary.times_as_large is None:
        return ""
    some = "" if summary.pictures == pictures else f" ({summary.pictures} of {pictures} pictures)"
    return f"x {summary.times_as_large:.2f}{some}"


def _curves(comparisons: Sequence[Comparison]) -> Table:
    table = _table("codec", "quality", "bpp", "PSNR, dB", "MS-SSIM")
    previous = ""
    for samples in zip(*(comparison.samples for comparison in comparisons), strict=True):
        codec, quality = samples[0].codec, samples[0].quality
        similarities = [sample.ms_ssim for sample in samples if sample.ms_ssim is not None]
        table.add_row(
            codec if codec != previous else "",
            f"{quality:g}",
            f"{_mean([sample.bpp for sample in samples]):.3f}",
            f"{_mean([sample.psnr for sample in samples]):.2f}",
            f"{_mean(similarities):.4f}" if similarities else "",
        )
        previous = codec
    return table


def sentences(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """What matters, in words; about those pictures for which JPEG has a file of equal PSNR."""
    pairs = [(comparison.stored, comparison.bytes_at_equal_psnr(JPEG)) for comparison in comparisons]
    high = [(stored, jpeg) for stored, jpeg in pairs if jpeg is not None]
    if high:
        ours, theirs = sum(stored.bytes for stored, _ in high), sum(jpeg for _, jpeg in high)
        psnr = _mean([stored.psnr for stored, _ in high])
        yield (
            f"At {psnr:.1f} dB, aez quality {high[0][0].quality:g}: JPEG needs {decimal(theirs)}, aez {decimal(ours)}."
        )
    both = [(stored, jpeg, stored.medium_jpeg_bytes) for stored, jpeg in high if stored.medium_jpeg_bytes is not None]
    if both:
        ours, theirs = sum(stored.bytes for stored, _, _ in both), sum(jpeg for _, jpeg, _ in both)
        medium = sum(jpeg for _, _, jpeg in both)
        yield (
            f"A cache that serves high and medium stores {decimal(ours)} as .aez, or two JPEGs of equal PSNR, "
            f"{decimal(theirs)} + {decimal(medium)}: {(theirs + medium) / ours:.2f} times as much."
        )
    own = [comparison for comparison in comparisons if comparison.file_format in JPEG_FORMATS]
    if own:
        theirs, ours = sum(c.file_bytes for c in own), sum(c.stored.bytes for c in own)
        psnr = _mean([comparison.stored.psnr for comparison in own])
        yield (
            f"The {'JPEG itself has' if len(own) == 1 else f'{len(own)} JPEGs themselves have'} {decimal(theirs)}; "
            f"aez keeps {'its' if len(own) == 1 else 'their'} samples at {psnr:.1f} dB in {decimal(ours)}."
        )


def as_json(comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """The comparison as one object."""
    return {
        "pictures": [asdict(comparison) for comparison in comparisons],
        "codecs": [asdict(summary) for summary in summarize(comparisons)],
    }


def as_csv(rows: Sequence[tuple[str, Sample]]) -> str:
    """A line per picture, codec and quality."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["picture", *Sample.__dataclass_fields__])
    writer.writeheader()
    writer.writerows({"picture": name, **asdict(sample)} for name, sample in rows)
    return buffer.getvalue()


def _table(*columns: str) -> Table:
    table = Table(box=box.MARKDOWN)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    return table


def _optional(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
