"""The picture formats that are read and written: their names in Pillow, and the suffixes of their files."""

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from PIL import Image

from ...errors import AezError

PictureFormat = Literal["png", "jpeg", "webp", "avif"]

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
_PLUGINS = {"pillow_jxl": ("JXL", (".jxl",)), "pillow_heif": ("HEIF", (".heic", ".heif"))}
_BEGINNINGS = {
    "pillow_jxl": re.compile(rb"\xff\x0a|\0\0\0\x0cJXL "),
    "pillow_heif": re.compile(rb".{4}ftyp(hei|hev|mif1)", re.DOTALL),
}
_PACKAGES = {"pillow_jxl": "pillow-jxl-plugin", "pillow_heif": "pillow-heif"}
_INSTALLED = {module: added for module, added in _PLUGINS.items() if find_spec(module)}
_WRITABLE: dict[str, PictureFormat] = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
    ".avif": "avif",
}

FORMATS = tuple(_BUILT_IN)
"""What `Image.open` may take a file for. Others are never tried: Pillow would hand EPS to Ghostscript."""
READABLE = {suffix for group in (*_BUILT_IN.values(), *(added[1] for added in _INSTALLED.values())) for suffix in group}
"""Suffixes of picture files, in lower case."""
NEEDED_FOR = {
    suffix: _PACKAGES[module] for module in _PLUGINS.keys() - _INSTALLED.keys() for suffix in _PLUGINS[module][1]
}
"""Packages that would be needed to read more, by suffix."""
SUFFIXES = READABLE | NEEDED_FOR.keys()
"""Suffixes of pictures that can be read here or elsewhere."""


def plugin_formats() -> tuple[str, ...]:
    """What the installed plugins of Pillow add to `FORMATS`; registers them."""
    for module in _INSTALLED:
        plugin = import_module(module)
        if module == "pillow_heif":
            plugin.register_heif_opener()
    return tuple(name for name, _ in _INSTALLED.values() if name in Image.OPEN)


def needed_package(file: bytes) -> str:
    """The package that would be needed to read a file; empty where none is known."""
    missing = _PLUGINS.keys() - _INSTALLED.keys()
    return next((_PACKAGES[module] for module in missing if _BEGINNINGS[module].match(file)), "")


def format_of(path: Path) -> PictureFormat:
    """The format to write by a file's suffix.

    Raises:
        AezError: aez writes no such format.
    """
    try:
        return _WRITABLE[path.suffix.lower()]
    except KeyError:
        raise AezError(f"{path}: no format is known by that suffix", "name one with --format") from None
