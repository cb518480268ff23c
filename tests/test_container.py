"""Header and sections, as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aez import DamagedError, FormatError
from aez.format.container import HEADER_BYTES, Flags, Header, Section, SectionType, parse_header, sections, write

HEADER = Header(Flags.ENHANCEMENT | Flags.GRAY, 12345, 640, 480, 0xDEADBEEF, 28)
section = st.builds(
    Section, st.sampled_from(SectionType), st.binary(min_size=1, max_size=3000), st.sampled_from([1, 19])
)


in_order = st.lists(section, max_size=7, unique_by=lambda s: s.type).map(lambda s: sorted(s, key=lambda s: s.type))


@given(found=in_order, cut=st.integers(0, 7))
def test_sections_come_back_in_order(found: list[Section], cut: int) -> None:
    front, rest = found[:cut], found[cut:]
    data = write(HEADER, front, rest)
    header = parse_header(data)
    first = list(sections(data, HEADER_BYTES, header.medium_bytes))
    second = list(sections(data, header.medium_bytes, len(data), first[-1].type if first else 0))
    assert [(f.type, f.content(3000)) for f in first] == [(s.type, s.content) for s in front]
    assert [(f.type, f.content(3000)) for f in second] == [(s.type, s.content) for s in rest]


@given(
    flags=st.sampled_from(list(Flags)),
    quality=st.integers(0, 32768),
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
    (frame,) = sections(optional + data[HEADER_BYTES:], 0, 5 + len(data) - HEADER_BYTES)
    assert frame.content(10) == b"base"
    with pytest.raises(FormatError, match="newer version"):
        list(sections(critical, 0, len(critical)))


@pytest.mark.parametrize("kinds", [(4, 3), (3, 3), (0,), (3, 0)])
def test_sections_out_of_order_are_damage(kinds: tuple[int, ...]) -> None:
    data = b"".join(bytes([kind, 1, 0]) for kind in kinds)
    with pytest.raises(DamagedError, match="out of place"):
        list(sections(data, 0, len(data)))


def test_content_beyond_the_limit_is_refused_before_it_is_decompressed() -> None:
    data = write(HEADER, [Section(SectionType.EXIF, bytes(1 << 20))], [])
    (frame,) = sections(data, HEADER_BYTES, len(data))
    with pytest.raises(DamagedError, match="1048576"):
        frame.content(1 << 19)


@given(st.binary(max_size=200))
def test_any_bytes_are_sections_or_an_error(data: bytes) -> None:
    try:
        for frame in sections(data, 0, len(data)):
            frame.content(1000)
    except FormatError:
        pass


def test_a_plain_picture_costs_at_most_60_bytes_beside_its_latents() -> None:
    layers = bytes(range(256)) * 300
    data = write(HEADER, [Section(SectionType.BASE, layers, 1)], [Section(SectionType.ENHANCEMENT, b"e", 1)])
    (base, enhancement) = sections(data, HEADER_BYTES, len(data))
    overhead = len(data) - len(base.data) - len(enhancement.data)
    assert overhead + 2 * (2 + 4 + 3 + 4) <= 60
