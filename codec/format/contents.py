"""What a file contains, as far as it can be read: header, front part, and what comes behind it."""

from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from ..arrays import Samples
from ..errors import DamagedError, FormatError, warn
from . import container
from .container import Flags, Frame, SectionType
from .exact import ExactBlocks, exact_share, grid_of, unpack_all_exact, unpack_exact, unpack_map, unpack_max_error
from .sheet import Size, unpack_sheet

ICC_MAX = 4 << 20
METADATA_MAX = 16 << 20
_EXACT_MARGIN = 1 << 16


@dataclass(frozen=True)
class Metadata:
    """As files hold it: an ICC profile, EXIF from its TIFF header on, an XMP packet. Empty where there is none."""

    icc: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""


class Contents:
    """The sections of a file or of its front part. What is wrong behind the front part is kept in `error`, not raised.

    Raises:
        FormatError: not an aez file, or one of a newer version.
        DamagedError: the header or the front part is truncated or altered.
    """

    def __init__(self, data: bytes) -> None:
        self.header = container.parse_header(data)
        self.frames = {frame.type: frame for frame in container.front_sections(data, self.header)}
        self.error: FormatError | None = None
        try:
            for frame in container.rest_sections(data, self.header):
                self.frames[frame.type] = frame
        except FormatError as error:
            self.error = error

    @property
    def complete(self) -> bool:
        """Whether nothing is missing, as far as can be seen without decoding."""
        return self.error is None and all(kind in self.frames for kind in self._expected())

    @property
    def newer(self) -> bool:
        """Whether something behind the front part belongs to a newer format."""
        return self.error is not None and not isinstance(self.error, DamagedError)

    @property
    def has_samples(self) -> bool:
        """Whether there are exact blocks. What they say of themselves takes memory by the size of the picture."""
        return self.header.all_exact or Flags.EXACT in self.header.flags

    @property
    def lacks_high(self) -> bool:
        """Whether the file ends before all of what only high needs is there."""
        return not self.newer and any(kind not in self.frames for kind in self._expected())

    def _expected(self) -> list[SectionType]:
        """What a complete file has behind its front part, besides metadata."""
        flags = self.header.flags
        if Flags.ENHANCEMENT not in flags:
            return []
        return [SectionType.ENHANCEMENT, *([SectionType.ALPHA] if Flags.ALPHA in flags else [])]

    def required(self, kind: SectionType) -> Frame:
        """A section without which there is no picture.

        Raises:
            DamagedError: it is missing.
        """
        if kind not in self.frames:
            raise DamagedError(f"section {kind.name.lower()} is missing")
        return self.frames[kind]

    def exact_share(self) -> float:
        """Share of the pixels that are in exact blocks.

        Raises:
            DamagedError: that is damaged.
        """
        header = self.header
        if Flags.EXACT not in header.flags:
            return float(header.all_exact)
        height, width = header.height, header.width
        return exact_share(unpack_map(self._exact_beginning, height, width)[0], height, width)

    def max_error(self) -> int | None:
        """How many levels exact samples may be off, if there are any.

        Raises:
            DamagedError: that is damaged.
        """
        return unpack_max_error(self._exact_beginning) if self.has_samples else None

    def exact_blocks(self) -> ExactBlocks | None:
        """The exact blocks of a file with layers, if it has any.

        Raises:
            DamagedError: they are missing or damaged.
        """
        header = self.header
        if Flags.EXACT not in header.flags:
            return None
        return unpack_exact(self._exact_content, header.height, header.width)

    def exact_picture(self) -> Samples:
        """The samples [H, W, 3] of a file whose blocks are all exact.

        Raises:
            DamagedError: they are missing or damaged.
        """
        return unpack_all_exact(self._exact_content, self._size)

    @property
    def _exact_content(self) -> bytes:
        return self.required(SectionType.EXACT).content(self._exact_limit)

    @cached_property
    def _exact_beginning(self) -> bytes:
        """What exact blocks say of themselves: the largest error and the map, without the samples behind."""
        blocks = 0 if self.header.all_exact else prod(grid_of(*self._size))
        return self.required(SectionType.EXACT).beginning(1 + -(-blocks // 8), self._exact_limit)

    @property
    def _exact_limit(self) -> int:
        return 4 * self._size.height * self._size.width + _EXACT_MARGIN

    @property
    def _size(self) -> Size:
        return Size(self.header.height, self.header.width)

    def alpha(self) -> Samples | None:
        """Alpha of the high picture, uint8 [H, W], if there is any.

        Raises:
            DamagedError: it is missing or damaged.
        """
        return self._alpha(SectionType.ALPHA, self._size)

    def medium_alpha(self) -> Samples | None:
        """Alpha of the medium picture, uint8 [ceil(H/2), ceil(W/2)], if there is any, of files with layers.

        Raises:
            DamagedError: it is missing or damaged.
        """
        return self._alpha(SectionType.MEDIUM_ALPHA, Size(self.header.medium_height, self.header.medium_width))

    def _alpha(self, kind: SectionType, size: Size) -> Samples | None:
        if Flags.ALPHA not in self.header.flags:
            return None
        content = self.required(kind).content(size.height * size.width)
        if len(content) == size.height * size.width:
            return np.frombuffer(content, np.uint8).reshape(size)
        return unpack_sheet(content, size)[..., 1]

    def metadata(self) -> Metadata:
        """ICC profile, EXIF and XMP. Lost EXIF and XMP only warn.

        Raises:
            DamagedError: the ICC profile is damaged, or missing where the header refers to it.
        """
        if self.error is not None and SectionType.XMP not in self.frames:  # which is the last of all sections
            behind_exif = SectionType.EXIF in self.frames
            lost = "XMP, if there was any, is" if behind_exif else "EXIF and XMP, if there were any, are"
            warn(f"{lost} lost: {self.error}")
        by_profile = self.header.colours == container.BY_PROFILE
        colour = self.required(SectionType.COLOUR) if by_profile else self.frames.get(SectionType.COLOUR)
        return Metadata(
            icc=colour.content(ICC_MAX) if colour else b"",
            exif=self._optional(SectionType.EXIF),
            xmp=self._optional(SectionType.XMP),
        )

    def _optional(self, kind: SectionType) -> bytes:
        try:
            return self.frames[kind].content(METADATA_MAX) if kind in self.frames else b""
        except DamagedError as error:
            warn(f"{kind.name} is left out: {error}")
            return b""
