"""What files with and without layers have in common: the header's fields, profile, alpha, metadata."""

from ..arrays import Samples
from ..format.container import BY_PROFILE, FASTEST, SRGB, Flags, Header, Section, SectionType
from ..format.sheet import pack_sheet
from ..picture.convert import Picture


def header_of(picture: Picture, flags: Flags, quality: int = 0, model: int = 0) -> Header:
    """The header of a picture's file; the flags that the picture has are added."""
    height, width, _ = picture.rgb.shape
    flags |= Flags.GRAY if picture.gray else Flags(0)
    flags |= Flags.ALPHA if picture.alpha is not None else Flags(0)
    colours = BY_PROFILE if picture.metadata.icc else SRGB
    return Header(flags, quality, width, height, model, colours=colours)


def profile_sections(picture: Picture) -> list[Section]:
    """The ICC profile, if there is one."""
    icc = picture.metadata.icc
    return [Section(SectionType.COLOUR, icc)] if icc else []


def alpha_section(kind: SectionType, alpha: Samples) -> Section:
    """Alpha [H, W]: as it is, or as a sheet of gray where that is smaller."""
    plain = Section(kind, alpha.tobytes())
    sheet = Section(kind, pack_sheet(alpha[..., None].repeat(3, 2)), FASTEST)
    smaller = len(sheet.content) < alpha.size and len(sheet.packed) < len(plain.packed)
    return sheet if smaller else plain


def metadata_sections(picture: Picture) -> list[Section]:
    """EXIF and XMP, if there are any."""
    metadata = picture.metadata
    found = [(SectionType.EXIF, metadata.exif), (SectionType.XMP, metadata.xmp)]
    return [Section(kind, content) for kind, content in found if content]
