"""One HTML file with pictures, decoder and weights inside, which needs nothing else to be looked at."""

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import Template
from typing import Literal

from ..api import Resolution
from ..format.container import Flags
from ..format.contents import Contents
from ..html import data_url, document
from ..model.registry import AnyModel, Found, find_needed
from .assets import DECODER, FALLBACK, SCRIPT, bundle, bundle_name, hashed_name, script
from .bundle import Part

_STYLE = """  figure { margin: 0 0 2rem; }
  aez-img { max-width: 100%; background: #8883; }
  figcaption { overflow-wrap: anywhere; opacity: .7; }"""
_FIGURE = Template("""<figure>
  <aez-img src="$url" alt="$name" width="$width" height="$height" resolution="$resolution" loading="lazy"></aez-img>
  <figcaption>$name, $width x $height, $size bytes</figcaption>
</figure>""")


@dataclass(frozen=True)
class Shown:
    """A file as pages hold it: its front part alone where only medium is wanted."""

    name: str
    data: bytes
    contents: Contents
    resolution: Resolution

    @classmethod
    def of(cls, name: str, data: bytes, resolution: Resolution) -> "Shown":
        """A file.

        Raises:
            FormatError: not an aez file, or one of a newer version.
            DamagedError: truncated or altered.
        """
        contents = Contents(data)
        front = data[: contents.header.medium_bytes] if resolution == "medium" else data
        return cls(name, front, contents, resolution)

    @property
    def url(self) -> str:
        """The file within an address."""
        return data_url("image/aez", self.data)

    @property
    def has_samples(self) -> bool:
        """Whether the browser's decoder of WebP has something to do."""
        return bool(self.contents.header.flags & (Flags.EXACT | Flags.ALL_EXACT | Flags.ALPHA))


def make_page(title: str, pictures: Sequence[Shown]) -> bytes:
    """A page that shows pictures.

    Raises:
        ModelError: the model that one of them needs is not installed.
    """
    figures = [_figure(picture) for picture in pictures]
    parts = decoder_elements(pictures)
    return document(title, _STYLE, "\n".join([parts, "<main>", *figures, "</main>"]))


def decoder_elements(pictures: Iterable[Shown], model: AnyModel | None = None) -> str:
    """Elements of HTML that hold the decoder, and the weights of the models that pictures need, or of `model`.

    Raises:
        ModelError: one of the models is not installed, or its weights cannot be read.
    """
    parts: dict[tuple[int, Part], Found] = {}
    for picture in pictures:
        header = picture.contents.header
        if not header.all_exact:
            wanted: list[Part] = ["medium", "high"] if picture.resolution == "high" else ["medium"]
            parts.update({(header.model, part): find_needed(header.model, model) for part in wanted})
    weights = [
        _element("application/octet-stream", bundle_name(found, part), base64.b64encode(bundle(found, part)).decode())
        for (_, part), found in parts.items()
    ]
    scripts = [DECODER, FALLBACK] if any(picture.has_samples for picture in pictures) else [DECODER]
    workers = [_element("text/plain", hashed_name(name), script(name)) for name in scripts]
    return "\n".join([*weights, *workers, f"<script>{script(SCRIPT)}</script>"])


def _element(kind: Literal["application/octet-stream", "text/plain"], name: str, text: str) -> str:
    return f'<script type="{kind}" data-aez="{name}">{text}</script>'


def _figure(picture: Shown) -> str:
    header = picture.contents.header
    medium = picture.resolution == "medium"
    return _FIGURE.substitute(
        url=picture.url,
        name=html.escape(picture.name),
        width=header.medium_width if medium else header.width,
        height=header.medium_height if medium else header.height,
        resolution=picture.resolution,
        size=len(picture.data),
    )
