"""Damaged and foreign files: an error that says so, and whatever can be saved is."""

import itertools
import warnings
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from aez import AezError, AezWarning, DamagedError, FormatError, ModelError, decode, encode, info
from aez.format import container
from aez.format.container import HEADER_BYTES, Flags, Header
from aez.format.entropy import ZstdReader


@pytest.fixture(scope="module")
def data(photograph: Image.Image) -> bytes:
    image = photograph.crop((0, 0, 70, 66))
    image.info.update(exif=Image.Exif().tobytes(), xmp=b"<x/>")
    return encode(image, 30)


@pytest.fixture(scope="module")
def picture(data: bytes) -> np.ndarray:
    return np.asarray(decode(data))


def flipped(data: bytes, position: int, bit: int = 0x04) -> bytes:
    changed = bytearray(data)
    changed[position] ^= bit
    return bytes(changed)


@pytest.mark.parametrize("content", [b"", b"\x89", b"\x89PNG\r\n\x1a\n", b"hello, this is no picture at all"])
def test_foreign_data_is_refused(content: bytes) -> None:
    with pytest.raises(FormatError):
        decode(content)


@pytest.mark.filterwarnings("ignore::aez.AezWarning")
def test_every_flipped_byte_is_an_error_or_costs_only_metadata(data: bytes, picture: np.ndarray) -> None:
    for position in range(len(data)):
        damaged = flipped(data, position)
        if position < metadata_start(data):
            with pytest.raises(AezError):
                decode(damaged)
        else:
            assert np.array_equal(decode(damaged), picture)


def metadata_start(data: bytes) -> int:
    """Where EXIF and XMP begin: everything before is needed for the high picture."""
    sizes = {s.type: s.bytes for s in info(data).sections}
    return len(data) - sum(sizes[name] + 2 for name in ("exif", "xmp"))


@pytest.mark.filterwarnings("ignore::aez.AezWarning")
def test_every_truncation_is_an_error_or_costs_only_metadata(data: bytes) -> None:
    for length in range(0, len(data), 3):
        if length < metadata_start(data):
            with pytest.raises(AezError):
                decode(data[:length])
        else:
            assert decode(data[:length]).size == (70, 66)


@pytest.mark.parametrize("position", [-3, -12, -30])
def test_damaged_metadata_is_left_out_with_a_note(data: bytes, picture: np.ndarray, position: int) -> None:
    with pytest.warns(AezWarning, match=r"left out|if there w"):
        assert np.array_equal(decode(flipped(data, len(data) + position)), picture)


@pytest.mark.filterwarnings("ignore::aez.AezWarning")
def test_medium_outlives_damage_behind_the_front_part(data: bytes) -> None:
    medium = np.asarray(decode(data, "medium"))
    front = info(data).medium_bytes
    for damaged in (data[:front], data[: front + 5], flipped(data, front + 12)):
        assert np.array_equal(decode(damaged, "medium"), medium)
        with pytest.raises(DamagedError, match=r"enhancement layer is .* medium still decodes"):
            decode(damaged)
        with pytest.warns(AezWarning, match=r"enhancement layer is .* generated from the base layer"):
            assert decode(damaged, upscale=True).size == (70, 66)


def test_metadata_that_was_read_is_not_said_to_be_lost(data: bytes) -> None:
    sizes = {section.type: section.bytes + 2 for section in info(data).sections}
    for length, lost in (
        (metadata_start(data) + 1, "EXIF and XMP, if there were any, are lost: the file is truncated"),
        (len(data) - sizes["xmp"] + 1, "XMP, if there was any, is lost: the file is truncated"),
    ):
        with pytest.warns(AezWarning) as notes:
            decode(data[:length])
        assert [str(note.message) for note in notes] == [lost]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(data + b"\0").size == (70, 66)


def repacked(data: bytes, **fields: object) -> bytes:
    """The file with other values in its header, and a right checksum."""
    header = container.parse_header(data)
    return Header(**{**header.__dict__, **fields}).pack() + data[HEADER_BYTES:]  # type: ignore[arg-type]


def test_an_unknown_model_is_named(data: bytes) -> None:
    with pytest.raises(ModelError, match="needs model 12345678"):
        decode(repacked(data, model=0x12345678))


def test_a_header_that_lies_about_the_picture_is_noticed(data: bytes) -> None:
    lies: list[dict[str, object]] = [
        {"width": 700},
        {"height": 1},
        {"quality": 57344},
        {"quality": 65535},
        {"medium_bytes": 0},
        {"flags": Flags.ENHANCEMENT | Flags.ZSTD},
    ]
    for lie in lies:
        with pytest.raises(AezError):
            decode(repacked(data, **lie))


def test_declared_sizes_are_checked_first(data: bytes) -> None:
    with pytest.raises(AezError, match="megapixels"):
        decode(repacked(data, width=1 << 24, height=1 << 24))


@pytest.mark.filterwarnings("ignore::aez.AezWarning")
def test_an_unknown_critical_section_is_refused_but_for_medium(data: bytes) -> None:
    newer = data + bytes([77, 1, 0])
    with pytest.raises(FormatError, match=r"newer version .* medium still decodes"):
        decode(newer)
    assert decode(newer, "medium").size == (35, 33)


@pytest.mark.filterwarnings("ignore::aez.AezWarning")
def test_medium_outlives_every_flipped_bit_in_the_heads_of_later_sections(data: bytes) -> None:
    medium, picture = np.asarray(decode(data, "medium")), np.asarray(decode(data))
    head = info(data).medium_bytes
    for section in info(data).sections[1:]:
        for position, bit in itertools.product(range(head, head + 3), range(8)):
            damaged = flipped(data, position, 1 << bit)
            assert np.array_equal(decode(damaged, "medium"), medium)
            with suppress(FormatError):
                assert np.array_equal(decode(damaged), picture)
        head += section.bytes + (2 if section.bytes < 128 else 3)


@pytest.mark.parametrize("symbol", [-(2**31), 2**17 + 1, 127, 0])
def test_escapes_that_no_encoder_writes_are_refused(symbol: int) -> None:
    with pytest.raises(DamagedError, match="impossible"):
        ZstdReader(bytes([128]) + symbol.to_bytes(4, "little", signed=True) + b"\1\0\0\0")


@pytest.mark.filterwarnings("ignore::aez.AezWarning")
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_mutated_files_never_do_worse_than_an_error(data: bytes, draw: st.DataObject) -> None:
    changed = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 5))):
        changed[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    cut = bytes(changed[: draw.draw(st.integers(0, len(data)))])
    for resolution in ("medium", "high"):
        with suppress(AezError):
            assert decode(cut, resolution).size in ((70, 66), (35, 33))
