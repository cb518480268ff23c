"""What `aez compare` does."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import click

from ..errors import needs_extra
from ..metrics.rate_distortion import Metric
from ..metrics.ssimulacra2 import has_ssimulacra2
from ..picture.opening import allow_pixels
from ..terminal import paths
from ..terminal.names import printable
from ..terminal.paths import Input
from ..terminal.progress import track
from ..terminal.reporter import Reporter
from . import page, tables
from .codecs import ImageCodecs, installed_codecs
from .comparison import Comparison, Single, compare, compare_once

Form = Literal["json", "csv"] | None


def prepare(folder: Path | None, model: str, threads: int, max_pixels: int) -> ImageCodecs:
    """The codecs, before any work is done in vain.

    Raises:
        AezError, OSError: a report cannot be written to that folder, or there is no such model.
    """
    if folder:
        page.check_report(folder)
    allow_pixels(max_pixels)
    return installed_codecs(model, threads, max_pixels)


def choose_metric(given: Metric | None) -> Metric:
    """What codecs are compared by: SSIMULACRA2 where it is installed, unless something else is given.

    Raises:
        AezError: SSIMULACRA2 is given and not installed.
    """
    if given == "ssimulacra2" and not has_ssimulacra2():
        raise needs_extra("SSIMULACRA2", "ssimulacra2", "compare")
    return given or ("ssimulacra2" if has_ssimulacra2() else "psnr")


def compare_curves(
    sources: Sequence[Input], report: Reporter, codecs: ImageCodecs, metric: Metric, form: Form, folder: Path | None
) -> None:
    """Compare over all qualities and print the result; write a report to the folder."""
    comparisons: list[Comparison] = []
    crops: list[page.Crop] = []
    for source in track(sources, report.visible):
        with report.file(source):
            file = paths.read(source)
            comparison = compare(printable(source), file, codecs, metric)
            if folder:
                crops.append(page.crop_at_equal_size(file, codecs))
            comparisons.append(comparison)
    if not comparisons:
        return
    if folder:
        with report.file(folder):
            page.write_report(comparisons, crops, folder)
    if form == "json":
        click.echo(json.dumps(tables.as_json(comparisons)))
    elif form == "csv":
        rows = [(comparison.name, sample) for comparison in comparisons for sample in comparison.samples]
        click.echo(tables.as_csv(rows), nl=False)
    else:
        tables.console().print(tables.tables(comparisons))
        if not find_spec("bjontegaard"):
            report.note(comparisons[0].name, "BD-rates need aez[compare]")


def compare_quality(
    sources: Sequence[Input], report: Reporter, codecs: ImageCodecs, metric: Metric, form: Form, quality: float
) -> None:
    """Compare one quality with the JPEGs of nearest fidelity and print the result."""
    singles: list[Single] = []
    for source in track(sources, report.visible):
        with report.file(source):
            singles.append(compare_once(printable(source), paths.read(source), quality, codecs, metric))
    if not singles:
        return
    if form == "json":
        click.echo(json.dumps([asdict(single) for single in singles]))
    elif form == "csv":
        rows = [(single.name, sample) for single in singles for sample in single.samples]
        click.echo(tables.as_csv(rows), nl=False)
    else:
        tables.console().print(tables.single_tables(singles))
