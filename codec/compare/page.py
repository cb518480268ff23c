"""The report: one self-contained HTML page and the plots as PNG (needs aez[compare])."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from rich.filesize import decimal

from .. import api
from ..errors import AezError, needs_extra
from ..html import data_url
from ..metrics.rate_distortion import MEASURES, Metric
from ..model.registry import AnyModel, find_by_name
from ..output import write_file
from ..picture.files.opening import plain_picture
from ..picture.files.saving import saved
from ..web.assets import bundle
from ..web.page import Shown, decoder_elements
from .codecs import ImageCodecs
from .comparison import Comparison
from .measure import Measurement, measure, nearest_size
from .plots import as_png, as_svg, plot_curves
from .summary import mean_curves, metrics_of, summarize
from .tables import bd_rate_heading, bd_rate_text, sentences

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CROP = 384, 256
_PIXELS_IN_BROWSER = 4_000_000  # which take some seconds
_MARK = b"<title>aez compared: "


@dataclass(frozen=True)
class Crop:
    """A detail of a picture as JPEG and aez show it at equal size of the whole file.

    That of JPEG is a PNG. That of aez is shown by the file itself, of which `left` and `top` are where the detail
    begins; by a PNG where browsers would take too long to decode the file.
    """

    left: int
    top: int
    width: int
    height: int
    aez: Measurement
    jpeg: Measurement
    file: Shown | None
    aez_url: str
    jpeg_url: str


def crop_at_equal_size(file: bytes, codecs: ImageCodecs, metric: Metric) -> Crop:
    """The detail with the strongest gradients, from an .aez of the default quality and the JPEG of nearest size."""
    image, _ = plain_picture(file, codecs.max_pixels)
    aez, jpeg = codecs.aez, codecs.jpeg
    ours = measure(aez, image, api.DEFAULT_QUALITY, metric)
    theirs = measure(jpeg, image, nearest_size(jpeg, image, ours.bytes).quality, metric)
    left, top, right, bottom = area = _busiest(image)
    data = aez.encode(image, ours.quality)
    small = image.width * image.height <= _PIXELS_IN_BROWSER
    shown = Shown.of("aez", data, "high") if small else None
    return Crop(
        left,
        top,
        right - left,
        bottom - top,
        ours,
        theirs,
        shown,
        shown.url if shown else _data_url(aez.decode(data).convert("RGB").crop(area)),
        _data_url(jpeg.decode(jpeg.encode(image, theirs.quality)).convert("RGB").crop(area)),
    )


def check_report(folder: Path, model: AnyModel) -> None:
    """Stop before any work is done in vain.

    Raises:
        ModelError: the weights of the model cannot be read.
        AezError: what a report needs is missing, or something else is there.
        OSError: the folder cannot be read.
    """
    for package in ("matplotlib", "jinja2", "bjontegaard"):
        if not find_spec(package):
            raise needs_extra("a report", package, "compare")
    page = folder / "index.html"
    if folder.exists() and any(folder.iterdir()) and not (page.exists() and _MARK in page.read_bytes()):
        raise AezError(f"{folder} holds something else than a report of aez compare")
    bundle(find_by_name(model), "high")


def write_report(comparisons: Sequence[Comparison], crops: Sequence[Crop], model: AnyModel, folder: Path) -> None:
    """Write `index.html` and plots: `curves-psnr.png` for instance, and `curves-1-psnr.png` where there are several.

    An earlier report is replaced. Check first with `check_report`; `model` is that of the files of the crops.

    Raises:
        ModelError: its weights cannot be read.
        OSError: something cannot be written.
    """
    from jinja2 import Environment, select_autoescape
    from markupsafe import Markup

    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("curves*.png"):
        old.unlink()
    title = comparisons[0].name if len(comparisons) == 1 else f"mean of {len(comparisons)} pictures"
    metrics = metrics_of(comparisons)
    mean = _plots(comparisons, title, metrics)
    plots = [_plots([comparison], comparison.name, metrics) for comparison in comparisons]
    _write_plots(folder, "curves", mean)
    if len(plots) > 1:
        for number, own in enumerate(plots, 1):
            _write_plots(folder, f"curves-{number}", own)
    source = files("aez.compare").joinpath("page.html.jinja").read_text("utf-8")
    page = Environment(autoescape=select_autoescape(default=True)).from_string(source)
    drawn = [[as_svg(plot) for plot in own.values()] for own in plots]
    pictures = list(zip(comparisons, crops, drawn, strict=True))
    summaries = [(summary, [bd_rate_text(summary, metric) for metric in metrics]) for summary in summarize(comparisons)]
    text = page.render(
        title=title,
        headings=[bd_rate_heading(metric) for metric in metrics],
        metric=metrics[0],
        measure=MEASURES[metrics[0]],
        size=decimal,
        summaries=summaries,
        sentences=list(sentences(comparisons)),
        means=[as_svg(plot) for plot in mean.values()],
        pictures=pictures,
        decoder=Markup(decoder_elements([crop.file for crop in crops if crop.file], model)),
    )
    write_file(folder / "index.html", text.encode(), overwrite=True)


def _plots(comparisons: Sequence[Comparison], title: str, metrics: Sequence[Metric]) -> dict[Metric, "Figure"]:
    return {metric: plot_curves(mean_curves(comparisons, metric), metric, title) for metric in metrics}


def _write_plots(folder: Path, name: str, plots: Mapping[Metric, "Figure"]) -> None:
    for metric, plot in plots.items():
        write_file(folder / f"{name}-{metric}.png", as_png(plot), overwrite=True)


def _busiest(image: Image.Image) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the part of at most `CROP` with the strongest gradients."""
    width, height = min(CROP[0], image.width), min(CROP[1], image.height)
    samples = np.asarray(image.convert("L"), np.float32)
    places = [
        (float(np.abs(np.diff(samples[top : top + height, left : left + width], axis=1)).sum()), left, top)
        for top in _starts(image.height, height)
        for left in _starts(image.width, width)
    ]
    _, left, top = max(places)
    return left, top, left + width, top + height


def _starts(whole: int, part: int) -> range:
    return range(0, whole - part + 1, max(part // 2, 1))


def _data_url(image: Image.Image) -> str:
    return data_url("image/png", saved(image, "png", optimize=True))
