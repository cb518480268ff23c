"""PNG files of every depth, colour type, interlacing and transparency go in and come out; broken ones are refused."""

import io
import struct
import zlib

import numpy as np
import png_files
import pytest
from conftest import psnr
from PIL import Image
from png_files import SIGNATURE, Colour, Kind, chunk, gradient, header, kinds, png

from aez import PictureError, decode
from aez.api import encode_bytes

RGB = Kind(Colour.RGB, 8, interlaced=False, transparency=False)


@pytest.mark.filterwarnings("ignore:16-bit", "ignore:the picture is badly damaged")
@pytest.mark.parametrize("size", [(1, 1), (37, 29)])
@pytest.mark.parametrize("kind", [*kinds()], ids=str)
def test_every_kind_of_png(kind: Kind, size: tuple[int, int]) -> None:
    enough = 20 if kind.depth == 1 else 25
    file = png(gradient(*(max(side, 2) for side in size), kind)[: size[1], : size[0]], kind)
    result = decode(encode_bytes(file, 95))
    assert result.size == size
    with Image.open(io.BytesIO(file)) as image:
        expected = eight_bits(image, kind).convert(result.mode)
    if result.mode in ("LA", "RGBA"):
        alpha = np.asarray(expected.getchannel("A"))
        assert np.array_equal(result.getchannel("A"), alpha)
        seen = alpha > 0
        assert not seen.any() or psnr(np.asarray(result)[seen], np.asarray(expected)[seen]) > enough
    else:
        assert psnr(result, expected) > enough
    assert (result.mode in ("LA", "RGBA")) == (kind.transparency or kind.colour in (Colour.GRAY_ALPHA, Colour.RGBA))
    assert (result.mode in ("L", "LA")) == (kind.colour in (Colour.GRAY, Colour.GRAY_ALPHA))


def eight_bits(image: Image.Image, kind: Kind) -> Image.Image:
    """What the file shows; Pillow clips 16-bit gray, and scales samples, but not a transparent colour."""
    samples = np.atleast_3d(image).astype(int)
    scaled = image
    if kind.colour == Colour.GRAY and kind.depth == 16:
        scaled = Image.fromarray((samples[..., 0] // 257).astype(np.uint8))
    if kind.transparency and kind.colour != Colour.PALETTE:
        hidden = (samples == samples[-1, -1]).all(-1)
        scaled = scaled.convert("RGB")
        scaled.putalpha(Image.fromarray(np.where(hidden, 0, 255).astype(np.uint8)))
        return scaled
    return scaled.convert("RGBA") if kind.transparency else scaled


def broken_files() -> dict[str, bytes]:
    whole = png(gradient(37, 29, RGB), RGB)
    start, end = whole.index(b"IDAT"), whole.index(b"IEND")
    palette = Kind(Colour.PALETTE, 4, interlaced=False, transparency=False)
    pixels = chunk(b"IDAT", zlib.compress(bytes(29 * (1 + 3 * 37))))
    last = chunk(b"IEND", b"")
    return {
        "signature only": SIGNATURE,
        "cut in the header": whole[:20],
        "cut in the pixels": whole[: (start + end) // 2],
        "no pixels": SIGNATURE + header(37, 29, RGB) + last,
        "no header": SIGNATURE + pixels + last,
        "pixels that are not compressed": SIGNATURE + header(37, 29, RGB) + chunk(b"IDAT", bytes(500)) + last,
        "wrong header checksum": whole[:29] + bytes(4) + whole[33:],
        "no width": SIGNATURE + header(0, 29, RGB) + pixels + last,
        "negative width": SIGNATURE + header(1 << 31, 29, RGB) + pixels + last,
        "impossible depth": SIGNATURE + header(37, 29, Kind(Colour.RGB, 3, False, False)) + pixels + last,
        "no such colour type": SIGNATURE
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 37, 29, 8, 5, 0, 0, 0))
        + pixels
        + last,
        "a chunk longer than the file": SIGNATURE + header(37, 29, RGB) + b"\x7f\xff\xff\xffIDAT",
        "no palette": SIGNATURE + header(37, 29, palette) + pixels + last,
        "a bomb": SIGNATURE + header(60_000, 60_000, palette) + pixels + last,
    }


@pytest.mark.parametrize("name", [*broken_files()])
def test_broken_pngs_are_refused_in_one_line(name: str) -> None:
    with pytest.raises(PictureError) as error:
        encode_bytes(broken_files()[name])
    assert len(str(error.value).splitlines()) == 1
    assert "Error" not in str(error.value) and "()" not in str(error.value)


def test_the_writer_writes_what_pillow_reads() -> None:
    for kind in (RGB, Kind(Colour.RGB, 8, interlaced=True, transparency=False)):
        samples = gradient(37, 29, kind)
        with Image.open(io.BytesIO(png_files.png(samples, kind))) as image:
            assert np.array_equal(image, samples)
