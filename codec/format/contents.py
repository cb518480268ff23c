"""What a file contains, as far as it can be read: header, front part, and what comes behind it."""

import warnings

import numpy as np
from PIL import Image

from ..errors import AezWarning, DamagedError, FormatError
from ..picture.convert import Picture
from ..picture.metadata import ICC_MAX, METADATA_MAX, Metadata
from ..picture.samples import Plane, box_average
from . import container
from .container import Flags, Frame, Section, SectionType


def half(length: int) -> int:
    """A side of the medium picture."""
    return -(-length // 2)


class Contents:
    """The sections of a file or of its front part. What is wrong behind the front part is kept in `error`, not raised.

    Raises:
        FormatError: not an aez file, or one of a newer version.
        DamagedError: the header or the front part is truncated or altered.
    """

    def __init__(self, data: bytes) -> None:
        self.header = container.parse_header(data)
        end = self.header.medium_bytes
        if len(data) < end:
            raise DamagedError(f"truncated: {len(data)} bytes of the {end} that medium needs")
        self.frames = {frame.type: frame for frame in container.sections(data, container.HEADER_BYTES, end)}
        self.error: FormatError | None = None
        try:
            for frame in container.sections(data, end, len(data), SectionType.BASE):
                self.frames[frame.type] = frame
        except FormatError as error:
            self.error = error

    @property
    def complete(self) -> bool:
        """Whether nothing is missing, as far as can be seen without decoding."""
        expected = Flags.ENHANCEMENT in self.header.flags
        return self.error is None and (SectionType.ENHANCEMENT in self.frames or not expected)

    def required(self, kind: SectionType) -> Frame:
        """A section without which there is no picture.

        Raises:
            DamagedError: it is missing.
        """
        if kind not in self.frames:
            raise DamagedError(f"section {kind.name.lower()} is missing")
        return self.frames[kind]

    def alpha(self, high: bool) -> Plane | None:
        """Alpha of the high or of the medium picture, uint8 [H, W], if there is any.

        Raises:
            DamagedError: it is missing or damaged.
        """
        if Flags.ALPHA not in self.header.flags:
            return None
        kind, width, height = SectionType.ALPHA, self.header.width, self.header.height
        if not high:
            kind, width, height = SectionType.MEDIUM_ALPHA, half(width), half(height)
        content = self.required(kind).content(width * height)
        if len(content) != width * height:
            raise DamagedError(f"section {kind.name.lower()} has the wrong size")
        return np.frombuffer(content, np.uint8).reshape(height, width)

    def enlarged_alpha(self) -> Plane | None:
        """Alpha of the medium picture, enlarged to that of the high one.

        Raises:
            DamagedError: it is missing or damaged.
        """
        medium = self.alpha(high=False)
        if medium is None:
            return None
        size = self.header.width, self.header.height
        return np.asarray(Image.fromarray(medium).resize(size, Image.Resampling.BILINEAR))

    def metadata(self) -> Metadata:
        """ICC profile, EXIF and XMP. Lost EXIF and XMP only warn.

        Raises:
            DamagedError: the ICC profile is damaged.
        """
        if self.error is not None:
            warnings.warn(f"metadata may be lost: {self.error}", AezWarning, stacklevel=3)
        colour = self.frames.get(SectionType.COLOUR)
        return Metadata(
            icc=colour.content(ICC_MAX) if colour else b"",
            exif=self._optional(SectionType.EXIF),
            xmp=self._optional(SectionType.XMP),
        )

    def _optional(self, kind: SectionType) -> bytes:
        try:
            return self.frames[kind].content(METADATA_MAX) if kind in self.frames else b""
        except DamagedError as error:
            warnings.warn(f"{kind.name} is left out: {error}", AezWarning, stacklevel=4)
            return b""


def side_sections(picture: Picture, full_alpha: bool) -> tuple[list[Section], list[Section]]:
    """All sections but the layers: those of the front part, and those behind it. Base files need no full alpha."""
    front, rest = [], []
    metadata = picture.metadata
    if metadata.icc:
        front.append(Section(SectionType.COLOUR, metadata.icc))
    if picture.alpha is not None:
        medium = np.rint(box_average(picture.alpha)).astype(np.uint8)
        front.append(Section(SectionType.MEDIUM_ALPHA, medium.tobytes()))
        if full_alpha:
            rest.append(Section(SectionType.ALPHA, picture.alpha.tobytes()))
    for kind, content in ((SectionType.EXIF, metadata.exif), (SectionType.XMP, metadata.xmp)):
        if content:
            rest.append(Section(kind, content))
    return front, rest
