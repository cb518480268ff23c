"""Files whose blocks are all exact: the picture as WebP lossless codes it, without layers, model and networks."""

from ..format import container
from ..format.container import FASTEST, Flags, Section, SectionType
from ..format.sheet import pack_sheet
from ..picture.convert import Picture
from .sections import alpha_section, header_of, metadata_sections, profile_sections


def encode_lossless(picture: Picture) -> bytes:
    """The file of a picture, samples under alpha 0 included."""
    front = [*profile_sections(picture), Section(SectionType.EXACT, pack_sheet(picture.rgb), FASTEST)]
    if picture.alpha is not None:
        front.append(alpha_section(SectionType.ALPHA, picture.alpha))
    return container.write(header_of(picture, Flags.ALL_EXACT), front, metadata_sections(picture))
