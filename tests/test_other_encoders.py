"""What the specification allows and aez itself never writes: files as another encoder may make them."""

import io
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from conftest import psnr
from mutations import with_header
from PIL import Image, ImageCms
from reference_decoder import decode_exactly

import aez
from aez.api import Resolution
from aez.format.container import Flags, Section, SectionType, parse_header, write
from aez.format.contents import Contents
from aez.format.sheet import pack_sheet
from aez.model.folder import read_arrays
from aez.model.registry import DEFAULT_MODEL, find_by_name

COLOUR = (200, 100, 50)
IN_SRGB = (214, 94, 31)  # of COLOUR in Display P3


def sections(data: bytes) -> list[Section]:
    """All sections of a file."""
    return [Section(frame.type, frame.content(1 << 24)) for frame in Contents(data).frames.values()]


def rewritten(data: bytes, added: Section) -> bytes:
    """A file with a section added, or in the place of that of its type."""
    header = parse_header(data)
    kept = [section for section in sections(data) if section.type != added.type]
    found = sorted([*kept, added], key=lambda section: section.type)
    front = [section for section in found if section.type <= header.front_end]
    return write(header, front, [section for section in found if section not in front])


def seen(image: Image.Image) -> tuple[int, ...]:
    """The middle of a picture in sRGB."""
    profile = image.info.get("icc_profile")
    if profile:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        image = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"))
    return image.getpixel((image.width // 2, image.height // 2))


@pytest.mark.parametrize("resolution", ["high", "medium"])
@pytest.mark.parametrize("primaries, transfer, expected", [(12, 13, IN_SRGB), (1, 1, COLOUR), (77, 99, COLOUR)])
def test_code_points_say_what_colours_mean(
    primaries: int, transfer: int, expected: tuple[int, ...], resolution: Resolution
) -> None:
    data = with_header(aez.encode(Image.new("RGB", (80, 60), COLOUR)), 25, bytes([primaries, transfer]))
    image = aez.decode(data, resolution)
    assert np.abs(np.subtract(seen(image), expected)).max() <= 3
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.info.get("icc_profile") == image.info.get("icc_profile")


def test_a_profile_counts_for_more_than_code_points(photograph: Image.Image) -> None:
    photograph = photograph.copy()
    photograph.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = aez.encode(photograph)
    assert aez.decode(with_header(data, 25, bytes([12, 13]))).info["icc_profile"] == photograph.info["icc_profile"]


@pytest.mark.parametrize("quality", [60, "lossless"])
def test_alpha_is_the_green_of_its_sheet(photograph: Image.Image, quality: float | Literal["lossless"]) -> None:
    image = photograph.copy()
    image.putalpha(200)
    alpha = np.asarray(Image.radial_gradient("L").resize(image.size))
    sheet = np.stack([np.zeros_like(alpha), alpha, np.full_like(alpha, 255)], -1)
    data = rewritten(aez.encode(image, quality), Section(SectionType.ALPHA, pack_sheet(sheet)))
    assert len(pack_sheet(sheet)) < alpha.size
    assert np.array_equal(np.asarray(aez.decode(data).getchannel("A")), alpha)
    found = decode_exactly(data, read_arrays(find_by_name(DEFAULT_MODEL).folder)).alpha
    assert found is not None and np.array_equal(found, alpha)


def test_samples_are_upright_whatever_metadata_say(photograph: Image.Image, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
    data = rewritten(aez.encode(photograph), Section(SectionType.EXIF, exif.tobytes()[len(b"Exif\0\0") :]))
    data = rewritten(data, Section(SectionType.XMP, xmp))
    image = aez.decode(data)
    assert image.size == photograph.size
    assert image.getexif()[0x0112] == 1
    assert b'Orientation="1"' in image.info["xmp"]
    (tmp_path / "other.aez").write_bytes(data)
    with Image.open(tmp_path / "other.aez") as opened:
        assert opened.getexif()[0x0112] == 1
        assert psnr(aez.decode(aez.encode(opened, 80)), photograph) > 25


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (5, 4), (8, 9), (70, 33)])
def test_alpha_of_base_only_files_is_enlarged_as_specified(size: tuple[int, int]) -> None:
    width, height = size
    random = np.random.default_rng(1)
    image = Image.fromarray(random.integers(0, 256, (height, width, 4), np.uint8), "RGBA")
    data = aez.encode(image, 50, layers="base", exact="never")
    assert Flags.ALPHA in parse_header(data).flags
    medium = np.asarray(aez.decode(data, "medium").getchannel("A")).astype(int)
    with pytest.warns(aez.AezWarning, match="base layer only"):
        high = np.asarray(aez.decode(data).getchannel("A"))
    assert np.array_equal(high, [[enlarged(medium, row, column) for column in range(width)] for row in range(height)])


def enlarged(plane: npt.NDArray[np.int_], row: int, column: int) -> int:
    """One sample, as the specification says it."""
    near, left = row // 2, column // 2
    below = min(max(near + (1 if row % 2 else -1), 0), plane.shape[0] - 1)
    right = min(max(left + (1 if column % 2 else -1), 0), plane.shape[1] - 1)
    four = 9 * plane[near, left] + 3 * plane[near, right] + 3 * plane[below, left] + plane[below, right]
    return int(four + 8) >> 4
