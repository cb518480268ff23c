"""The picture formats that are read and written: their names in Pillow, and the suffixes of their files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from PIL import Image

from ...errors import AezError

PictureFormat = Literal["png", "jpeg", "webp", "avif"]


@dataclass(frozen=True)
class _Plugin:
    """What a package adds to Pillow, and how files that need it begin."""

    format: str
    suffixes: tuple[str, ...]
    package: str
    beginning: re.Pattern[bytes]


# TGA comes last: it has no magic number, so Pillow tries to read anything as one.
_BUILT_IN = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "WEBP": (".webp",),
    "AVIF": (".avif",),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
    "JPEG2000": (".jp2",),
    "PPM": (".pbm", ".pgm", ".ppm", ".pnm"),
    "AEZ": (),
    "TGA": (".tga",),
}
_PLUGINS = {
    "pillow_jxl": _Plugin("JXL", (".jxl",), "pillow-jxl-plugin", re.compile(rb"\xff\x0a|\0\0\0\x0cJXL ")),
    "pillow_heif": _Plugin(
        "HEIF", (".heic", ".heif"), "pillow-heif", re.compile(rb".{4}ftyp(hei|hev|mif1)", re.DOTALL)
    ),
}
_INSTALLED = {module: plugin for module, plugin in _PLUGINS.items() if find_spec(module)}
_WRITABLE: dict[str, PictureFormat] = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
    ".avif": "avif",
}


def _missing() -> Iterator[_Plugin]:
    return (plugin for module, plugin in _PLUGINS.items() if module not in _INSTALLED)


FORMATS = tuple(_BUILT_IN)
"""What `Image.open` may take a file for. Others are never tried: Pillow would hand EPS to Ghostscript."""
READABLE = {
    suffix for group in (*_BUILT_IN.values(), *(plugin.suffixes for plugin in _INSTALLED.values())) for suffix in group
}
"""Suffixes of picture files, in lower case."""
NEEDED_FOR = {suffix: plugin.package for plugin in _missing() for suffix in plugin.suffixes}
"""Packages that would be needed to read more, by suffix."""
SUFFIXES = READABLE | NEEDED_FOR.keys()
"""Suffixes of pictures that can be read here or elsewhere."""


def plugin_formats() -> tuple[str, ...]:
    """What the installed plugins of Pillow add to `FORMATS`; registers them."""
    for name in _INSTALLED:
        module = import_module(name)
        if name == "pillow_heif":
            module.register_heif_opener()
    return tuple(plugin.format for plugin in _INSTALLED.values() if plugin.format in Image.OPEN)


def needed_package(file: bytes) -> str:
    """The package that would be needed to read a file; empty where none is known."""
    return next((plugin.package for plugin in _missing() if plugin.beginning.match(file)), "")


def format_of(path: Path) -> PictureFormat:
    """The format to write by a file's suffix.

    Raises:
        AezError: aez writes no such format.
    """
    try:
        return _WRITABLE[path.suffix.lower()]
    except KeyError:
        raise AezError(f"{path}: no format is known by that suffix", "name one with --format") from None
