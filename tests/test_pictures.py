"""Pictures of every kind go in and come out."""

import io
import itertools
import struct
import warnings
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import get_args

import numpy as np
import png_files
import pytest
from conftest import psnr
from PIL import Image, ImageCms

from aez import AezWarning, DamagedError, PictureError, QualityWarning, decode, decode_file, encode, info
from aez.api import Resolution, encode_bytes
from aez.coding.encode import Coding, Encoder
from aez.format import container
from aez.format.container import Flags
from aez.model.registry import load_model
from aez.picture import samples
from aez.picture.convert import from_pillow
from aez.picture.files.saving import save_picture

COLOUR_ERROR = 20


def reencoded(image: Image.Image, quality: float = 90) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QualityWarning)  # some of the pictures are dithered
        return decode(encode(image, quality))


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (63, 64), (64, 65), (129, 2), (171, 133)])
def test_any_size_comes_back_in_both_resolutions(sample: Image.Image, size: tuple[int, int]) -> None:
    image = sample.resize(size)
    data = encode(image, 90)
    assert decode(data).size == size
    assert psnr(decode(data), image) > 28
    medium = decode(data, "medium")
    assert medium.size == ((size[0] + 1) // 2, (size[1] + 1) // 2)
    assert psnr(medium, samples.box_average(np.asarray(image))) > 28


@pytest.mark.parametrize("colour", ["white", "black", "gray", "red", "lime", "blue", "yellow", "navy"])
@pytest.mark.parametrize("size", [(1, 1), (128, 64), (70, 66)])
@pytest.mark.parametrize("quality", [70, 100])
def test_one_colour_reaches_to_the_edges(colour: str, size: tuple[int, int], quality: float) -> None:
    image = Image.new("RGB", size, colour)
    data = encode(image, quality)
    for resolution in get_args(Resolution):
        samples_of = np.asarray(decode(data, resolution)).astype(int)
        assert np.abs(samples_of - image.getpixel((0, 0))).max() <= COLOUR_ERROR


def test_edges_of_photographs_are_as_good_as_their_middles(sample: Image.Image) -> None:
    errors = np.zeros((64, 64))
    for left, top in itertools.product(range(0, sample.width - 63, 128), range(0, sample.height - 63, 128)):
        part = sample.crop((left, top, left + 64, top + 64))
        decoded = np.asarray(decode(encode(part, 70))).astype(float)
        errors += np.square(decoded - np.asarray(part)).mean(axis=2)
    middle = np.zeros((64, 64), bool)
    middle[8:-8, 8:-8] = True
    edge = np.ones((64, 64), bool)
    edge[2:-2, 2:-2] = False
    assert errors[edge].mean() < 2 * errors[middle].mean()


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
    assert np.array_equal(medium, samples.half_size(np.asarray(alpha)))


def test_a_palette_with_alpha_is_kept(photograph: Image.Image) -> None:
    image = photograph.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    palette = image.quantize(64)
    result = reencoded(palette)
    assert np.array_equal(result.getchannel("A"), palette.convert("RGBA").getchannel("A"))


def test_16_bit_gray_keeps_its_transparent_level(photograph: Image.Image) -> None:
    deep = Image.fromarray(np.asarray(photograph.convert("L")).astype(np.uint16) * 257)
    deep.info["transparency"] = 257 * 60
    with pytest.warns(AezWarning, match="16-bit"):
        result = reencoded(deep)
    assert np.array_equal(np.asarray(result.getchannel("A")) == 0, np.asarray(deep) == 257 * 60)


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
    assert np.array_equal(samples.fill_transparent(colour, alpha), np.full_like(colour, 80))


SPLIT = np.mgrid[:64, :64][1]


@pytest.mark.parametrize("alpha", [1, 2, 4])
def test_colours_that_are_hardly_seen_do_not_get_into_medium(alpha: int) -> None:
    image = np.zeros((64, 64, 4), np.uint8)
    image[:, :33] = 255, 0, 0, 255
    image[:, 33:] = 0, 255, 0, alpha
    data = encode(Image.fromarray(image), 80)
    on_white = [shown_on_white(decode(data)), shown_on_white(decode(data, "medium"))]
    right = [shown_on_white(Image.fromarray(image)), samples.box_average(shown_on_white(Image.fromarray(image)))]
    for result, expected in zip(on_white, right, strict=True):
        assert psnr(result, expected) > 34


@pytest.mark.parametrize("edge", [4, 40])
def test_black_under_a_soft_edge_costs_nothing_visible(photograph: Image.Image, edge: int) -> None:
    image = photograph.resize((64, 64)).convert("RGBA")
    alpha = np.clip((40 - SPLIT) * 255 // edge, 0, 255).astype(np.uint8)
    image.putalpha(Image.fromarray(alpha))
    black = np.asarray(image).copy()
    black[alpha < 16, :3] = 0
    for result in (decode(encode(image, 90)), decode(encode(Image.fromarray(black), 90))):
        assert np.array_equal(result.getchannel("A"), alpha)
        assert psnr(shown_on_white(result), shown_on_white(image)) > 32


def shown_on_white(image: Image.Image) -> np.ndarray:
    alpha = np.asarray(image.getchannel("A"), float)[..., None] / 255
    return np.asarray(image.convert("RGB")) * alpha + 255 * (1 - alpha)


@pytest.mark.parametrize("compression", [None, "tga_rle"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_of_tga_counts_if_its_header_says_so(photograph: Image.Image, mode: str, compression: str | None) -> None:
    image = photograph.convert(mode)
    image.putalpha(0)
    buffer = io.BytesIO()
    image.save(buffer, "tga", compression=compression)
    file = bytearray(buffer.getvalue())
    assert file[17] & 15 == 8
    assert decode(encode_bytes(bytes(file))).mode == mode
    file[17] &= 0xF0
    result = decode(encode_bytes(bytes(file), 90))
    assert result.mode == mode.removesuffix("A")
    assert psnr(result, photograph.convert(result.mode)) > 30


def test_16_bit_is_reduced_with_a_note(photograph: Image.Image) -> None:
    deep = Image.fromarray(np.asarray(photograph.convert("L")).astype(np.uint16) * 257)
    with pytest.warns(AezWarning, match="16-bit"):
        result = reencoded(deep)
    assert psnr(result, photograph.convert("L")) > 30


def test_cmyk_is_converted_with_a_note(photograph: Image.Image) -> None:
    with pytest.warns(AezWarning, match="CMYK"):
        result = reencoded(photograph.convert("CMYK"))
    assert psnr(result, photograph) > 30


LAB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


@pytest.mark.filterwarnings("ignore:the malformed ICC profile")
@pytest.mark.parametrize("profile", [b"junk", LAB_PROFILE])
def test_cmyk_with_a_useless_profile_is_converted_without_it(photograph: Image.Image, profile: bytes) -> None:
    image = photograph.convert("CMYK")
    image.info["icc_profile"] = profile
    with pytest.warns(AezWarning, match="converted to RGB"):
        result = reencoded(image)
    assert psnr(result, photograph) > 30
    assert "icc_profile" not in result.info


def test_transparent_gray_levels_become_alpha(photograph: Image.Image) -> None:
    for mode in ("1", "L"):
        image = photograph.convert(mode)
        image.info["transparency"] = 0
        result = reencoded(image)
        assert result.mode == "LA"
        assert np.array_equal(np.asarray(result.getchannel("A")) == 0, np.asarray(image.convert("L")) == 0)


def test_the_first_frame_of_several_is_kept_with_a_note(photograph: Image.Image) -> None:
    buffer = io.BytesIO()
    photograph.save(buffer, "webp", save_all=True, append_images=[photograph.rotate(180)], lossless=True)
    with Image.open(buffer) as animation:
        with pytest.warns(AezWarning, match="only frame 1 of 2"):
            assert psnr(reencoded(animation).convert("RGB"), photograph) > 30
        animation.seek(1)
        with pytest.warns(AezWarning, match="only frame 2 of 2"):
            assert psnr(reencoded(animation).convert("RGB"), photograph.rotate(180)) > 30


@pytest.mark.parametrize("format", ["gif", "tiff", "webp", "png"])
def test_animations_cut_anywhere_are_read_or_refused(photograph: Image.Image, format: str) -> None:
    buffer = io.BytesIO()
    small = photograph.resize((20, 15))
    small.save(buffer, format, save_all=True, append_images=[small.rotate(90), small.rotate(180)])
    file = buffer.getvalue()
    for length in range(0, len(file), max(1, len(file) // 40)):
        with warnings.catch_warnings(), suppress(PictureError):
            warnings.simplefilter("ignore")
            assert decode(encode_bytes(file[:length])).size == (20, 15)


def test_metadata_is_kept(photograph: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = photograph.copy()
    image.info.update(exif=exif.tobytes(), xmp=b"<x:xmpmeta/>", icc_profile=profile)
    data = encode(image)
    result = decode(data)
    assert result.getexif()[0x010F] == "a camera"
    assert result.info["xmp"] == b"<x:xmpmeta/>"
    assert result.info["icc_profile"] == profile
    assert decode(data[: info(data).medium_bytes], "medium").info["icc_profile"] == profile


@pytest.mark.parametrize("source", ["jpeg", "png", "webp", "avif", "tiff"])
@pytest.mark.parametrize("target", ["jpeg", "png", "webp", "avif"])
def test_metadata_survives_from_format_to_format(photograph: Image.Image, source: str, target: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif[0x8769] = {0x9003: "2026:01:02 03:04:05"}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    file = io.BytesIO()
    photograph.save(file, source, exif=exif.tobytes(), icc_profile=profile)
    image = decode(encode_bytes(file.getvalue(), 80))
    with Image.open(io.BytesIO(save_picture(image, target))) as result:  # type: ignore[arg-type]
        tags = result.getexif()
        assert tags[0x010F] == "a camera"
        assert tags.get_ifd(0x8769)[0x9003] == "2026:01:02 03:04:05"
        assert result.info["icc_profile"] == profile


@pytest.mark.parametrize("exif", [b"II*\0", b"junk"])
def test_malformed_exif_costs_the_exif_only(photograph: Image.Image, exif: bytes) -> None:
    file = io.BytesIO()
    photograph.save(file, "png", exif=exif)
    with pytest.warns(AezWarning, match="malformed EXIF"):
        data = encode_bytes(file.getvalue(), 80)
    result = decode(data)
    assert psnr(result, photograph) > 30
    assert "exif" not in result.info


@pytest.mark.filterwarnings("ignore:CMYK")
def test_malformed_exif_leaves_the_other_metadata_as_it_should_be(photograph: Image.Image) -> None:
    image = photograph.convert("CMYK")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image.info.update(exif=b"Exif\0\0II*\0", xmp=b"<x/>", icc_profile=profile)
    with pytest.warns(AezWarning, match="malformed EXIF"):
        result = decode(encode(image))
    assert result.info["xmp"] == b"<x/>"
    assert "icc_profile" not in result.info


def test_metadata_beyond_the_limits_is_left_out_with_a_note(photograph: Image.Image) -> None:
    image = photograph.copy()
    image.info.update(icc_profile=bytes((4 << 20) + 1), xmp=bytes((16 << 20) + 1))
    with pytest.warns(AezWarning, match="left out"):
        data = encode(image)
    assert not {"icc_profile", "xmp"} & decode(data).info.keys()


def test_metadata_too_large_for_jpeg_is_left_out_there(photograph: Image.Image) -> None:
    image = photograph.copy()
    image.info["xmp"] = bytes(70_000)
    with pytest.warns(AezWarning, match="too large for JPEG"):
        file = save_picture(image, "jpeg")
    assert "xmp" not in Image.open(io.BytesIO(file)).info


def test_too_many_pixels_are_refused_both_ways(photograph: Image.Image) -> None:
    with pytest.raises(PictureError, match="megapixels"):
        encode(photograph, max_pixels=1000)
    with pytest.raises(PictureError, match="megapixels"):
        decode(encode(photograph), max_pixels=1000)


def test_thin_pictures_are_measured_with_their_padding() -> None:
    with pytest.raises(PictureError, match="megapixels"):
        encode(Image.new("L", (3_000_000, 1)))


def test_words_that_are_no_option_are_refused(photograph: Image.Image) -> None:
    for options in ({"layers": "medium"}, {"coding": "rans"}):
        with pytest.raises(ValueError, match="must be one of"):
            encode(photograph, **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must be one of"):
        decode(encode(photograph), "full")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="device must be one of"):
        encode(photograph, device="gpu")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: encode("img.png"), "image must be a PIL.Image.Image, not str; aez.encode_file takes paths"),
        (
            lambda: encode(Image.new("L", (1, 1)), "50"),
            'quality must be a number, an aez.Target or "lossless", not str',
        ),
        (lambda: decode("hello"), "data must be bytes, not str; aez.decode_file takes paths"),
        (lambda: info(None), "data must be bytes, not NoneType"),
    ],
)
def test_what_is_of_another_type_is_said(call: Callable[[], object], line: str) -> None:
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value) == line


def test_a_format_that_is_none_is_said_before_anything_is_read(tmp_path: Path) -> None:
    for word in ("gif", "PNG"):
        with pytest.raises(ValueError, match=f"format must be one of png, jpeg, webp, avif, not '{word}'"):
            decode_file(tmp_path / "none.aez", tmp_path / "x.png", format=word)  # type: ignore[arg-type]


def png_of(kind: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", 4, 4, 8, kind, 0, 0, 0)
    rows = png_files.chunk(b"IDAT", zlib.compress(bytes(5 * 4)))
    return (
        png_files.SIGNATURE + png_files.chunk(b"IHDR", header) + b"".join(chunks) + rows + png_files.chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "file",
    [png_of(3), png_of(3, png_files.chunk(b"PLTE", bytes(9)), png_files.chunk(b"tRNS", bytes(300)))],
    ids=["without a palette", "more transparency than colours"],
)
def test_palettes_that_are_none_are_said(file: bytes) -> None:
    with pytest.raises(PictureError, match="cannot be read"):
        encode_bytes(file)


def test_a_sheet_may_be_larger_than_pillow_opens(photograph: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(photograph, "lossless")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(data).tobytes() == photograph.tobytes()


def test_alpha_of_a_front_part_is_enlarged_when_upscaling(photograph: Image.Image) -> None:
    image = photograph.copy()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    data = encode(image)
    front = data[: info(data).medium_bytes]
    with pytest.warns(AezWarning) as notes:
        result = decode(front, upscale=True)
    assert [str(note.message) for note in notes] == [
        "the alpha plane is missing; alpha is enlarged from that of medium",
        "the enhancement layer is missing; the high picture is generated from the base layer",
    ]
    assert result.mode == "RGBA"
    assert psnr(result.getchannel("A"), image.getchannel("A")) > 40


def test_a_base_file_has_the_alpha_of_medium_only(photograph: Image.Image) -> None:
    image = photograph.copy()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    data = encode(image, layers="base")
    assert [section.type for section in info(data).sections] == ["medium_alpha", "base"]
    with pytest.warns(AezWarning, match="generated"):
        assert psnr(decode(data).getchannel("A"), image.getchannel("A")) > 40


@pytest.mark.filterwarnings("ignore:the file holds")
def test_a_base_file_whose_alpha_is_damaged_does_not_promise_medium(photograph: Image.Image) -> None:
    image = photograph.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    damaged = bytearray(encode(image, layers="base"))
    damaged[60] ^= 4
    for resolution in ("high", "medium"):
        with pytest.raises(DamagedError, match=r"medium_alpha is damaged$"):
            decode(bytes(damaged), resolution)  # type: ignore[arg-type]


def test_a_base_file_decodes_to_medium_and_is_upscaled_with_a_note(sample: Image.Image) -> None:
    data = encode(sample, 50, layers="base")
    whole = encode(sample, 50)
    assert len(data) < len(whole)
    assert np.array_equal(decode(data, "medium"), decode(whole, "medium"))
    with pytest.warns(AezWarning, match="generated"):
        generated = decode(data)
    with pytest.warns(AezWarning, match="enhancement layer is missing; the high picture is generated"):
        assert np.array_equal(decode(whole[: info(whole).medium_bytes], upscale=True), generated)
    lanczos = decode(data, "medium").resize(sample.size, Image.Resampling.LANCZOS)
    assert psnr(generated, sample) > psnr(lanczos, sample)


def test_the_front_part_alone_is_a_medium_file(photograph: Image.Image) -> None:
    data = encode(photograph)
    front = data[: info(data).medium_bytes]
    assert info(front).complete is False
    assert np.array_equal(decode(front, "medium"), decode(data, "medium"))


def test_a_file_is_complete_only_with_all_that_high_needs(photograph: Image.Image) -> None:
    image = photograph.crop((0, 0, 70, 66))
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    data = encode(image)
    kinds = [section.type for section in info(data).sections]
    assert kinds[-2:] == ["enhancement", "alpha"]
    for end in range(info(data).medium_bytes, len(data)):
        assert not info(data[:end]).complete
    assert info(data).complete
    assert info(encode(image, layers="base")).complete


def test_both_codings_decode_to_the_same_picture(photograph: Image.Image) -> None:
    pictures = [decode(encode(photograph, coding=coding)) for coding in ("ans", "zstd")]
    assert np.array_equal(*pictures)


def test_text_survives() -> None:
    image = Image.new("L", (192, 128), 255)
    image.paste(0, (40, 40, 42, 100))
    for x, y in itertools.product(range(60, 180, 6), range(30, 100, 9)):
        image.paste(0, (x, y, x + 2, y + 5))
    assert psnr(reencoded(image, 80), image) > 28


def test_zeros_are_coded_where_forcing_them_would_show(photograph: Image.Image) -> None:
    for coding in get_args(Coding):
        encoder = Encoder(load_model(), from_pillow(photograph), coding=coding, forced_zeros_max_db=-1)
        data = encoder.encode(encoder.model.scale.to_stored(10)).data
        assert Flags.ALL_CODED in container.parse_header(data).flags
        assert psnr(decode(data), photograph) > 22


def test_photographs_force_certain_zeros(sample: Image.Image) -> None:
    assert Flags.ALL_CODED not in container.parse_header(encode(sample, 50)).flags
