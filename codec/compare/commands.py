"""What `aez compare` does."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import click
from PIL import features

from ..metrics.rate_distortion import Metric
from ..metrics.ssimulacra2 import check_ssimulacra2, has_ssimulacra2
from ..plugin import FORMAT
from ..terminal import paths
from ..terminal.names import printable
from ..terminal.paths import Input
from ..terminal.progress import track
from ..terminal.reporter import Reporter
from . import page, tables
from .codecs import ImageCodecs, installed_codecs
from .comparison import MEANT_SIDE_MIN, Comparison, Single, TooSmallError, compare, compare_once

Form = Literal["json", "csv"] | None
_EXTRAS = (("JPEG XL", "pillow_jxl"), ("SSIMULACRA2", "ssimulacra2"), ("BD-rates", "bjontegaard"))
_LOSSY = "it was decoded from a file of aez, which has lost what aez would lose; compare an original instead"


def prepare(folder: Path | None, model: str, threads: int, max_pixels: int) -> ImageCodecs:
    """The codecs, before any work is done in vain.

    Raises:
        AezError, OSError: a report cannot be written to that folder, or there is no such model.
    """
    if folder:
        page.check_report(folder, model)
    return installed_codecs(model, threads, max_pixels)


def choose_metric(given: Metric | None) -> Metric:
    """What codecs are compared by: SSIMULACRA2 where it is installed, unless something else is given.

    Raises:
        AezError: SSIMULACRA2 is given and not installed.
    """
    if given == "ssimulacra2":
        check_ssimulacra2()
    return given or ("ssimulacra2" if has_ssimulacra2() else "psnr")


def note_what_is_missing(report: Reporter) -> None:
    """Say which codecs and measures are left out, and what brings them."""
    missing = [f"{name} (needs {package})" for name, package in _EXTRAS if not find_spec(package)]
    if missing:
        report.note("", f"left out: {', '.join(missing)}: pip install 'aez[compare]'")
    unwritable = [name for name in ("WebP", "AVIF") if not features.check(name.lower())]
    if unwritable:
        report.note("", f"left out: {', '.join(unwritable)}, which the installed Pillow was built without")


def compare_curves(
    sources: Sequence[Input], report: Reporter, codecs: ImageCodecs, metric: Metric, form: Form, folder: Path | None
) -> None:
    """Compare over all qualities and print the result; write a report to the folder."""
    comparisons: list[Comparison] = []
    crops: list[page.Crop] = []
    too_small = False
    for source in track(sources, report.visible):
        with report.file(source):
            file = paths.read(source)
            try:
                comparison = compare(printable(source), file, codecs, metric)
            except TooSmallError as error:
                too_small = True
                report.note(source, str(error))
                continue
            _note_loss(source, comparison, report)
            if folder:
                crops.append(page.crop_at_equal_size(file, codecs, metric))
            comparisons.append(comparison)
    if not comparisons:
        if too_small:
            report.fail(f"no picture of at least {MEANT_SIDE_MIN} x {MEANT_SIDE_MIN} pixels is left")
        return
    if folder:
        with report.file(folder):
            page.write_report(comparisons, crops, codecs.model, folder)
    if form == "json":
        click.echo(json.dumps(tables.as_json(comparisons)))
    elif form == "csv":
        rows = [(comparison.name, measured) for comparison in comparisons for measured in comparison.measurements]
        click.echo(tables.as_csv(rows), nl=False)
    else:
        tables.console().print(tables.tables(comparisons))


def compare_quality(
    sources: Sequence[Input], report: Reporter, codecs: ImageCodecs, metric: Metric, form: Form, quality: float
) -> None:
    """Compare one quality with the JPEGs of nearest fidelity and print the result."""
    singles: list[Single] = []
    for source in track(sources, report.visible):
        with report.file(source):
            single = compare_once(printable(source), paths.read(source), quality, codecs, metric)
            _note_loss(source, single, report)
            singles.append(single)
    if not singles:
        return
    if form == "json":
        click.echo(json.dumps({"pictures": [asdict(single) for single in singles]}))
    elif form == "csv":
        rows = [(single.name, measured) for single in singles for measured in single.measurements]
        click.echo(tables.as_csv(rows), nl=False)
    else:
        tables.console().print(tables.single_tables(singles))


def _note_loss(source: Input, compared: Comparison | Single, report: Reporter) -> None:
    if compared.file_format == FORMAT:
        report.note(source, _LOSSY)
