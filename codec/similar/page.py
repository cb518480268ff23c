"""One HTML file with pictures that are alike, side by side."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from rich.filesize import decimal

from ..api import decode
from ..errors import AezError
from ..html import data_url, document
from ..picture.convert import plain
from ..picture.files.saving import saved
from ..terminal.names import printable
from ..terminal.reporter import Reporter, describe
from .search import Match

_SIDE = 240
_QUALITY = 80
_STYLE = f"""  section {{ display: flex; flex-wrap: wrap; gap: 1rem; padding: 1rem 0; border-top: 1px solid #8886; }}
  h2 {{ flex-basis: 100%; margin: 0; font-size: 1rem; }}
  figure {{ margin: 0; width: {_SIDE}px; }}
  figcaption {{ overflow-wrap: anywhere; font-size: .8rem; opacity: .7; }}"""
_SECTION = Template("<section>\n  <h2>$title</h2>\n$figures\n</section>")
_FIGURE = Template("""  <figure>
    <img src="$url" alt="$name">
    <figcaption>$name<br>$width x $height, $size, $score</figcaption>
  </figure>""")


@dataclass(frozen=True)
class Section:
    """Pictures below a heading."""

    title: str
    matches: Sequence[Match]


def make_page(title: str, folder: Path, sections: Iterable[Section], max_pixels: int, report: Reporter) -> bytes:
    """A page of small copies; what cannot be decoded fails, and has none."""
    made = [
        _SECTION.substitute(
            title=html.escape(section.title),
            figures="\n".join(_figure(folder, match, max_pixels, report) for match in section.matches),
        )
        for section in sections
    ]
    return document(title, _STYLE, "\n".join([f"<h1>{html.escape(title)}</h1>", *made]))


def _figure(folder: Path, match: Match, max_pixels: int, report: Reporter) -> str:
    path, url = folder / match.name, ""
    try:
        url = _small_copy(path.read_bytes(), max_pixels)
    except (AezError, OSError) as error:
        report.fail(describe(error, str(path)))
    return _FIGURE.substitute(
        url=url,
        name=html.escape(printable(match.name)),
        width=match.width,
        height=match.height,
        size=decimal(match.bytes),
        score=f"{match.score:.2f}",
    )


def _small_copy(data: bytes, max_pixels: int) -> str:
    """A JPEG within an address."""
    image = plain(decode(data, "medium", max_pixels=max_pixels))
    image.thumbnail((_SIDE, _SIDE))
    return data_url("image/jpeg", saved(image, "jpeg", quality=_QUALITY))
