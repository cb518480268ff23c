"""The report: one self-contained HTML page and the plots as PNG (needs aez[compare])."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import AezError
from ..metrics import BD_RANGE
from ..output import write_file
from ..picture.opening import plain_picture
from .codecs import ImageCodecs
from .measure import CHOSEN_QUALITY, Comparison, Sample, mean_curves, measure, nearest, summarize
from .plots import as_png, as_svg, plot_curves
from .tables import sentences

CROP = 384, 256
_MARK = b"<title>aez compared: "


@dataclass(frozen=True)
class Crop:
    """A detail of a picture as JPEG and aez show it at equal size of the whole file, as data URLs of PNG files."""

    width: int
    height: int
    aez: Sample
    jpeg: Sample
    aez_url: str
    jpeg_url: str


def crop_at_equal_size(file: bytes, codecs: ImageCodecs) -> Crop:
    """The detail with the strongest gradients, from an .aez of medium quality and the JPEG of nearest size."""
    image, _ = plain_picture(file)
    aez, jpeg = codecs.aez, codecs.jpeg
    ours = measure(aez, image, CHOSEN_QUALITY)
    theirs = nearest(jpeg, image, ours.bytes, lambda sample: sample.bytes)
    area = _busiest(image)
    urls = [
        _data_url(codec.decode(codec.encode(image, sample.quality)).convert("RGB").crop(area))
        for codec, sample in ((aez, ours), (jpeg, theirs))
    ]
    return Crop(area[2] - area[0], area[3] - area[1], ours, theirs, *urls)


def check_report(folder: Path) -> None:
    """Stop before any work is done in vain.

    Raises:
        AezError: what a report needs is missing, or something else is there.
        OSError: the folder cannot be read.
    """
    for package in ("matplotlib", "jinja2", "bjontegaard"):
        if not find_spec(package):
            raise AezError(f"a report needs {package}", "pip install 'aez[compare]'")
    page = folder / "index.html"
    if folder.exists() and any(folder.iterdir()) and not (page.exists() and _MARK in page.read_bytes()):
        raise AezError(f"{folder} holds something else than a report of aez compare")


def write_report(comparisons: Sequence[Comparison], crops: Sequence[Crop], folder: Path) -> None:
    """Write `index.html`, and `curves.png` with one more plot per picture where there are several.

    An earlier report is replaced. Check first with `check_report`.

    Raises:
        OSError: something cannot be written.
    """
    from jinja2 import Environment, select_autoescape

    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("curves*.png"):
        old.unlink()
    title = comparisons[0].name if len(comparisons) == 1 else f"mean of {len(comparisons)} pictures"
    mean = plot_curves(mean_curves(comparisons), title)
    write_file(folder / "curves.png", as_png(mean), overwrite=True)
    plots = [plot_curves(mean_curves([comparison]), comparison.name) for comparison in comparisons]
    if len(plots) > 1:
        for number, plot in enumerate(plots, 1):
            write_file(folder / f"curves-{number}.png", as_png(plot), overwrite=True)
    source = files("aez.compare").joinpath("page.html.jinja").read_text("utf-8")
    page = Environment(autoescape=select_autoescape(default=True)).from_string(source)
    pictures = list(zip(comparisons, crops, map(as_svg, plots), strict=True))
    text = page.render(
        title=title,
        summaries=summarize(comparisons),
        sentences=list(sentences(comparisons)),
        usual_range=BD_RANGE,
        mean=as_svg(mean),
        pictures=pictures,
    )
    write_file(folder / "index.html", text.encode(), overwrite=True)


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
    buffer = io.BytesIO()
    image.save(buffer, "png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
