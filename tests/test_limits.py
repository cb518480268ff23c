"""Pictures that are too large are refused before they are decoded, by the limit that was given and no other."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image

from aez import PictureError, api, decode, encode_file, info
from aez.api import encode_bytes
from aez.format.container import Flags, Header
from aez.limits import MAX_PIXELS
from aez.picture.files.formats import READABLE
from aez.picture.files.opening import open_picture, plain_picture

Run = Callable[..., Result]
HUGE = 14_000, 14_000
SUFFIXES = sorted(READABLE - {".heic", ".heif", ".jxl", ".mpo", ".pbm"})


def file_of(image: Image.Image, format: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format)
    return buffer.getvalue()


def huge_png() -> bytes:
    """196 megapixels in 24 kB."""
    return file_of(Image.new("1", HUGE), "png")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_only_the_given_limit_counts(
    run: Run, photograph: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    image = photograph.convert("L")
    file = file_of(image, Image.registered_extensions()[suffix])
    path = tmp_path / f"a{suffix}"
    path.write_bytes(file)
    pixels = image.width * image.height
    assert decode(encode_bytes(file)).size == image.size
    assert encode_file(path, tmp_path / "a.aez", max_pixels=pixels).width == image.width
    assert plain_picture(file, pixels)[0].size == image.size
    for refused in (open_picture, plain_picture):
        with pytest.raises(PictureError, match=r"171 x 133 is more than 0\.022742 megapixels"):
            refused(file, pixels - 1)
    with pytest.raises(PictureError, match=r"is more than 0\.022742 megapixels"):
        encode_bytes(file, max_pixels=pixels - 1)
    assert run("encode", path, "-f").exit_code == 0
    result = run("encode", path, "-f", "--max-pixels", pixels - 1)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "--max-pixels raises the limit" in result.stderr


def huge_webp() -> bytes:
    """225 megapixels, by its header."""
    file = file_of(Image.new("RGB", (15, 15)), "webp")
    return file[:26] + struct.pack("<HH", 15_000, 15_000) + file[30:]


@pytest.mark.parametrize("flags", [Flags(0), Flags.EXACT, Flags.ALL_EXACT], ids=str)
def test_what_is_said_of_huge_files_takes_no_memory(run: Run, tmp_path: Path, flags: Flags) -> None:
    header = Header(flags, quality=0, width=1 << 24, height=1 << 24, model=0, medium_bytes=32).pack()
    (tmp_path / "a.aez").write_bytes(header)
    if flags:
        with pytest.raises(PictureError, match="16777216 x 16777216 is more than 128 megapixels"):
            info(header)
    else:
        assert info(header).exact_share == 0
    result = run("info", tmp_path / "a.aez")
    assert (result.exit_code, result.stderr.count("\n")) == ((1, 1) if flags else (0, 0))
    missing = run("info", tmp_path / "a.aez", "--max-pixels", 1 << 48)
    assert (missing.exit_code, missing.stderr.count("\n")) == ((1, 1) if flags else (0, 0))


@pytest.mark.parametrize("size", [(40, 20_000), (30_000, 1), (1500, 900)])
@pytest.mark.parametrize("limit", ["128M", "300M"])
def test_whatever_is_encoded_is_written_and_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], limit: str
) -> None:
    drawn = Image.new("L", size, 255)
    drawn.paste(0, (0, 0, size[0] // 2 + 1, size[1] // 2 + 1))
    drawn.save(tmp_path / "a.png")
    if limit != "128M":  # a smaller usual limit stands for a larger picture
        monkeypatch.setattr(api.info, "__kwdefaults__", {"model": None, "max_pixels": 10_000})
    result = run("encode", tmp_path / "a.png", "--lossless", "--max-pixels", limit)
    assert (result.exit_code, result.stderr) == (0, "")
    (tmp_path / "b").mkdir()
    (tmp_path / "a.png").rename(tmp_path / "b" / "a.png")
    assert run("batch", tmp_path / "b", tmp_path / "c", "--lossless", "--max-pixels", limit).exit_code == 0


def test_more_than_pillow_allows_is_opened_if_it_is_allowed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Image.MAX_IMAGE_PIXELS
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", before)
    for file, size in ((huge_png(), HUGE), (huge_webp(), (15_000, 15_000))):
        with open_picture(file, 10**9) as image:
            assert image.size == size


def test_the_usual_limit_leaves_that_of_the_process_alone() -> None:
    file, before = huge_png(), Image.MAX_IMAGE_PIXELS
    for refused in (open_picture, plain_picture, encode_bytes):
        with pytest.raises(PictureError, match="14000 x 14000 is more than 128 megapixels"):
            refused(file)
    assert before == Image.MAX_IMAGE_PIXELS
    assert MAX_PIXELS == 128_000_000


def test_a_large_picture_is_loaded_without_warnings_of_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    for format in ("tiff", "gif", "png", "webp"):
        buffer = io.BytesIO()
        small = [Image.new("L", (64, 48), level) for level in (0, 255)]
        small[0].save(
            buffer, format, save_all=True, append_images=small[1:], **({"disposal": 2} if format == "gif" else {})
        )
        with open_picture(buffer.getvalue(), 64 * 48) as image:
            assert len(image.tobytes()) in (64 * 48, 3 * 64 * 48)


SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "


def codestream(width: int, height: int) -> bytes:
    """The beginning of one, by ISO/IEC 18181-1."""
    bits = 3 << 1 | (height - 1) << 3 | 3 << (33 + 3) | (width - 1) << (33 + 5)
    return b"\xff\x0a" + bits.to_bytes(10, "little")


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L4s", 8 + len(content), kind) + content


def containers(stream: bytes) -> dict[str, bytes]:
    parts = [box(b"jxlp", struct.pack(">L", n) + stream[n : n + 1]) for n in range(len(stream))]
    large = struct.pack(">L4sQ", 1, b"jxlc", 16 + len(stream)) + stream
    return {
        "bare": stream,
        "boxed": SIGNATURE + box(b"jxlc", stream),
        "behind others": SIGNATURE + box(b"Exif", bytes(99)) + box(b"jxlc", stream),
        "in parts": SIGNATURE + b"".join(parts),
        "to the end": SIGNATURE + b"\0\0\0\0jxlc" + stream,
        "with a long length": SIGNATURE + large,
    }


@pytest.mark.parametrize("container", containers(b""))
@pytest.mark.parametrize("size", [(30_000, 30_000), (1 << 30, 1), (1, 1 << 30), (1 << 30, 1 << 30)])
def test_huge_jpeg_xl_is_refused_before_it_is_decoded(size: tuple[int, int], container: str) -> None:
    pytest.importorskip("pillow_jxl")
    file = containers(codestream(*size))[container]
    with pytest.raises(PictureError, match=f"{size[0]} x {size[1]} is more than 1 megapixels"):
        open_picture(file, 1_000_000)


@pytest.mark.parametrize(
    "file",
    [
        b"\xff\x0a",
        SIGNATURE,
        SIGNATURE + b"\0\0\0",
        SIGNATURE + box(b"jxlc", b""),
        SIGNATURE + box(b"jxlp", b"\0\0"),
        SIGNATURE + b"\0\0\0\1jxlc",
        SIGNATURE + box(b"jxlc", b"\xff"),
        SIGNATURE + b"\0\0\0\4jxlc" + bytes(99),
    ],
)
def test_jpeg_xl_without_a_size_is_refused(file: bytes) -> None:
    pytest.importorskip("pillow_jxl")
    with pytest.raises(PictureError, match="cannot be read"):
        open_picture(file)


SIZES = [(1, 1), (8, 8), (256, 256), (264, 8), (9, 7), (512, 512), (513, 1), (3, 8193)]
SHAPES = [(12, 10), (4, 3), (15, 10), (16, 9), (5, 4), (2, 1), (24, 20), (1366, 768), (640, 480)]


@pytest.mark.parametrize("boxed", [False, True])
@pytest.mark.parametrize(("width", "height"), SIZES + SHAPES)
def test_jpeg_xl_is_as_large_as_its_header_says(width: int, height: int, boxed: bool) -> None:
    pytest.importorskip("pillow_jxl")
    buffer = io.BytesIO()
    Image.new("L", (width, height)).save(buffer, "jxl", use_container=boxed)
    with open_picture(buffer.getvalue(), width * height) as image:
        assert image.size == (width, height)
    with pytest.raises(PictureError, match=f"{width} x {height} is more than"):
        open_picture(buffer.getvalue(), width * height - 1)
