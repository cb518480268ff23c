"""Files of the past decode as they did: the same latents (their checksum is in the file), nearly the same samples."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from aez import decode, encode, info
from aez.format import container
from aez.format.container import Flags, SectionType
from aez.format.contents import Contents

FOLDER = Path(__file__).parent / "golden"


@pytest.mark.filterwarnings("ignore::aez.AezWarning")
@pytest.mark.parametrize("expected", sorted(FOLDER.glob("*.png")), ids=lambda path: path.stem)
def test_golden_files_decode_as_they_did(expected: Path) -> None:
    name, resolution = expected.stem.split(".")
    image = decode((FOLDER / f"{name}.aez").read_bytes(), resolution)  # type: ignore[arg-type]
    with Image.open(expected) as picture:
        assert image.mode == picture.mode
        difference = np.abs(np.asarray(image).astype(int) - np.asarray(picture))
    assert difference.max(initial=0) <= 1
    assert (difference > 0).mean() <= 0.001


def test_golden_files_cover_the_format() -> None:
    files = [path.read_bytes() for path in FOLDER.glob("*.aez")]
    flags = [container.parse_header(data).flags for data in files]
    for flag in Flags:
        assert {flag in found for found in flags} == {True, False}
    assert {(info(data).width, info(data).height) for data in files} >= {(1, 1), (109, 81), (1100, 70), (16390, 3)}
    assert {kind for data in files for kind in Contents(data).frames} == set(SectionType)


def test_golden_metadata_stay() -> None:
    image = decode((FOLDER / "eyes-2_metadata.aez").read_bytes())
    assert image.getexif()[ExifTags.Base.ImageDescription] == "a parrot"
    assert image.info["xmp"] == b"<x:xmpmeta/>"
    profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)


WITHOUT_CONSTRICTION = """
import sys

sys.modules["constriction"] = None
import aez
from PIL import Image

image, *files = sys.argv[1:]
for file in files:
    aez.decode(open(file, "rb").read())
sys.stdout.buffer.write(aez.encode(Image.open(image), 70))
"""


def test_where_constriction_has_no_wheels_files_are_the_same(photograph: Image.Image, tmp_path: Path) -> None:
    photograph.save(tmp_path / "img.png")
    files = [path for path in FOLDER.glob("*.aez") if "base" not in path.name]
    command = [sys.executable, "-c", WITHOUT_CONSTRICTION, tmp_path / "img.png", *files]
    assert subprocess.run(command, capture_output=True, check=True).stdout == encode(photograph, 70)
