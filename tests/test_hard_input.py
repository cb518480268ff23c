"""Files that lie, ask for a lot or are no files: one clear line, exit code 1, nothing left behind, little memory."""

import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from mutations import with_header
from PIL import Image

from aez import AezError, AezWarning, DamagedError, decode, encode
from aez.format import container
from aez.format.container import HEADER_BYTES, Flags, Header, Section, SectionType
from aez.format.entropy import SYMBOL_MAX, AnsReader, AnsWriter, ZstdWriter
from aez.model.registry import load_model

Run = Callable[..., Result]
AEZ = [sys.executable, "-m", "aez.cli"]
MEMORY_MAX = 1_500_000_000
SECONDS_MAX = 10


@pytest.fixture(scope="module")
def data(photograph: Image.Image) -> bytes:
    return encode(photograph.crop((0, 0, 70, 66)), 30)


def bomb(size: int) -> bytes:
    """A magicless zstd frame, one segment with checksum, that declares `size` bytes and holds none."""
    return b"\xe4" + struct.pack("<Q", size) + b"\x01\x00\x00" + bytes(4)


def with_section(data: bytes, kind: SectionType, frame: bytes) -> bytes:
    """The header with this section as its whole front part."""
    section = bytes([kind, len(frame)]) + frame
    return with_header(data, 20, struct.pack("<I", HEADER_BYTES + len(section)))[:HEADER_BYTES] + section


def bad_files(data: bytes) -> dict[str, tuple[bytes, str]]:
    """Contents by name, each with a part of the line it should be answered with."""
    base = container.parse_header(data).medium_bytes
    return {
        "empty": (b"", "not an aez file"),
        "text": (b"a letter to a friend, not a picture", "not an aez file"),
        "wrong magic": (b"\x88" + data[1:], "not an aez file"),
        "header cut": (data[:20], "header is truncated"),
        "earlier version": (with_header(data, 4, b"\x01"), "version 1 is not supported"),
        "future version": (with_header(data, 4, b"\x03"), "version 3 is not supported"),
        "more bits": (with_header(data, 24, b"\x0a"), "10 bits a sample are not supported"),
        "a profile that is missing": (with_header(data, 25, b"\x02\x02"), "section colour is missing"),
        "future version with another header": (data[:4] + b"\x03 and what it likes", "version 3 is not supported"),
        "another field": (with_header(data, 27, b"\x01"), "unknown header field"),
        "unknown flag": (with_header(data, 5, b"\x80"), "unknown header flags"),
        "unknown model": (with_header(data, 16, b"\x78\x56\x34\x12"), "needs model 12345678"),
        "impossible quality": (with_header(data, 6, b"\xff\xff"), "impossible values"),
        "no width": (with_header(data, 8, bytes(4)), "0 x 66 pixels"),
        "largest sides": (with_header(data, 8, struct.pack("<II", 1 << 24, 1 << 24)), "megapixels"),
        "too large a side": (with_header(data, 8, b"\xff" * 4), "pixels"),
        "limit of pixels": (with_header(data, 8, struct.pack("<II", 16_000, 8_000)), "too short"),
        "limit, one row": (with_header(data, 8, struct.pack("<II", 2_000_000, 1)), "too short"),
        "limit, zstd": (with_header(data, 5, struct.pack("<BHII", 3, 9000, 16_000, 8_000)), "a layer "),
        "front part cut": (data[: base - 1], "truncated"),
        "base of gigabytes": (with_section(data, SectionType.BASE, bomb(8 << 30)), "declares 8589934592 bytes"),
        "base of exabytes": (with_section(data, SectionType.BASE, bomb(1 << 62)), "declares"),
        "base that is empty": (with_section(data, SectionType.BASE, bomb(0)), "declares 0 bytes"),
        "profile of gigabytes": (with_section(data, SectionType.COLOUR, bomb(8 << 30)), "base is missing"),
        "frame longer than the file": (data[:HEADER_BYTES] + b"\x03\xff\xff\xff\xff\x0f", "truncated"),
        "nothing but a header": (with_header(data, 20, struct.pack("<I", HEADER_BYTES))[:HEADER_BYTES], "missing"),
    }


@pytest.mark.parametrize("name", bad_files(Header(Flags(0), 0, 70, 66, 0, 99).pack() + bytes(71)))
def test_bad_files_are_one_line(run: Run, tmp_path: Path, data: bytes, name: str) -> None:
    content, expected = bad_files(data)[name]
    path = tmp_path / "bad.aez"
    path.write_bytes(content)
    result = run("decode", path)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"aez: {path}: ")
    assert expected in line
    assert [*tmp_path.iterdir()] == [path]


MEASURED = """
import resource, subprocess, sys

status = subprocess.run([sys.executable, *sys.argv[1:]], stderr=subprocess.DEVNULL).returncode
print(status, 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.parametrize("name", ["limit of pixels", "limit, one row", "limit, zstd", "base of gigabytes"])
def test_bombs_need_little_memory_and_time(tmp_path: Path, data: bytes, name: str) -> None:
    (tmp_path / "bomb.aez").write_bytes(bad_files(data)[name][0])
    measured = [sys.executable, "-c", MEASURED, *AEZ[1:], "decode", tmp_path / "bomb.aez"]
    result = subprocess.run(measured, capture_output=True, text=True, check=False, timeout=SECONDS_MAX)
    status, peak = map(int, result.stdout.split())
    assert status == 1
    assert peak < MEMORY_MAX


@pytest.mark.parametrize(("command", "name"), [("encode", "none.png"), ("decode", "none.aez"), ("info", "none.aez")])
def test_what_does_not_exist(run: Run, tmp_path: Path, command: str, name: str) -> None:
    result = run(command, tmp_path / name)
    assert result.exit_code == 1
    assert result.stderr == f"aez: {tmp_path / name}: No such file or directory\n"


def test_info_of_a_folder(run: Run, tmp_path: Path) -> None:
    assert run("info", tmp_path).stderr == f"aez: {tmp_path}: Is a directory\n"


def test_a_folder_without_pictures(run: Run, tmp_path: Path) -> None:
    for command in ("encode", "decode"):
        result = run(command, tmp_path)
        assert result.exit_code != 0
        assert "Traceback" not in result.stderr


def test_truncation_at_every_section_border(data: bytes) -> None:
    border = HEADER_BYTES
    borders = [border]
    header = container.parse_header(data)
    for frame in [*container.front_sections(data, header), *container.rest_sections(data, header)]:
        border += 1 + (1 if len(frame.data) < 128 else 2) + len(frame.data)
        borders.append(border)
    assert borders[-1] == len(data)
    for cut in borders[:-1]:
        with pytest.raises(DamagedError):
            decode(data[:cut])


@pytest.mark.parametrize("symbol", [SYMBOL_MAX, -SYMBOL_MAX, 2100])
def test_latents_beyond_their_range_are_refused(data: bytes, symbol: int) -> None:
    model, header = load_model(), container.parse_header(data)
    blocks = -(-header.height // 64) * -(-header.width // 64)
    writer = ZstdWriter()
    symbols = np.zeros(blocks * (model.hyper + 16 * model.base), np.int32)
    symbols[-1] = symbol
    writer.write(symbols, np.ones(symbols.size, np.uint8), model.scale_tables)
    flags = Flags.ZSTD | Flags.ALL_CODED
    forged = Header(flags, header.quality, header.width, header.height, header.model)
    with pytest.raises(DamagedError, match="latents are out of range"):
        decode(container.write(forged, [Section(SectionType.BASE, writer.finish() + bytes(4))], []), "medium")


def test_a_stream_of_longest_escapes_is_read_to_its_end() -> None:
    tables, indices = load_model().scale_tables, np.full(200, 9, np.uint8)
    symbols = np.tile(np.array([SYMBOL_MAX, -SYMBOL_MAX], np.int32), 100)
    writer = AnsWriter()
    writer.write(symbols, indices, tables)
    reader = AnsReader(writer.finish())
    assert np.array_equal(reader.read(indices, tables), symbols)
    reader.finish()


@pytest.mark.parametrize("kind", [SectionType.EXIF, SectionType.XMP])
def test_metadata_that_declares_gigabytes_is_left_out(data: bytes, kind: SectionType) -> None:
    frame = bomb(8 << 30)
    with pytest.warns(AezWarning, match="left out"):
        assert decode(data + bytes([kind, len(frame)]) + frame).size == (70, 66)


INTERRUPTED = """
import os, signal, sys
from pathlib import Path

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs

write_bytes = Path.write_bytes
number = int(sys.argv.pop(1))

def interrupted(path, data):
    write_bytes(path, data[: len(data) // 2])
    os.kill(os.getpid(), number)
    write_bytes(path, data)

Path.write_bytes = interrupted
from aez.cli import main
main()
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9), (signal.SIGINT, 1)])
def test_interrupted_while_writing(tmp_path: Path, photograph: Image.Image, number: int, status: int) -> None:
    photograph.save(tmp_path / "img.png")
    (tmp_path / "img.aez").write_bytes(b"what was there before")
    command = [sys.executable, "-c", INTERRUPTED, str(int(number)), "encode", "-f", tmp_path / "img.png"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == status
    assert "Traceback" not in result.stderr
    assert (tmp_path / "img.aez").read_bytes() == b"what was there before"
    if number != signal.SIGKILL:
        assert sorted(path.name for path in tmp_path.iterdir()) == ["img.aez", "img.png"]


def test_a_wrong_checksum_of_the_latents_is_noticed(data: bytes) -> None:
    header = container.parse_header(data)
    (base,), (enhancement,) = container.front_sections(data, header), container.rest_sections(data, header)
    content = bytearray(base.content(1 << 20))
    content[-1] ^= 1
    repacked = container.write(
        header,
        [Section(SectionType.BASE, bytes(content))],
        [Section(SectionType.ENHANCEMENT, enhancement.content(1 << 20))],
    )
    with pytest.raises(AezError, match="do not match their checksum"):
        decode(repacked)
