"""The whole path: encode, decode and info, on bytes and on Pillow images."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypedDict, Unpack, get_args

from PIL import Image

from .coding.encoder import Encoder
from .coding.layers import Coding, LayerDecoder, Layers
from .coding.targets import Target, TargetError, reach
from .errors import AezWarning, DamagedError, FormatError, PictureError
from .format import container
from .format import quality as qualities
from .format.container import SIDE_MAX, Flags, SectionType
from .format.contents import Contents, half
from .model.model import DEFAULT_MODEL, find_model, load_model, model_name
from .model.sessions import Device
from .model.tiled import BLOCK
from .picture.convert import to_pillow
from .picture.metadata import attach_metadata
from .picture.samples import Plane

Resolution = Literal["high", "medium"]

MAX_PIXELS = 128_000_000
EFFORT_MAX = 9
_PADDED_MIN = 1 << 20
_HINT = "see --res medium and --upscale"


class EncodeOptions(TypedDict, total=False):
    """Options of `encode` and of all that calls it."""

    layers: Layers
    coding: Coding
    model: str
    effort: int
    max_pixels: int
    threads: int
    device: Device


class DecodeOptions(TypedDict, total=False):
    """Options of `decode` and of all that calls it."""

    upscale: bool
    max_pixels: int
    threads: int
    device: Device


@dataclass(frozen=True)
class SectionInfo:
    """A section of a file and its bytes there."""

    type: str
    bytes: int


@dataclass(frozen=True)
class Info:
    """What a file says of itself; nothing of it is decoded."""

    version: int
    width: int
    height: int
    medium_width: int
    medium_height: int
    quality: float
    layers: Layers
    coding: Coding
    gray: bool
    alpha: bool
    model: str
    model_id: str
    bytes: int
    medium_bytes: int
    bpp: float
    complete: bool
    sections: list[SectionInfo]


def encode(image: Image.Image, quality: float | Target = 50, **options: Unpack[EncodeOptions]) -> bytes:
    """Encode a Pillow image of any mode and size as an .aez file.

    Args:
        image: the picture; ICC profile, EXIF and XMP in its `info` are kept.
        quality: 0 to 100, decimals allowed, or a `Target`, such as `Target("size", 50_000)`.
        **options: `layers`, "all" or "base", which leaves out what only high resolution needs;
            `coding`, "ans" (rANS, smaller) or "zstd"; `model`, the name of an installed model;
            `effort`, 0 to 9: how long to search for better latents (needs aez[effort], PyTorch);
            `max_pixels`, beyond which pictures are refused; `threads` of the networks, 0 for one per core;
            `device`, "auto", "cpu" or "cuda", where the floating-point networks run.

    Raises:
        ValueError: quality is out of range, or an option is none of its words.
        TypeError: there is no such option.
        PictureError: the image cannot be read, or is larger than `max_pixels`.
        TargetError: no quality reaches the target.
        ModelError: there is no such model, or it does not work on this machine.
    """
    _check_names(options, EncodeOptions)
    layers: Layers = options.get("layers", "all")
    coding: Coding = options.get("coding", "ans")
    _check_word("layers", layers, get_args(Layers))
    _check_word("coding", coding, get_args(Coding))
    _check_word("device", options.get("device", "auto"), get_args(Device))
    effort = options.get("effort", 0)
    if not isinstance(effort, int) or effort not in range(EFFORT_MAX + 1):
        raise ValueError(f"effort must be a whole number from 0 to {EFFORT_MAX}, not {effort!r}")
    wanted = quality if isinstance(quality, Target) else qualities.to_integer(quality)
    check_target(wanted, layers)
    _check_size(*image.size, options.get("max_pixels", MAX_PIXELS))
    model = load_model(options.get("model", DEFAULT_MODEL), options.get("threads", 0), options.get("device", "auto"))
    encoder = Encoder(model, image, layers, coding, effort)
    return reach(wanted, encoder) if isinstance(wanted, Target) else encoder.encode(wanted).data


def decode(data: bytes, resolution: Resolution = "high", **options: Unpack[DecodeOptions]) -> Image.Image:
    """Decode an .aez file, or its front part, to a Pillow image of mode L, LA, RGB or RGBA.

    Args:
        data: the file; for "medium" its first `Info.medium_bytes` bytes suffice.
        resolution: "high", or "medium", which is half the width and half the height, rounded up.
        **options: `upscale`, to generate the high picture from the base layer if anything that it needs is missing or
            damaged (files made with `layers="base"` are upscaled anyway, with an `AezWarning`); `max_pixels`, beyond
            which files are refused before anything is allocated; `threads` and `device` as in `encode`.

    Raises:
        ValueError: an option is none of its words.
        TypeError: there is no such option.
        FormatError: not an aez file, or one of a newer version.
        DamagedError: truncated or altered.
        PictureError: it declares more than `max_pixels`.
        ModelError: the model it needs is not installed, or does not work on this machine.
    """
    _check_names(options, DecodeOptions)
    _check_word("resolution", resolution, get_args(Resolution))
    _check_word("device", options.get("device", "auto"), get_args(Device))
    contents = Contents(data)
    header = contents.header
    _check_size(header.width, header.height, options.get("max_pixels", MAX_PIXELS))
    model = find_model(header.model, options.get("threads", 0), options.get("device", "auto"))
    decoder = LayerDecoder(model, contents)
    if resolution == "medium":
        rgb, alpha = decoder.medium(), contents.alpha(high=False)
    else:
        rgb, alpha = _high(decoder, contents, options.get("upscale", False))
    image = to_pillow(rgb, alpha, Flags.GRAY in header.flags)
    attach_metadata(image, contents.metadata())
    return image


def info(data: bytes) -> Info:
    """Read what a file, or its front part, says of itself.

    Raises:
        FormatError: not an aez file, or one of a newer version.
        DamagedError: the header or the front part is truncated or altered.
    """
    contents = Contents(data)
    header = contents.header
    return Info(
        version=container.VERSION,
        width=header.width,
        height=header.height,
        medium_width=half(header.width),
        medium_height=half(header.height),
        quality=qualities.to_percent(header.quality),
        layers="all" if Flags.ENHANCEMENT in header.flags else "base",
        coding="zstd" if Flags.ZSTD in header.flags else "ans",
        gray=Flags.GRAY in header.flags,
        alpha=Flags.ALPHA in header.flags,
        model=model_name(header.model) or "not installed",
        model_id=f"{header.model:08x}",
        bytes=len(data),
        medium_bytes=header.medium_bytes,
        bpp=8 * len(data) / (header.width * header.height),
        complete=contents.complete,
        sections=[SectionInfo(frame.type.name.lower(), len(frame.data)) for frame in contents.frames.values()],
    )


def check_target(quality: float | Target, layers: Layers) -> None:
    """Refuse what no picture can reach.

    Raises:
        TargetError: the PSNR of a high picture, which the file will not have.
    """
    if layers == "base" and isinstance(quality, Target) and quality.measure == "psnr":
        raise TargetError("a base-only file has no high picture of its own", "--medium-psnr sets that of medium")


def _high(decoder: LayerDecoder, contents: Contents, upscale: bool) -> tuple[Plane, Plane | None]:
    """Samples and alpha of the high picture, generated where that was asked for or the file never had them."""
    if contents.error is not None and not isinstance(contents.error, DamagedError) and not upscale:
        raise FormatError(f"{contents.error}; medium still decodes", _HINT)
    if Flags.ENHANCEMENT not in contents.header.flags:
        warnings.warn("the file holds the base layer only; the high picture is generated", AezWarning, stacklevel=3)
        alpha = contents.enlarged_alpha()
        decoder.generate_enhancement()
        return decoder.high(), alpha
    try:
        alpha = contents.alpha(high=True)
    except DamagedError as error:
        if not upscale:
            raise _medium_still_decodes("alpha plane", SectionType.ALPHA, contents) from error
        alpha = contents.enlarged_alpha()
    try:
        decoder.read_enhancement()
    except DamagedError as error:
        if not upscale:
            raise _medium_still_decodes("enhancement layer", SectionType.ENHANCEMENT, contents) from error
        decoder.generate_enhancement()
    return decoder.high(), alpha


def _medium_still_decodes(name: str, kind: SectionType, contents: Contents) -> DamagedError:
    state = "damaged" if kind in contents.frames else "missing"
    return DamagedError(f"the {name} is {state}; medium still decodes", _HINT)


def _check_names(options: Mapping[str, object], known: type) -> None:
    unknown = options.keys() - known.__annotations__.keys()
    if unknown:
        raise TypeError(f"no such option: {', '.join(sorted(unknown))}")


def _check_word(name: str, value: str, words: tuple[str, ...]) -> None:
    if value not in words:
        raise ValueError(f"{name} must be one of {', '.join(words)}, not {value!r}")


def _check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse what is too large, also when its padding is what makes it large."""
    if not (0 < width <= SIDE_MAX and 0 < height <= SIDE_MAX):
        raise PictureError(f"{width} x {height} pixels cannot be coded")
    hint = "--max-pixels raises the limit"
    if width * height > max_pixels:
        raise PictureError(f"{width} x {height} is more than {max_pixels / 1e6:g} megapixels", hint)
    padded = (width + -width % BLOCK) * (height + -height % BLOCK)
    if padded > max(1.25 * max_pixels, _PADDED_MIN):
        raise PictureError(f"{width} x {height}, padded, is more than {1.25 * max_pixels / 1e6:g} megapixels", hint)
