"""Header and sections, as bytes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aez import DamagedError, FormatError
from aez.format.container import (
    HEADER_BYTES,
    Flags,
    Frame,
    Header,
    Section,
    SectionType,
    front_sections,
    parse_header,
    rest_sections,
    write,
)
from aez.format.quality import QUALITY_MAX

HEADER = Header(Flags.ENHANCEMENT | Flags.GRAY, 12345, 640, 480, 0xDEADBEEF, HEADER_BYTES)
section = st.builds(
    Section, st.sampled_from(SectionType), st.binary(min_size=1, max_size=3000), st.sampled_from([1, 19])
)


in_order = st.lists(section, max_size=7, unique_by=lambda s: s.type).map(lambda s: sorted(s, key=lambda s: s.type))


def both_parts(data: bytes) -> tuple[list[Frame], list[Frame]]:
    """The sections of the front part, and those behind it."""
    header = parse_header(data)
    return list(front_sections(data, header)), list(rest_sections(data, header))


@given(found=in_order)
def test_sections_come_back_in_order(found: list[Section]) -> None:
    front = [part for part in found if part.type <= SectionType.BASE]
    rest = found[len(front) :]
    first, second = both_parts(write(HEADER, front, rest))
    assert [(f.type, f.content(3000)) for f in first] == [(s.type, s.content) for s in front]
    assert [(f.type, f.content(3000)) for f in second] == [(s.type, s.content) for s in rest]


@given(
    flags=st.sampled_from(list(Flags)),
    quality=st.integers(0, QUALITY_MAX),
    width=st.integers(1, 1 << 24),
    height=st.integers(1, 1 << 24),
    model=st.integers(0, 2**32 - 1),
    medium_bytes=st.integers(HEADER_BYTES, 2**32 - 1),
)
def test_headers_come_back(**fields: int) -> None:
    header = Header(**fields)  # type: ignore[arg-type]
    assert parse_header(header.pack()) == header


@pytest.mark.parametrize("position", range(HEADER_BYTES))
def test_a_changed_header_is_noticed(position: int) -> None:
    data = bytearray(HEADER.pack())
    data[position] ^= 0x10
    with pytest.raises(FormatError):
        parse_header(bytes(data))


@pytest.mark.parametrize("length", range(HEADER_BYTES))
def test_a_truncated_header_is_noticed(length: int) -> None:
    with pytest.raises(FormatError):
        parse_header(HEADER.pack()[:length])


def test_unknown_optional_sections_are_skipped_and_critical_ones_refused() -> None:
    data = write(HEADER, [Section(SectionType.BASE, b"base")], [])
    optional, critical = bytes([200, 3]) + b"abc", bytes([77, 3]) + b"abc"
    for place in ("before", "between", "behind"):
        ((frame,), rest) = both_parts(with_section(data, optional, place))
        assert frame.content(10) == b"base"
        assert rest == []
        with pytest.raises(FormatError, match="newer version"):
            both_parts(with_section(data, critical, place))


def with_section(data: bytes, section: bytes, place: str) -> bytes:
    """A file of one section with another one before it, behind it in the front part, or behind the front part."""
    body = data[HEADER_BYTES:]
    front = {"before": section + body, "between": body + section, "behind": body}[place]
    header = replace(parse_header(data), medium_bytes=HEADER_BYTES + len(front))
    return header.pack() + front + (section if place == "behind" else b"")


FRONT_OUT_OF_PLACE = [(5,), (5, 4), (4, 4), (0,), (4, 0), (4, 128), (3, 1)]
REST_OUT_OF_PLACE = [(4,), (1, 5), (6, 5), (5, 5), (0,), (129, 128), (128, 6)]


@pytest.mark.parametrize(
    ("front", "rest"), [*((kinds, ()) for kinds in FRONT_OUT_OF_PLACE), *(((4,), kinds) for kinds in REST_OUT_OF_PLACE)]
)
def test_sections_out_of_place_are_damage(front: tuple[int, ...], rest: tuple[int, ...]) -> None:
    packed_front, packed_rest = (b"".join(bytes([kind, 1, 0]) for kind in kinds) for kinds in (front, rest))
    header = replace(HEADER, medium_bytes=HEADER_BYTES + len(packed_front))
    with pytest.raises(DamagedError, match="out of place"):
        both_parts(header.pack() + packed_front + packed_rest)


def test_content_beyond_the_limit_is_refused_before_it_is_decompressed() -> None:
    _, (frame,) = both_parts(write(HEADER, [], [Section(SectionType.EXIF, bytes(1 << 20))]))
    with pytest.raises(DamagedError, match="1048576"):
        frame.content(1 << 19)


@given(st.binary(max_size=200))
def test_any_bytes_are_sections_or_an_error(data: bytes) -> None:
    try:
        for frames in both_parts(replace(HEADER, medium_bytes=HEADER_BYTES + len(data) // 2).pack() + data):
            for frame in frames:
                frame.content(1000)
    except FormatError:
        pass


def test_a_plain_picture_costs_at_most_60_bytes_beside_its_latents() -> None:
    layers = bytes(range(256)) * 300
    data = write(HEADER, [Section(SectionType.BASE, layers, 1)], [Section(SectionType.ENHANCEMENT, b"e", 1)])
    (base,), (enhancement,) = both_parts(data)
    overhead = len(data) - len(base.data) - len(enhancement.data)
    assert overhead + 2 * (2 + 4 + 3 + 4) <= 64
