"""What TIFF files say by tags of their own, where other formats have EXIF."""

from typing import Any

from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base

from ...errors import warn

# What is about the picture, not about the file's layout.
_DESCRIPTIVE_TAGS = (
    Base.ImageDescription,
    Base.Make,
    Base.Model,
    Base.Software,
    Base.DateTime,
    Base.Artist,
    Base.Copyright,
)
_DIRECTORIES = (Base.ExifOffset, Base.GPSInfo)


def forget_orientation_of_xmp(image: Image.Image) -> None:
    """Keep Pillow from turning a TIFF, as it does while loading, by what XMP says."""
    if isinstance(image, TiffImagePlugin.TiffImageFile) and Base.Orientation not in image.tag_v2:
        image.getexif().pop(Base.Orientation, None)


def exif_of_tags(image: Image.Image) -> bytes:
    """What a TIFF file says about its picture as an EXIF block; nothing for other images."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return b""
    tags = image.getexif()
    present = [tag for tag in (*_DESCRIPTIVE_TAGS, *_DIRECTORIES) if tag in tags and tag in image.tag_v2]
    kept: dict[int, Any] = {}
    for tag in present:
        value = _fields(tags.get_ifd(tag), tag) if tag in _DIRECTORIES else _as_it_was(tags[tag])
        if value and _can_be_written(tag, value):
            kept[tag] = value
    return _block(kept) if kept else b""


def _fields(directory: dict[int, Any], tag: int) -> dict[int, Any]:
    """Those fields of a directory that can be written."""
    found = {name: _as_it_was(value) for name, value in directory.items() if name != Base.ExifInteroperabilityOffset}
    return {name: value for name, value in found.items() if _can_be_written(tag, {name: value})}


class _Text(str):
    """Text that is written as the bytes that Pillow has read. It would write ASCII, and many programs write UTF-8."""

    __slots__ = ()

    def encode(self, encoding: str = "", errors: str = "") -> bytes:
        return super().encode("latin-1", "replace")


def _as_it_was(value: Any) -> Any:
    return _Text(value) if isinstance(value, str) else value


def _can_be_written(tag: int, value: Any) -> bool:
    try:
        _block({tag: value})
    except Exception as error:  # whatever struct and Pillow's conversions raise
        warn(f"malformed EXIF is left out ({error})")
        return False
    return True


def _block(fields: dict[int, Any]) -> bytes:
    block = Image.Exif()
    block.update(fields)
    return block.tobytes()
