"""A JPEG without its end marker is read, with a note; one that really ends too early is an error."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from conftest import psnr
from exif_blocks import block, orientation
from PIL import Image

from aez import AezWarning, PictureError, decode
from aez.api import encode_bytes
from aez.picture.files.opening import open_picture, plain_picture

Run = Callable[..., Result]
NOTE = "the JPEG lacks its end marker"
KINDS = {
    "baseline": {},
    "progressive": {"progressive": True},
    "without subsampling": {"optimize": True, "subsampling": 0},
    "restarts": {"restart_marker_blocks": 5},
    "restarts of rows": {"restart_marker_rows": 1, "progressive": True},
}


def jpeg(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "jpeg", quality=85, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:CMYK is converted")
def test_only_the_marker_is_missing(photograph: Image.Image, kind: str, mode: str) -> None:
    file = jpeg(photograph.convert(mode), exif=b"Exif\0\0" + block(orientation(6)), **KINDS[kind])
    whole, _ = plain_picture(file)
    for end in (-1, -2):
        with warnings.catch_warnings(record=True) as notes:  # some pictures need no marker
            warnings.simplefilter("always")
            shown, _ = plain_picture(file[:end])
        assert {str(note.message) for note in notes} - {"CMYK is converted to RGB"} <= {NOTE}
        assert np.array_equal(shown, whole)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AezWarning)
            result = decode(encode_bytes(file[:end], 90))
        assert result.size == (133, 171)
        assert psnr(result, whole) > 28


@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_missing(photograph: Image.Image, kind: str) -> None:
    file = jpeg(photograph, **KINDS[kind])
    scans = [place for place in range(len(file)) if file[place : place + 2] in (b"\xff\xda", b"\xff\xc4", b"\xff\xd3")]
    ends = {len(file) - 3, len(file) - 4, len(file) - 6, *range(3, len(file) - 3, 211), *scans}
    for end in ends:
        with pytest.raises(PictureError, match="read"):
            plain_picture(file[:end])


def test_the_command_line_says_so(run: Run, photograph: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(photograph)[:-2])
    result = run("encode", path)
    assert (result.exit_code, result.stderr) == (0, f"aez: {path}: note: {NOTE}\n")
    path.write_bytes(jpeg(photograph)[:-200])
    result = run("encode", path, "-f")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"aez: {path}: cannot be read (")
    assert len(result.stderr.splitlines()) == 1


def test_other_formats_that_end_early_stay_errors(photograph: Image.Image) -> None:
    buffer = io.BytesIO()
    photograph.save(buffer, "png")
    with open_picture(buffer.getvalue()[:-2000]), pytest.raises(PictureError):
        plain_picture(buffer.getvalue()[:-2000])
