"""ICC profile, EXIF and XMP, out of Pillow images and into picture files."""

from collections.abc import Mapping
from typing import Any

from PIL import Image, PngImagePlugin

from ...errors import warn
from ...format.container import SRGB, Colours
from ...format.contents import ICC_MAX, METADATA_MAX, Metadata
from ..colour.profiles import declared_profile
from ..colour.signalled import colour_of_code_points
from ..files.tiff import exif_of_tags
from .exif import EMPTY, Exif
from .exif_directories import EXIF_PREFIX
from .gps import exif_without_gps
from .gps_xmp import xmp_without_gps
from .raw_profiles import raw_profile
from .resolution import given_resolution
from .xmp import upright_xmp, without_extension

_JPEG_SEGMENT_MAX = 65_000
_XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"


def read_exif(image: Image.Image, info: Mapping[Any, Any]) -> Exif | None:
    """The EXIF of a loaded image: that of `info`, or what a TIFF file has in its place."""
    block = info["exif"] if "exif" in info else _raw_exif(info) or exif_of_tags(image)
    return _exif(block) if block else None


def read_metadata(info: Mapping[Any, Any], profile: bytes, exif: Exif | None) -> Metadata:
    """The metadata of an upright image; what is beyond the format's limits is left out with an `AezWarning`."""
    return Metadata(
        icc=_limited("ICC profile", profile, ICC_MAX),
        exif=_limited("EXIF", _upright_exif(info, exif), METADATA_MAX),
        xmp=_limited("XMP", without_extension(upright_xmp(_xmp(info))), METADATA_MAX),
    )


def stripped(metadata: Metadata, *, everything: bool, gps: bool) -> Metadata:
    """Metadata without EXIF and XMP, or without the positions in them; the ICC profile is part of the picture."""
    if everything:
        return Metadata(icc=metadata.icc)
    if gps:
        return Metadata(metadata.icc, exif_without_gps(metadata.exif), xmp_without_gps(metadata.xmp))
    return metadata


def attach_metadata(image: Image.Image, metadata: Metadata, colours: Colours) -> None:
    """Put what a file says of its samples into an image's `info`, where Pillow's own plugins put it.

    Samples are upright, whatever EXIF and XMP say. Without an ICC profile, code points other than sRGB's give one.
    """
    icc = metadata.icc
    if not icc and colours != SRGB:
        icc = declared_profile(colour_of_code_points(*colours), gray=image.mode in ("L", "LA"))
    if icc:
        image.info["icc_profile"] = icc
    if metadata.exif and (exif := _exif(metadata.exif)):
        upright = Exif(exif.upright())
        image.info["exif"] = EXIF_PREFIX + upright.data
        if upright.resolution:
            image.info["dpi"] = upright.resolution
    if metadata.xmp:
        image.info["xmp"] = upright_xmp(metadata.xmp)


def save_options(info: Mapping[Any, Any], format: str) -> dict[str, Any]:
    """Options of `Image.save` that keep EXIF and XMP; what JPEG cannot hold is left out with a warning."""
    options: dict[str, Any] = {}
    for name in ("exif", "xmp"):
        value = info.get(name)
        if value and format == "jpeg" and len(value) > _JPEG_SEGMENT_MAX:
            warn(f"{name.upper()} is too large for JPEG and left out")
        elif value:
            options[name] = value
    if format == "png" and "xmp" in options:
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", options["xmp"].decode("utf-8", "replace"))
    if format in ("png", "jpeg") and "dpi" in info:
        options["dpi"] = info["dpi"]
    if format == "avif" and "exif" in options:  # Pillow takes blocks with this field apart, and fails where it cannot
        exif = _exif(options.pop("exif"))
        options |= {"exif": exif.without_orientation()} if exif else {}
    return options


def _raw_exif(info: Mapping[Any, Any]) -> bytes:
    return raw_profile(info, "exif") or raw_profile(info, "APP1", start=EXIF_PREFIX)


def _exif(block: Any) -> Exif | None:
    try:
        return Exif(block)
    except (TypeError, ValueError):
        warn("malformed EXIF is left out")
        return None


def _upright_exif(info: Mapping[Any, Any], exif: Exif | None) -> bytes:
    """EXIF of the upright image, with the resolution that other formats say elsewhere."""
    upright = exif.upright() if exif else b""
    resolution = given_resolution(info)
    if not resolution or (exif and exif.has_resolution):
        return upright
    is_turned = exif is not None and exif.is_turned_by_a_quarter
    return Exif(upright or EMPTY).with_resolution(*(resolution[::-1] if is_turned else resolution))


def _xmp(info: Mapping[Any, Any]) -> bytes:
    packet = info["xmp"] if "xmp" in info else raw_profile(info, "xmp") or raw_profile(info, "APP1", start=_XMP_PREFIX)
    if isinstance(packet, str):
        return packet.encode()
    if packet and not isinstance(packet, bytes):
        warn("malformed XMP is left out")
        return b""
    return packet or b""


def _limited(name: str, value: bytes, limit: int) -> bytes:
    if len(value) <= limit:
        return value
    warn(f"{name} of {len(value)} bytes is left out; at most {limit} are kept")
    return b""
