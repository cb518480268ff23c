"""Samples of more than 8 bits, and of fewer, come out as bright as they were meant, with a note if they are reduced."""

import base64
import io
import itertools
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import png_files
import pytest
from click.testing import Result
from PIL import Image
from png_files import Colour
from tiff_files import BLACK_IS_ZERO, FLOAT, SIGNED, WHITE_IS_ZERO, Kind, tiff

from aez import AezWarning, PictureError, decode, encode
from aez.api import LOSSLESS, encode_bytes
from aez.picture.files import jxl

Run = Callable[..., Result]
RAMP = np.tile(np.linspace(0, 1, 64), (64, 1))
SHOWN = np.rint(RAMP * 255).astype(np.uint8)


def coded(source: bytes | Image.Image) -> tuple[npt.NDArray[np.uint8], list[str]]:
    """What comes out of a file or an image, and the notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = encode_bytes(source, 90) if isinstance(source, bytes) else encode(source, 90)
    assert {warning.category for warning in caught} <= {AezWarning}
    return np.asarray(decode(data)), [str(warning.message) for warning in caught]


def expected(samples: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(decode(encode(Image.fromarray(samples), 90)))


def nearly(samples: npt.NDArray[np.uint8], others: npt.NDArray[np.uint8]) -> bool:
    """Whether both are the same picture, when one of them was rounded twice."""
    return float(np.abs(samples.astype(int) - others).mean()) < 1


WHOLE = [
    Kind(bits, photometric, order=order, deflated=deflated)
    for bits, photometric, order, deflated in itertools.product(
        (1, 2, 4, 8, 12, 16), (WHITE_IS_ZERO, BLACK_IS_ZERO), "<>", (False, True)
    )
]


@pytest.mark.parametrize("kind", WHOLE, ids=str)
def test_whole_numbers_of_every_depth_are_shown_or_refused(kind: Kind) -> None:
    largest = (1 << kind.bits) - 1
    meant = np.rint(RAMP * largest)
    samples = largest - meant if kind.photometric == WHITE_IS_ZERO else meant
    try:
        result, notes = coded(tiff(samples, kind))
    except PictureError as error:
        assert str(error) == "not a picture that can be read"
        assert kind.bits > 8
        assert kind.order == ">" or kind.bits == 12
        return
    assert np.array_equal(result, expected(np.rint(meant * 255 / largest).astype(np.uint8)))
    assert notes == ([f"{kind.bits}-bit samples are reduced to 8 bits"] if kind.bits > 8 else [])


def test_the_command_line_shows_12_bits(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff(np.rint(RAMP * 4095), Kind(12)))
    assert run("encode", tmp_path / "a.tif").stderr == f"aez: {tmp_path / 'a.tif'}: note: " + (
        "12-bit samples are reduced to 8 bits\n"
    )
    assert np.array_equal(decode((tmp_path / "a.aez").read_bytes()), decode(encode(Image.fromarray(SHOWN))))


SPECIALS = [np.nan, np.inf, -np.inf, 1.0001, 1.9, 300, 1e30, np.float32(3.4e38), -0.2, -9999, -1e30]


@pytest.mark.parametrize("photometric", [WHITE_IS_ZERO, BLACK_IS_ZERO])
@pytest.mark.parametrize("special", SPECIALS)
def test_a_few_strange_fractions_change_only_themselves(special: float, photometric: int) -> None:
    samples = (1 - RAMP if photometric == WHITE_IS_ZERO else RAMP).astype(np.float32)
    samples[20, 30] = special
    result, notes = coded(tiff(samples, Kind(32, photometric, FLOAT)))
    assert nearly(result, SHOWN)
    black, white = (1, 0) if photometric == WHITE_IS_ZERO else (0, 1)
    assert notes == [f"32-bit samples are reduced to 8 bits; {black} is taken for black, {white} for white"]


USUAL = [
    (np.float32, 1, [(0, 1), (0.2, 0.7), (-0.05, 1.3)]),
    (np.float32, 255, [(0, 255), (3, 260), (0, 3)]),
    (np.float32, 65_535, [(0, 65_535)]),
    (np.int32, 255, [(0, 255), (9, 90), (0, 1)]),
    (np.int32, 65_535, [(0, 65_535), (0, 4095)]),
]
STRETCHED = [
    (np.float32, None, [(-1, 1), (-1000, 3000), (-1e30, 1e30), (0, 1e9), (-7, -5)]),
    (np.int32, None, [(0, 100_000), (-1000, 3000), (-(1 << 31), (1 << 31) - 1), (-7, -1)]),
]
RANGES = [(type, *ends, white) for type, white, group in USUAL + STRETCHED for ends in group]


@pytest.mark.parametrize(("type", "low", "high", "white"), RANGES)
def test_numbers_without_a_declared_range_are_taken_for_a_usual_one_or_stretched(
    type: npt.DTypeLike, low: float, high: float, white: float | None
) -> None:
    numbers = (low + RAMP * (high - low)).astype(type)
    black, white = (low, high) if white is None else (0, white)
    right = np.rint(np.clip((numbers.astype(float) - black) / (white - black), 0, 1) * 255).astype(np.uint8)
    kind = Kind(32, sample_format=FLOAT if type == np.float32 else SIGNED)
    for source in (Image.fromarray(numbers), tiff(numbers, kind)):
        result, (note,) = coded(source)
        assert nearly(result, expected(right))
        said = re.fullmatch("32-bit samples are reduced to 8 bits; (.+) is taken for black, (.+) for white", note)
        assert said
        assert [float(number) for number in said.groups()] == pytest.approx([black, white], rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "high", "white"),
    [
        (Kind(16, sample_format=SIGNED), 32_767, 32_767),
        (Kind(16, sample_format=SIGNED, order=">"), 32_767, 32_767),
        (Kind(16, sample_format=SIGNED), 255, 255),
        (Kind(32), (1 << 32) - 1, (1 << 32) - 1),
        (Kind(32), 65_535, 65_535),
        (Kind(32, sample_format=SIGNED, order=">"), 255, 255),
    ],
    ids=str,
)
def test_signs_and_byte_orders(kind: Kind, high: int, white: int) -> None:
    result, (note,) = coded(tiff(RAMP * high, kind))
    assert nearly(result, expected(SHOWN))
    assert note.startswith(f"{kind.bits}-bit samples are reduced")
    assert float(note.removesuffix(" for white").split()[-1]) == pytest.approx(white, rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "type"),
    [(Kind(16), 3), (Kind(12), 3), (Kind(32, sample_format=FLOAT), 11), (Kind(32, sample_format=SIGNED), 9)],
    ids=str,
)
def test_a_declared_range_is_used(kind: Kind, type: int) -> None:
    file = tiff(100 + RAMP * 900, kind, (340, type, 100), (341, type, 1000))
    result, notes = coded(file)
    assert nearly(result, expected(SHOWN))
    assert notes == [f"{kind.bits}-bit samples are reduced to 8 bits"]


@pytest.mark.parametrize("tags", [[(341, 11, np.nan)], [(340, 11, 5), (341, 11, 5)], [(340, 11, 9), (341, 11, 1)]])
def test_a_declared_range_that_is_none_is_not(tags: list[tuple[int, int, float]]) -> None:
    result, _ = coded(tiff(RAMP, Kind(32, sample_format=FLOAT), *tags))
    assert nearly(result, expected(SHOWN))


@pytest.mark.parametrize(
    "number", [0.0, np.nan, np.inf, -np.inf, 1e30, -1e30, 3.4028235e38, -3.4028235e38, 1e-45, -9999]
)
def test_pictures_of_one_number(number: float) -> None:
    result, _ = coded(Image.fromarray(np.full((8, 8), number, np.float32)))
    assert result.max() - result.min() < 5


@pytest.mark.parametrize("largest", [1, 15, 255, 256, 1023, 4095, 65_535])
@pytest.mark.parametrize("magic", ["P2", "P3", "P5", "P6"])
def test_netpbm_of_every_depth(magic: str, largest: int) -> None:
    channels = 3 if magic in ("P3", "P6") else 1
    samples = np.rint(RAMP * largest).astype(int)[..., None].repeat(channels, 2)
    if magic in ("P2", "P3"):
        data = " ".join(map(str, samples.ravel())).encode()
    else:
        data = samples.astype(">u2" if largest > 255 else "u1").tobytes()
    result, notes = coded(f"{magic}\n# a comment\n64 64 # another\n{largest}\n".encode() + data)
    right = np.rint(samples * 255 / largest).astype(np.uint8)
    assert nearly(result, expected(right if channels == 3 else right[..., 0]))
    bits = largest.bit_length()
    assert notes == ([f"{bits}-bit samples are reduced to 8 bits"] if bits > 8 else [])


@pytest.mark.parametrize("byte_order", [("<", "-1.0"), (">", "1.0")])
def test_portable_float_maps(byte_order: tuple[str, str]) -> None:
    order, scale = byte_order
    result, _ = coded(f"Pf\n64 64\n{scale}\n".encode() + RAMP[::-1].astype(f"{order}f4").tobytes())
    assert nearly(result, expected(SHOWN))


@pytest.mark.parametrize("colour", [Colour.GRAY, Colour.RGB, Colour.GRAY_ALPHA, Colour.RGBA])
@pytest.mark.parametrize("depth", [8, 16])
def test_png(colour: Colour, depth: int) -> None:
    kind = png_files.Kind(colour, depth, interlaced=False, transparency=False)
    _, notes = coded(png_files.png(png_files.gradient(20, 10, kind), kind))
    assert notes == (["16-bit samples are reduced to 8 bits"] if depth == 16 else [])


def test_a_png_that_was_loaded_before_is_looked_at_again(tmp_path: Path) -> None:
    kind = png_files.Kind(Colour.RGB, 16, interlaced=False, transparency=False)
    (tmp_path / "a.png").write_bytes(png_files.png(png_files.gradient(20, 10, kind), kind))
    with Image.open(tmp_path / "a.png") as image, pytest.warns(AezWarning, match="16-bit samples are reduced"):
        image.save(tmp_path / "a.aez")


def saved(image: Image.Image, format: str, **options: object) -> bytearray:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return bytearray(buffer.getvalue())


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_avif(photograph: Image.Image, bits: int) -> None:
    file = saved(photograph, "avif")
    for place in range(3):
        file[file.index(b"pixi") + 9 + place] = bits
    file[file.index(b"av1C") + 6] |= {8: 0, 10: 0x40, 12: 0x60}[bits]
    _, notes = coded(bytes(file))
    assert notes == ([f"{bits}-bit samples are reduced to 8 bits"] if bits > 8 else [])


JPEG_XL = {  # ramps in red, green and blue, lossless, by libjxl; its plugin for Pillow writes only 8 bits of them
    10: (
        "{|Z<z6i~DX2m}ED@BvFGGu=ERS|}WRFQH%r1qD)D#TYzijIoK-7)(K9j97>O0{{^(CJq_+^FQaDb58W{Ip?wn+|pb#^a&1xBd)d&"
        "g}^r02HPY}=|<8dP12-kvh|T9y+dl6B&~#L^Qp}w`)w~f-}XBDeJ?vV_d2^FJk#|%&*N?)%L4"
    ),
    12: (
        "{|Z<z7*Mnb2m}ED`~pijLD?-YwE8!N0}~Po3WlPfzzWA0tTF~Kj4?W9tj^t_+6xh203ePQv;cra5?n5k1ee2olH_ptMiN|pX9=fi"
        "`v0G%>G6M>rmO#Hnuh+TX<8Ex4|uz=zU#aCwZ7}Sz9D|<yT0p^xZK>_+}zyU+|A8t$j#i`&E4G0&D`96<;~sP%+1`~&E4G0&D`A0"
        "-Q3*r$j#i`&CU7#KIfeO{&UW`<Ui+}Uq7?f-=-@}to16q)|%c`Youze0R"
    ),
    16: (
        "0000CN?1%F4GM<}0000KW^{RQYItlQ00000YItlQ00009YItmH3IG5A;A(hmWB&?RF#G@%EdmGx0RSWeOE^IFGIhRCIQYJVgi#bC"
        "tZWrya81S-n@9{5gBL`^#xTZ+g$OVJ5b@^Tc>v<S{)mG(h=VwYbMTKih=VwYgE)Iy6xLOvipH%{^H-qv*`bFXdg!5t9(w3wccF(K"
        "dg!5to{oU{Ten;L^$L)9y<V@k>(=Y_YH|s4nvzSQo;dAAr3VI_N{zEu>c1DCDg4H#rSO>oEW}@m`yPL(PkQ{NfCl>iA84R~{{IIW"
        "XrSl+fd(4r<bR-n272`g=!w(FHA-saYy"
    ),
}


def bits_of(*numbers: tuple[int, int]) -> bytes:
    """Numbers of so many bits each, the lowest first."""
    text = "".join(format(number, f"0{count}b")[::-1] if count else "" for number, count in numbers)
    return int(text[::-1], 2).to_bytes(-(-len(text) // 8) + 8, "little")


@pytest.mark.parametrize("side", range(4))
@pytest.mark.parametrize("in_eighths", [False, True])
def test_the_depth_of_jpeg_xl_behind_a_preview_and_an_animation(side: int, in_eighths: bool) -> None:
    """A picture of 8 x 8 with all that ISO/IEC 18181-1 allows before its depth of 10 bits."""
    lengths = (0, 0, 5, 9) if in_eighths else (6, 8, 10, 12)
    preview = (in_eighths, 1), (side, 2), (1 if lengths[side] else 0, lengths[side]), (1, 3)
    animation = (2, 2), (5, 10), (3, 2), (7, 10), (1, 2), (4, 3), (1, 1)
    size = (1, 1), (0, 5), (1, 3)
    fields = *size, (0, 1), (1, 1), (5, 3), (1, 1), *size, (1, 1), *preview, (1, 1), *animation, (0, 1), (1, 2)
    assert jxl.bits_per_sample(b"\xff\x0a" + bits_of(*fields)) == 10


@pytest.mark.parametrize("bits", JPEG_XL)
def test_jpeg_xl(bits: int) -> None:
    pytest.importorskip("pillow_jxl")
    file = base64.b85decode(JPEG_XL[bits])
    assert coded(file)[1] == [f"{bits}-bit samples are reduced to 8 bits"]
    with pytest.raises(PictureError, match=f"not without loss: {bits}-bit"):
        encode_bytes(file, LOSSLESS)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("use_container", [False, True])
def test_jpeg_xl_of_8_bits(mode: str, use_container: bool) -> None:
    pytest.importorskip("pillow_jxl")
    assert not coded(bytes(saved(Image.new(mode, (40, 30)), "jxl", use_container=use_container)))[1]


@pytest.mark.parametrize("no_jp2", [False, True])
def test_jpeg_2000(no_jp2: bool) -> None:
    gray = Image.fromarray((SHOWN.astype(np.uint16)) * 257)
    result, notes = coded(bytes(saved(gray, "jpeg2000", no_jp2=no_jp2)))
    assert nearly(result, expected(SHOWN))
    assert notes == ["16-bit samples are reduced to 8 bits"]
    colour = saved(Image.fromarray(SHOWN).convert("RGB"), "jpeg2000", no_jp2=no_jp2)
    assert not coded(bytes(colour))[1]
    start = colour.index(b"\xff\x4f\xff\x51")
    colour[start + 42 : start + 51 : 3] = bytes([11]) * 3
    if not no_jp2:
        colour[colour.index(b"ihdr") + 14] = 11
    assert coded(bytes(colour))[1] == ["12-bit samples are reduced to 8 bits"]


@pytest.mark.parametrize("colours", [15, 16, 24, 32])
def test_bitmaps_of_few_bits_are_not_deep(colours: int) -> None:
    rows = 4
    bits = 16 if colours == 15 else colours
    masks = b"" if colours in (15, 24, 32) else b"".join(n.to_bytes(4, "little") for n in (0xF800, 0x7E0, 0x1F))
    data = bytes(4 * bits // 8 * rows)
    header = b"".join(n.to_bytes(4, "little") for n in (40, 4, rows, 1 | bits << 16, 3 if masks else 0, len(data)))
    start = 14 + 40 + len(masks)
    file = b"BM" + (start + len(data)).to_bytes(4, "little") + bytes(4) + start.to_bytes(4, "little")
    assert not coded(file + header + bytes(16) + masks + data)[1]


@pytest.mark.filterwarnings("ignore:left out")
def test_a_text_called_transparency_is_none() -> None:
    kind = png_files.Kind(Colour.RGB, 8, interlaced=False, transparency=False)
    file = png_files.png(png_files.gradient(20, 10, kind), kind)
    text = png_files.chunk(b"tEXt", b"transparency\0none")
    assert decode(encode_bytes(file[:33] + text + file[33:])).mode == "RGB"
