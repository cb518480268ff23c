"""Pictures of every kind go in and come out."""

import io
import itertools

import numpy as np
import pytest
from conftest import psnr
from PIL import Image, ImageCms

from aez import AezWarning, PictureError, decode, encode, images, info


def reencoded(image: Image.Image, quality: float = 90) -> Image.Image:
    return decode(encode(image, quality))


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (63, 64), (64, 65), (129, 2), (171, 133)])
def test_any_size_comes_back_in_both_resolutions(sample: Image.Image, size: tuple[int, int]) -> None:
    image = sample.resize(size)
    data = encode(image, 90)
    assert decode(data).size == size
    assert psnr(decode(data), image) > 28
    medium = decode(data, "medium")
    assert medium.size == ((size[0] + 1) // 2, (size[1] + 1) // 2)
    assert psnr(medium, images.box_average(np.asarray(image))) > 28


def test_quality_is_monotone_in_size_and_psnr(photograph: Image.Image) -> None:
    coded = [encode(photograph, quality) for quality in (0, 12.5, 40, 70, 100)]
    assert [len(data) for data in coded] == sorted(len(data) for data in coded)
    values = [psnr(decode(data), photograph) for data in coded]
    assert values == sorted(values)
    assert info(coded[1]).quality == 12.5


@pytest.mark.parametrize("quality", [-1, 100.5, float("nan")])
def test_a_quality_out_of_range_is_refused(photograph: Image.Image, quality: float) -> None:
    with pytest.raises(ValueError, match="quality"):
        encode(photograph, quality)


@pytest.mark.parametrize(("mode", "kept"), [("L", "L"), ("1", "L"), ("RGB", "RGB"), ("P", "RGB"), ("YCbCr", "RGB")])
def test_modes_without_alpha(photograph: Image.Image, mode: str, kept: str) -> None:
    image = photograph.convert(mode)
    result = reencoded(image)
    assert result.mode == kept
    assert psnr(result, image.convert(kept)) > {"1": 12, "P": 20}.get(mode, 30)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA", "La", "RGBa"])
def test_alpha_is_lossless_and_hidden_colours_cost_nothing_visible(photograph: Image.Image, mode: str) -> None:
    kept = "LA" if mode in ("LA", "La") else "RGBA"
    alpha = Image.radial_gradient("L").resize(photograph.size).point(lambda v: 0 if v > 200 else 255 - v)
    image = photograph.convert(kept)
    image.putalpha(alpha)
    data = encode(image.convert(mode), 90)
    result = decode(data)
    assert result.mode == kept
    assert np.array_equal(result.getchannel("A"), alpha)
    shown = np.asarray(alpha) > 100
    assert psnr(np.asarray(result.convert("RGB"))[shown], np.asarray(image.convert("RGB"))[shown]) > 30
    medium = decode(data, "medium").getchannel("A")
    assert np.array_equal(medium, np.rint(images.box_average(np.asarray(alpha))))


def test_palette_transparency_is_kept(photograph: Image.Image) -> None:
    image = photograph.convert("P")
    image.info["transparency"] = image.getpixel((5, 5))
    result = reencoded(image)
    assert result.mode == "RGBA"
    assert np.array_equal(result.getchannel("A"), image.convert("RGBA").getchannel("A"))


def test_colours_under_alpha_zero_continue_their_surroundings() -> None:
    colour = np.full((40, 40, 3), 80, np.uint8)
    alpha = np.full((40, 40), 255, np.uint8)
    colour[5:30, 5:30], alpha[5:30, 5:30] = 255, 0
    assert np.array_equal(images.fill_transparent(colour, alpha), np.full_like(colour, 80))


def test_16_bit_is_reduced_with_a_note(photograph: Image.Image) -> None:
    deep = Image.fromarray(np.asarray(photograph.convert("L")).astype(np.uint16) * 257)
    with pytest.warns(AezWarning, match="16-bit"):
        result = reencoded(deep)
    assert psnr(result, photograph.convert("L")) > 30


def test_cmyk_is_converted_with_a_note(photograph: Image.Image) -> None:
    with pytest.warns(AezWarning, match="CMYK"):
        result = reencoded(photograph.convert("CMYK"))
    assert psnr(result, photograph) > 30


def test_the_first_frame_of_several_is_kept_with_a_note(photograph: Image.Image) -> None:
    buffer = io.BytesIO()
    photograph.save(buffer, "webp", save_all=True, append_images=[photograph.rotate(180)], lossless=True)
    with Image.open(buffer) as animation, pytest.warns(AezWarning, match="first"):
        result = reencoded(animation)
    assert psnr(result.convert("RGB"), photograph) > 30


def test_metadata_is_kept(photograph: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    image = photograph.copy()
    image.info.update(exif=exif.tobytes(), xmp=b"<x:xmpmeta/>", icc_profile=profile)
    data = encode(image)
    result = decode(data)
    assert result.getexif()[0x010F] == "a camera"
    assert result.info["xmp"] == b"<x:xmpmeta/>"
    assert result.info["icc_profile"] == profile
    assert decode(data[: info(data).medium_bytes], "medium").info["icc_profile"] == profile


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_orientation_is_applied_and_its_tag_reset(photograph: Image.Image, orientation: int) -> None:
    turn = {3: 180, 6: 90, 8: 270}[orientation]
    turned = photograph.rotate(turn, expand=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    turned.save(buffer, "png", exif=exif)
    with Image.open(buffer) as image:
        result = reencoded(image)
    assert psnr(result, photograph) > 30
    assert 0x0112 not in result.getexif()


def test_too_many_pixels_are_refused_both_ways(photograph: Image.Image) -> None:
    with pytest.raises(PictureError, match="megapixels"):
        encode(photograph, max_pixels=1000)
    with pytest.raises(PictureError, match="megapixels"):
        decode(encode(photograph), max_pixels=1000)


def test_a_base_file_decodes_to_medium_and_is_upscaled_with_a_note(sample: Image.Image) -> None:
    data = encode(sample, 50, layers="base")
    whole = encode(sample, 50)
    assert len(data) < len(whole)
    assert np.array_equal(decode(data, "medium"), decode(whole, "medium"))
    with pytest.warns(AezWarning, match="generated"):
        generated = decode(data)
    lanczos = decode(data, "medium").resize(sample.size, Image.Resampling.LANCZOS)
    assert psnr(generated, sample) > psnr(lanczos, sample)


def test_the_front_part_alone_is_a_medium_file(photograph: Image.Image) -> None:
    data = encode(photograph)
    front = data[: info(data).medium_bytes]
    assert info(front).complete is False
    assert np.array_equal(decode(front, "medium"), decode(data, "medium"))


def test_both_codings_decode_to_the_same_picture(photograph: Image.Image) -> None:
    pictures = [decode(encode(photograph, coding=coding)) for coding in ("ans", "zstd")]
    assert np.array_equal(*pictures)


def test_text_survives_because_zeros_are_not_forced_there() -> None:
    image = Image.new("L", (192, 128), 255)
    image.paste(0, (40, 40, 42, 100))
    for x, y in itertools.product(range(60, 180, 6), range(30, 100, 9)):
        image.paste(0, (x, y, x + 2, y + 5))
    assert psnr(reencoded(image, 80), image) > 28
