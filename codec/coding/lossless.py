"""Files whose blocks are all exact: samples as WebP lossless codes them, without layers, model and networks."""

from ..format import container
from ..format.container import FASTEST, Flags, Section, SectionType
from ..format.exact import pack_all_exact
from ..picture.convert import Picture
from .sections import alpha_section, header_of, metadata_sections, profile_sections


def encode_lossless(picture: Picture, max_error: int = 0) -> bytes:
    """The file of a picture, samples under alpha 0 included, which are so many levels off those of the original."""
    content = pack_all_exact(picture.rgb, max_error)
    front = [*profile_sections(picture), Section(SectionType.EXACT, content, FASTEST)]
    if picture.alpha is not None:
        front.append(alpha_section(SectionType.ALPHA, picture.alpha))
    return container.write(header_of(picture, Flags.ALL_EXACT), front, metadata_sections(picture))
