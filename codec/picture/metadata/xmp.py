"""XMP packets, changed byte by byte."""

import re

_ORIENTATION = re.compile(rb"""(tiff:Orientation(?:\s*=\s*["']|>)\s*)[2-8]""")

_EXTENSION = re.compile(
    rb"""\sxmpNote:HasExtendedXMP\s*=\s*(?:"[^"]*"|'[^']*')|<xmpNote:HasExtendedXMP>[^<]*</xmpNote:HasExtendedXMP>"""
)


def upright_xmp(packet: bytes) -> bytes:
    """The packet for an upright picture.

    XMP repeats the orientation of EXIF, and is often wrong after somebody has turned the picture. Browsers do not look
    at it; Pillow does where EXIF says nothing. So it never turns a picture here, and says 1 in what is written.
    """
    return _ORIENTATION.sub(rb"\g<1>1", packet)


def without_extension(packet: bytes) -> bytes:
    """The packet without a reference to further segments of a JPEG file, in which very long XMP goes on."""
    return _EXTENSION.sub(b"", packet)
