"""Files that are nearly right: a field of the header, a section's place or its content is changed.

Checksums of the header and of sections are set right again, so that what is changed is looked at.
"""

import random
import zlib
from dataclasses import dataclass, replace

import icc_profiles
import numpy as np
import zstandard
from PIL import Image

from aez import AezError, encode
from aez.coding.encode import Encoder, Split
from aez.format.container import (
    BY_PROFILE,
    HEADER_BYTES,
    SRGB,
    Colours,
    Flags,
    Frame,
    Header,
    SectionType,
    front_sections,
    parse_header,
    rest_sections,
)
from aez.model.registry import load_model
from aez.picture.convert import from_pillow

_CONTENT_MAX = 1 << 20
_KINDS = (0, 1, 2, 3, 4, 5, 6, 7, 77, 127, 128, 129, 130, 200, 255)


@dataclass(frozen=True)
class Part:
    """A section as it will stand in a file: any type, any frame."""

    kind: int
    frame: bytes

    def packed(self, choose: random.Random) -> bytes:
        """Type, length and frame; a few with a length that lies."""
        length = len(self.frame) + (choose.choice((-1, 1, 1 << 20)) if choose.random() < 0.02 else 0)
        encoded = bytearray()
        while length > 0x7F:
            encoded.append(length & 0x7F | 0x80)
            length >>= 7
        return bytes([self.kind, *encoded, max(length, 0)]) + self.frame


def with_header(data: bytes, offset: int, value: bytes) -> bytes:
    """The file with other bytes in its header, and a right checksum."""
    packed = data[:offset] + value + data[offset + len(value) : HEADER_BYTES - 4]
    return packed + zlib.crc32(packed).to_bytes(4, "little") + data[HEADER_BYTES:]


def small_files(photograph: Image.Image) -> list[bytes]:
    """Small files of all kinds."""
    image = photograph.crop((0, 0, 60, 50))
    with_alpha = image.copy()
    with_alpha.putalpha(Image.linear_gradient("L").resize(image.size))
    profile = icc_profiles.only_a_header(b"RGB ")
    with_alpha.info.update(icc_profile=profile, exif=Image.Exif().tobytes(), xmp=b"<x/>")
    model = load_model()
    page = with_alpha.resize((90, 66))
    picture = from_pillow(page)
    split = Split(picture.seen, np.arange(30).reshape(5, 6) % 4 == 1, picture.seen, max_error=3)
    mixed = Encoder(model, picture).encode_with(9000, split).data
    all_coded = Encoder(model, from_pillow(image), forced_zeros_max_db=-1).encode(model.scale.to_stored(5)).data
    return [
        encode(with_alpha, 20),
        encode(with_alpha, 20, coding="zstd"),
        encode(image, 0),
        encode(with_alpha, 10, layers="base"),
        encode(photograph.crop((0, 0, 65, 3)).convert("L"), 30, coding="zstd"),
        all_coded,
        encode(with_alpha, "lossless"),
        mixed,
    ]


def mutated(data: bytes, choose: random.Random) -> bytes:
    """A file with one to three changes; most are no longer what an encoder would write."""
    header = parse_header(data)
    front = [Part(frame.type, frame.data) for frame in front_sections(data, header)]
    rest = [Part(frame.type, frame.data) for frame in rest_sections(data, header)]
    for _ in range(choose.randint(1, 3)):
        what = choose.random()
        if what < 0.15:
            header = _changed(header, choose)
        elif what < 0.4:
            _move(front, rest, choose)
        else:
            part = choose.choice((front, rest))
            if part:
                place = choose.randrange(len(part))
                part[place] = _changed_content(part[place], choose)
    packed_front, packed_rest = (b"".join(part.packed(choose) for part in parts) for parts in (front, rest))
    if choose.random() < 0.95:
        header = replace(header, medium_bytes=HEADER_BYTES + len(packed_front))
    whole = header.pack() + packed_front + packed_rest
    return whole[: choose.randrange(len(whole))] if choose.random() < 0.1 else whole


def _changed(header: Header, choose: random.Random) -> Header:
    changes: list[dict[str, object]] = [
        {"flags": Flags(header.flags ^ (1 << choose.randrange(7)))},
        {"quality": choose.randint(0, 57344)},
        {"width": choose.randint(1, 130)},
        {"height": choose.randint(1, 130)},
        {"colours": choose.choice((SRGB, BY_PROFILE, Colours(9, 16)))},
    ]
    return replace(header, **choose.choice(changes))  # type: ignore[arg-type]


def _move(front: list[Part], rest: list[Part], choose: random.Random) -> None:
    """Add, double, drop or move a section, within its part or to the other one, or give it another type."""
    here, there = choose.sample((front, rest), 2)
    what = choose.randrange(5)
    if what == 0 or not here:
        here.insert(choose.randint(0, len(here)), Part(choose.choice(_KINDS), packed(choose.randbytes(9))))
        return
    place = choose.randrange(len(here))
    part = here[place] if what == 1 else here.pop(place)
    if what == 4:
        part = replace(part, kind=choose.choice(_KINDS))
    if what != 2:
        target = there if choose.random() < 0.3 else here
        target.insert(choose.randint(0, len(target)), part)


def _changed_content(part: Part, choose: random.Random) -> Part:
    """Another content, with a right checksum; or a frame that is damaged, or has no checksum or content size."""
    try:
        content = bytearray(Frame(SectionType.BASE, part.frame).content(_CONTENT_MAX))
    except AezError:
        return part
    if not content:
        return part
    what = choose.randrange(6)
    if what == 0:
        return replace(part, frame=packed(bytes(content), checksum=choose.random() < 0.5, size=choose.random() < 0.5))
    if what == 1:
        frame = bytearray(part.frame)
        frame[choose.randrange(len(frame))] ^= 1 << choose.randrange(8)
        return replace(part, frame=bytes(frame) + choose.randbytes(choose.choice((0, 0, 3))))
    if what == 2:
        del content[choose.randrange(len(content)) :]
    elif what == 3:
        place = choose.randint(0, len(content))
        content[place:place] = choose.randbytes(choose.choice((1, 4, 8)))
    else:
        for _ in range(choose.randint(1, 4)):
            content[choose.randrange(len(content))] ^= 1 << choose.randrange(8)
    return replace(part, frame=packed(bytes(content)))


def packed(content: bytes, checksum: bool = True, size: bool = True) -> bytes:
    """A magicless zstd frame."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        1, format=zstandard.FORMAT_ZSTD1_MAGICLESS, write_content_size=size, write_checksum=checksum
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(content)
