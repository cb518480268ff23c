"""Files without what they say of people and places: EXIF and XMP."""

from dataclasses import replace

from ..errors import DamagedError
from . import container
from .container import SectionType
from .contents import Contents

_METADATA = (SectionType.EXIF, SectionType.XMP)


def without_metadata(data: bytes) -> bytes:
    """The same picture, as a file without EXIF, XMP, and sections that this version does not know.

    The ICC profile stays, and what can be read of a damaged file. The front part of a file that aez has written is the
    same, byte for byte.

    Raises:
        FormatError: not an aez file, or one of a newer version.
        DamagedError: the header or the front part is truncated or altered.
    """
    contents = Contents(data)
    if contents.error is not None and not isinstance(contents.error, DamagedError):
        raise contents.error
    kept = [frame for frame in contents.frames.values() if frame.type not in _METADATA]
    front = b"".join(frame.pack() for frame in kept if frame.type <= contents.header.front_end)
    rest = b"".join(frame.pack() for frame in kept if frame.type > contents.header.front_end)
    header = replace(contents.header, medium_bytes=container.HEADER_BYTES + len(front))
    return header.pack() + front + rest
