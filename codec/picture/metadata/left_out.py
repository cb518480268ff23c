"""Metadata that .aez files have no room for: it is named."""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from PIL import Image, TiffImagePlugin

from ...errors import warn
from ..files.source import SourceFacts
from .raw_profiles import has_raw_profile, is_raw_profile

_IPTC_TAG, _PHOTOSHOP_TAG, _IPTC_BLOCK = 33723, 34377, 0x0404
_XMP_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_JPEG_GAIN_MAPS = (b"hdrgm:Version", b"urn:iso:std:iso:ts:21496:-1")
_XMP_KEY = "XML:com.adobe.xmp"
_ABOUT_THE_FILE = ("software", "source", "creation time", "date:create", "date:modify", "date:timestamp")
_MANY = 5


def note_what_is_left_out(image: Image.Image, info: Mapping[Any, Any], source: SourceFacts) -> None:
    """One note for all of what the file of a loaded image has and an .aez file will not have."""
    lost = [*source.lost, *_texts(image, info)]
    if _has_iptc(image, info):
        lost.append("IPTC")
    segments: list[tuple[str, bytes]] = getattr(image, "applist", [])
    if any(content.startswith(_XMP_EXTENSION) for _, content in segments):
        lost.append("the extension of XMP")
    if any(mark in content for _, content in segments for mark in _JPEG_GAIN_MAPS):
        lost.append("the gain map")
    if lost:
        warn(f"left out: {', '.join(lost)}")


def _texts(image: Image.Image, info: Mapping[Any, Any]) -> Iterator[str]:
    """Comments, and the texts of a PNG file, but those that programs write about the file itself."""
    if image.format in ("JPEG", "MPO", "GIF") and info.get("comment"):
        yield "a comment"
    if image.format != "PNG":
        return
    names = [key for key, text in info.items() if isinstance(text, str) and not is_raw_profile(key) and key != _XMP_KEY]
    names = [name.encode("unicode_escape").decode() for name in names if name.lower() not in _ABOUT_THE_FILE]
    if names:
        yield f"text ({', '.join(names[:_MANY])}{', ...' if len(names) > _MANY else ''})"


def _has_iptc(image: Image.Image, info: Mapping[Any, Any]) -> bool:
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        blocks = image.tag_v2.get(_PHOTOSHOP_TAG)
        return _IPTC_TAG in image.tag_v2 or (isinstance(blocks, bytes) and _IPTC_BLOCK in _photoshop_blocks(blocks))
    blocks = info.get("photoshop")
    return (isinstance(blocks, dict) and _IPTC_BLOCK in blocks) or has_raw_profile(info, "iptc", "8bim")


def _photoshop_blocks(data: bytes) -> Iterator[int]:
    """The numbers of the blocks in Photoshop's metadata: `8BIM`, number, name, length, content, padded to even."""
    place = 0
    while data[place : place + 4] == b"8BIM" and place + 12 <= len(data):
        number, name_bytes = struct.unpack_from(">HB", data, place + 4)
        yield number
        place += 6 + name_bytes + 1 + (name_bytes + 1) % 2
        if place + 4 > len(data):
            return
        (content_bytes,) = struct.unpack_from(">L", data, place)
        place += 4 + content_bytes + content_bytes % 2
