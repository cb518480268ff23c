"""Which formats are read, and that saving touches nothing but its own picture."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from conftest import psnr
from PIL import Image, ImageFile

from aez import PictureError, decode
from aez.api import encode_bytes
from aez.picture.files.formats import READABLE
from aez.picture.files.opening import open_picture
from aez.picture.files.saving import save_picture

Run = Callable[..., Result]


def file_of(image: Image.Image, format: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format)
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", sorted(READABLE - {".heic", ".heif", ".jxl", ".mpo", ".pbm"}))
def test_what_is_promised_is_read(run: Run, photograph: Image.Image, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    gray = suffix == ".pgm"
    path.write_bytes(file_of(photograph.convert("L") if gray else photograph, Image.registered_extensions()[suffix]))
    result = run("encode", path, "-o", tmp_path / "a.aez")
    assert result.exit_code == 0, result.stderr
    expected = photograph.convert("L") if gray else photograph
    assert psnr(decode((tmp_path / "a.aez").read_bytes()), expected) > (20 if suffix == ".gif" else 28)


@pytest.mark.parametrize("format", ["eps", "pcx", "ico", "sgi", "dds", "msp", "xbm", "icns", "spider", "pdf"])
def test_other_formats_are_not_even_tried(run: Run, tmp_path: Path, format: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(file_of(Image.new("1" if format in ("msp", "xbm") else "L", (64, 64)), format))
    result = run("encode", path)
    assert result.exit_code == 1
    assert result.stderr == f"aez: {path}: not a picture that can be read\n"
    assert [*tmp_path.iterdir()] == [path]


def test_formats_of_installed_plugins_are_read(photograph: Image.Image) -> None:
    pytest.importorskip("pillow_jxl")
    file = file_of(photograph, "jxl")
    assert ".jxl" in READABLE
    assert psnr(decode(encode_bytes(file)), photograph) > 28


def test_aez_files_are_read(photograph: Image.Image) -> None:
    with open_picture(file_of(photograph, "aez")) as image:
        assert psnr(image, photograph) > 25


def test_an_empty_file_is_said_to_be_empty() -> None:
    with pytest.raises(PictureError, match="empty"):
        open_picture(b"")


@pytest.mark.parametrize("metadata", [{}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0" + bytes(60_000), "xmp": b"<x/>"}])
@pytest.mark.parametrize("quality", [None, 95])
def test_noise_is_saved_as_jpeg_and_nothing_else_changes(quality: int | None, metadata: dict[str, bytes]) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8))
    noise.info.update(metadata)
    before = ImageFile.MAXBLOCK
    file = save_picture(noise, "jpeg", quality)
    assert before == ImageFile.MAXBLOCK
    with Image.open(io.BytesIO(file)) as image:
        assert {name: image.info.get(name) for name in metadata} == metadata
        if quality is None:
            assert psnr(image, noise) > 30


@pytest.mark.parametrize(
    ("file", "package"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(20), "pillow-heif"),
        (b"\0\0\0\x1cftypmif1" + bytes(20), "pillow-heif"),
        (b"\xff\x0a" + bytes(20), "pillow-jxl-plugin"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(20), "pillow-jxl-plugin"),
    ],
)
def test_the_package_that_would_read_a_file_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: bytes, package: str
) -> None:
    monkeypatch.setattr("aez.picture.files.formats._INSTALLED", {})
    (tmp_path / "a.png").write_bytes(file)
    result = run("encode", tmp_path / "a.png")
    assert result.stderr == f"aez: {tmp_path}/a.png: not a picture that can be read; pip install {package}\n"
