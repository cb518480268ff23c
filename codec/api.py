"""The whole path: encode, decode and info, on Pillow images, bytes and files."""

import os
from dataclasses import dataclass, replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Final, Literal, TypedDict, Unpack, get_args

from PIL import Image

from .arrays import Floats
from .coding.decode import decode_exact, decode_high, decode_medium
from .coding.encode import Coding, Encoder, Layers
from .coding.lossless import encode_lossless
from .coding.mixed import MixedEncoder
from .coding.ruin import note_ruin, sampled_psnr
from .coding.scaled import describing_model, scaled_latents
from .coding.targets import Target, TargetError, reach
from .errors import AezError, LimitError, PictureError, warn
from .format import container
from .format.blocks import BLOCK
from .format.container import SIDE_MAX, Flags
from .format.contents import Contents
from .limits import MAX_PIXELS, MORE_HINT, check_pixels
from .metrics.ssimulacra2 import check_ssimulacra2
from .model.registry import DEFAULT_MODEL, AnyModel, Found, find_by_id, find_model, find_needed, load_model
from .model.sessions import Device
from .output import AnyPath, refuse_existing, write_file
from .picture.convert import Picture, from_pillow, to_pillow
from .picture.files.formats import PictureFormat, format_of
from .picture.files.opening import open_picture
from .picture.files.saving import save_picture
from .picture.metadata.metadata import attach_metadata, stripped
from .picture.notes import conversions_refused

Resolution = Literal["high", "medium"]
Exact = Literal["auto", "never"]
Quality = float | Target | Literal["lossless"]
"""A number from 0 to 100, what the file shall have, or all samples as they are."""

LOSSLESS: Final = "lossless"

EFFORT_MAX = 9
DEFAULT_QUALITY = 70.0
_PADDED_MIN = 1 << 20


class EncodeOptions(TypedDict, total=False):
    """The options of `encode`, to be kept and passed on."""

    exact: Exact
    layers: Layers
    coding: Coding
    model: AnyModel
    effort: int
    strip: bool
    strip_gps: bool
    max_pixels: int
    threads: int
    device: Device


class DecodeOptions(TypedDict, total=False):
    """The options of `decode`, to be kept and passed on."""

    upscale: bool
    model: AnyModel | None
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
    """What a file says of itself; no samples are decoded.

    `model` and `quality` are none where the model, of id `model_id`, is not installed. `exact_share` is the share of
    the pixels that are stored as samples, `max_error` how many levels these may be off (0: lossless; none where there
    are none). Where all pixels are, there is no quality, no layer and no model.
    """

    version: int
    width: int
    height: int
    medium_width: int
    medium_height: int
    quality: float | None
    exact_share: float
    max_error: int | None
    layers: Layers | None
    coding: Coding | None
    gray: bool
    alpha: bool
    model: str | None
    model_id: str | None
    bytes: int
    medium_bytes: int
    bpp: float
    complete: bool
    sections: tuple[SectionInfo, ...]


def encode(
    image: Image.Image,
    quality: Quality = DEFAULT_QUALITY,
    *,
    exact: Exact = "auto",
    layers: Layers = "all",
    coding: Coding = "ans",
    model: AnyModel = DEFAULT_MODEL,
    effort: int = 0,
    strip: bool = False,
    strip_gps: bool = False,
    max_pixels: int = MAX_PIXELS,
    threads: int = 0,
    device: Device = "auto",
) -> bytes:
    """Encode a Pillow image of any mode and size as an .aez file.

    Args:
        image: the picture; ICC profile, EXIF and XMP in its `info` are kept.
        quality: 0 to 100, decimals allowed, from 30 to 90 about the SSIMULACRA2 of a photograph; or a `Target`, such as
            `Target("size", 50_000)`; or "lossless": every sample of an image of 8 bits stays as it is.
        exact: "auto" stores blocks as samples where that is better, such as those of text; "never" does not.
        layers: "all", or "base", which leaves out what only high resolution needs.
        coding: "ans" (rANS, smaller) or "zstd".
        model: the name of a model, or a model's folder; "lossless" needs none.
        effort: 0 to 9: how long to search for better latents (needs aez[effort], PyTorch).
        strip: leave out EXIF and XMP; samples are upright anyway, and the ICC profile stays.
        strip_gps: leave out positions, of EXIF and of XMP.
        max_pixels: beyond which pictures are refused.
        threads: of the networks, 0 for one per core.
        device: "auto", "cpu" or "cuda", where the floating-point networks run.

    Raises:
        TypeError: the image is no `PIL.Image.Image`, or quality no number.
        ValueError: quality or a number is out of range, or an option is none of its words.
        PictureError: the image cannot be read, is larger than `max_pixels`, or would have to lose something.
        TargetError: no quality reaches the target.
        ModelError: there is no such model, or it does not work on this machine.
        AezError: options contradict "lossless"; or PyTorch, or what measures SSIMULACRA2, is needed and not installed.

    Example:
        >>> image = Image.open("img.png")
        >>> data = aez.encode(image, quality=60)
        >>> small = aez.encode(image, aez.Target("size", 3000))
        >>> len(small) <= 3000
        True
    """
    _check_type("image", image, Image.Image, "a PIL.Image.Image", "aez.encode_file takes paths")
    if quality != LOSSLESS:
        _check_type("quality", quality, (Real, Target), 'a number, an aez.Target or "lossless"')
    _check_word("exact", exact, get_args(Exact))
    _check_word("layers", layers, get_args(Layers))
    _check_word("coding", coding, get_args(Coding))
    _check_whole("effort", effort, 0, EFFORT_MAX)
    _check_machine(threads, device, max_pixels)
    check_options(quality, exact=exact, layers=layers, coding=coding, effort=effort)
    _check_size(*image.size, max_pixels)
    if quality == LOSSLESS:
        with conversions_refused():
            return encode_lossless(_stripped(from_pillow(image), strip, strip_gps))
    if isinstance(quality, Target) and quality.measure == "ssimulacra2":
        check_ssimulacra2(*image.size)
    loaded = load_model(model, threads, device)
    kind = MixedEncoder if exact == "auto" else Encoder
    encoder = kind(loaded, _stripped(from_pillow(image), strip, strip_gps), layers, coding, effort)
    if isinstance(quality, Target):
        return reach(quality, encoder)
    encoded = encoder.encode(loaded.scale.to_stored(quality))
    note_ruin(encoder, encoded.quality, sampled_psnr(encoder, encoded))
    return encoded.data


def decode(
    data: bytes,
    resolution: Resolution = "high",
    *,
    upscale: bool = False,
    model: AnyModel | None = None,
    max_pixels: int = MAX_PIXELS,
    threads: int = 0,
    device: Device = "auto",
) -> Image.Image:
    """Decode an .aez file, or its front part, to a Pillow image of mode L, LA, RGB or RGBA.

    Args:
        data: the file; for "medium" its first `Info.medium_bytes` bytes suffice.
        resolution: "high", or "medium", which is half the width and half the height, rounded up.
        upscale: generate the high picture from the base layer if anything that it needs is missing or damaged; files
            made with `layers="base"` are upscaled anyway, with an `AezWarning`.
        model: as in `encode`, if the one that the file needs cannot be found by its id.
        max_pixels: beyond which files are refused before anything is allocated.
        threads: as in `encode`.
        device: as in `encode`.

    Raises:
        TypeError: the data is no bytes.
        ValueError: an option is none of its words, or a number out of range.
        FormatError: not an aez file, or one of a newer version.
        DamagedError: truncated or altered.
        PictureError: it declares more than `max_pixels`.
        ModelError: the model it needs is not installed, or does not work on this machine.

    Example:
        >>> data = aez.encode(Image.open("img.png"))
        >>> aez.decode(data).size
        (171, 133)
        >>> front = data[: aez.info(data).medium_bytes]
        >>> aez.decode(front, "medium").size
        (86, 67)
    """
    _check_bytes(data, "aez.decode_file takes paths")
    _check_word("resolution", resolution, get_args(Resolution))
    _check_machine(threads, device, max_pixels)
    contents = Contents(data)
    header = contents.header
    _check_size(header.width, header.height, max_pixels)
    medium = resolution == "medium"
    if header.all_exact:
        decoded = decode_exact(contents, medium)
    else:
        loaded = find_model(header.model, model, threads, device)
        decoded = decode_medium(loaded, contents) if medium else decode_high(loaded, contents, upscale)
    for said in decoded.notes:
        warn(said)
    image = to_pillow(decoded.rgb, decoded.alpha, Flags.GRAY in header.flags)
    attach_metadata(image, contents.metadata(), header.colours)
    return image


def info(data: bytes, *, model: AnyModel | None = None, max_pixels: int = MAX_PIXELS) -> Info:
    """Read what a file, or its front part, says of itself.

    Args:
        data: the file, or its front part.
        model: as in `decode`.
        max_pixels: beyond which files with exact blocks are refused: what these say of themselves takes memory.

    Raises:
        TypeError: the data is no bytes.
        ValueError: `max_pixels` is no number from 1 on.
        FormatError: not an aez file, or one of a newer version.
        DamagedError: the header or the front part is truncated or altered.
        PictureError: it has exact blocks, and declares more than `max_pixels`.
        ModelError: `model` is not there, or not the one that the file needs.

    Example:
        >>> found = aez.info(aez.encode(Image.open("img.png"), quality=60))
        >>> found.width, found.height, found.quality, found.complete
        (171, 133, 60.0, True)
    """
    _check_bytes(data, 'Path("img.aez").read_bytes() reads a file')
    _check_whole("max_pixels", max_pixels, 1)
    contents = Contents(data)
    header, learned = contents.header, not contents.header.all_exact
    if contents.has_samples:
        check_pixels(header.width, header.height, max_pixels)
    of_model = _model_of(header.model, model) if learned else None
    return Info(
        version=container.VERSION,
        width=header.width,
        height=header.height,
        medium_width=header.medium_width,
        medium_height=header.medium_height,
        quality=of_model.scale.to_shown(header.quality) if of_model else None,
        exact_share=contents.exact_share(),
        max_error=contents.max_error(),
        layers=("all" if Flags.ENHANCEMENT in header.flags else "base") if learned else None,
        coding=("zstd" if Flags.ZSTD in header.flags else "ans") if learned else None,
        gray=Flags.GRAY in header.flags,
        alpha=Flags.ALPHA in header.flags,
        model=of_model.name if of_model else None,
        model_id=f"{header.model:08x}" if learned else None,
        bytes=len(data),
        medium_bytes=header.medium_bytes,
        bpp=8 * len(data) / (header.width * header.height),
        complete=contents.complete,
        sections=tuple(SectionInfo(frame.type.name.lower(), len(frame.data)) for frame in contents.frames.values()),
    )


def latents(
    data: bytes,
    *,
    model: AnyModel | None = None,
    max_pixels: int = MAX_PIXELS,
    threads: int = 0,
    device: Device = "auto",
) -> Floats:
    """What a picture looks like to a model, without decoding its samples: for finding pictures that are alike.

    Numbers of files of one model compare, whatever their qualities. Where a file has samples instead of latents, they
    are analysed first. The front part of a file suffices.

    Args:
        data: the file, or its first `Info.medium_bytes` bytes.
        model: as in `decode`; for files without latents, the one that analyses them.
        max_pixels: as in `decode`.
        threads: as in `encode`.
        device: as in `encode`.

    Returns:
        Base latents, float32 [C, H / 16, W / 16] with both sides rounded up: a column of C numbers describes 16 x 16
        pixels and their surroundings.

    Raises:
        TypeError: the data is no bytes.
        ValueError: an option is none of its words, or a number out of range.
        FormatError: not an aez file, or one of a newer version.
        DamagedError: truncated or altered.
        PictureError: it declares more than `max_pixels`.
        ModelError: the model it needs is not installed, or does not work on this machine.

    Example:
        >>> data = aez.encode(Image.open("img.png"))
        >>> aez.latents(data).shape
        (128, 9, 11)
    """
    _check_bytes(data, 'Path("img.aez").read_bytes() reads a file')
    _check_machine(threads, device, max_pixels)
    contents = Contents(data)
    header = contents.header
    _check_size(header.width, header.height, max_pixels)
    return scaled_latents(describing_model(header, model, threads, device), contents)


def encode_bytes(file: bytes, quality: Quality = DEFAULT_QUALITY, **options: Unpack[EncodeOptions]) -> bytes:
    """Encode the bytes of a picture file of any format that Pillow reads; the options are those of `encode`.

    Raises:
        PictureError: Pillow does not know the format; and as `encode`.
    """
    with open_picture(file, options.get("max_pixels", MAX_PIXELS)) as image:
        return encode(image, quality, **options)


def encode_file(
    source: AnyPath,
    target: AnyPath,
    quality: Quality = DEFAULT_QUALITY,
    *,
    overwrite: bool = False,
    exact: Exact = "auto",
    layers: Layers = "all",
    coding: Coding = "ans",
    model: AnyModel = DEFAULT_MODEL,
    effort: int = 0,
    strip: bool = False,
    strip_gps: bool = False,
    max_pixels: int = MAX_PIXELS,
    threads: int = 0,
    device: Device = "auto",
) -> Info:
    """Encode a picture file; the options are those of `encode`.

    Raises:
        AezError: as `encode`, or `target` exists and `overwrite` is false.
        OSError: `source` cannot be read or `target` not be written.

    Example:
        >>> aez.encode_file("img.png", "img.aez", quality=60).width
        171
    """
    source, target = Path(source), Path(target)
    refuse_existing(target, overwrite)
    data = encode_bytes(
        source.read_bytes(),
        quality,
        exact=exact,
        layers=layers,
        coding=coding,
        model=model,
        effort=effort,
        strip=strip,
        strip_gps=strip_gps,
        max_pixels=max_pixels,
        threads=threads,
        device=device,
    )
    write_file(target, data, overwrite)
    return info(data, model=model, max_pixels=max_pixels)


def decode_file(
    source: AnyPath,
    target: AnyPath,
    resolution: Resolution = "high",
    *,
    format: PictureFormat | None = None,
    overwrite: bool = False,
    upscale: bool = False,
    model: AnyModel | None = None,
    max_pixels: int = MAX_PIXELS,
    threads: int = 0,
    device: Device = "auto",
) -> tuple[int, int]:
    """Decode an .aez file to a picture file, whose format is that of its suffix unless given; returns its size.

    Raises:
        ValueError: as `decode`, or `format` is none of its words.
        AezError: as `decode`, `target` has no known suffix, or exists and `overwrite` is false.
        OSError: `source` cannot be read or `target` not be written.

    Example:
        >>> _ = aez.encode_file("img.png", "img.aez", overwrite=True)
        >>> aez.decode_file("img.aez", "small.webp", "medium")
        (86, 67)
    """
    source, target = Path(source), Path(target)
    chosen = format or format_of(target)
    _check_word("format", chosen, get_args(PictureFormat))
    refuse_existing(target, overwrite)
    data = source.read_bytes()
    image = decode(
        data, resolution, upscale=upscale, model=model, max_pixels=max_pixels, threads=threads, device=device
    )
    write_file(target, save_picture(image, chosen), overwrite)
    return image.size


def check_options(
    quality: Quality, *, exact: Exact = "auto", layers: Layers = "all", coding: Coding = "ans", effort: int = 0
) -> None:
    """Refuse what no picture can reach, and options that contradict each other.

    Raises:
        ValueError: the quality is not within 0 to 100.
        TargetError: the fidelity of a high picture, which the file will not have.
        AezError: what measures it is not installed, or options are of no use to a lossless file.
    """
    if quality == LOSSLESS:
        if exact == "never" or layers != "all" or coding != "ans" or effort:
            raise AezError("a lossless file has nothing but exact blocks: no layers, no coding of latents, no effort")
        return
    if not isinstance(quality, Target) and not 0 <= quality <= 100:
        raise ValueError(f"quality must be from 0 to 100, not {quality:g}")
    measure = quality.measure if isinstance(quality, Target) else None
    if layers == "base" and measure in ("psnr", "ssimulacra2"):
        raise TargetError("a base-only file has no high picture of its own", "--medium-psnr sets that of medium")
    if measure == "ssimulacra2":
        check_ssimulacra2()


def _model_of(model_id: int, model: AnyModel | None) -> Found | None:
    return find_by_id(model_id) if model is None else find_needed(model_id, model)


def _stripped(picture: Picture, everything: bool, gps: bool) -> Picture:
    return replace(picture, metadata=stripped(picture.metadata, everything=everything, gps=gps))


def _check_machine(threads: int, device: Device, max_pixels: int) -> None:
    _check_whole("threads", threads, 0)
    _check_word("device", device, get_args(Device))
    _check_whole("max_pixels", max_pixels, 1)


def _check_whole(name: str, value: object, least: int, most: int | None = None) -> None:
    if not isinstance(value, Integral) or int(value) < least or (most is not None and int(value) > most):
        bounds = f"from {least} on" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} must be a whole number {bounds}, not {value!r}")


def _check_type(
    name: str, value: object, kinds: type[Any] | tuple[type[Any], ...], wanted: str, advice: str = ""
) -> None:
    if not isinstance(value, kinds):
        hint = f"; {advice}" if advice and isinstance(value, str | os.PathLike) else ""
        raise TypeError(f"{name} must be {wanted}, not {type(value).__name__}{hint}")


def _check_bytes(data: object, advice: str) -> None:
    _check_type("data", data, (bytes, bytearray, memoryview), "bytes", advice)


def _check_word(name: str, value: str, words: tuple[str, ...]) -> None:
    if value not in words:
        raise ValueError(f"{name} must be one of {', '.join(words)}, not {value!r}")


def _check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse what is too large, also when its padding is what makes it large."""
    if not (0 < width <= SIDE_MAX and 0 < height <= SIDE_MAX):
        raise PictureError(f"{width} x {height} pixels cannot be coded")
    check_pixels(width, height, max_pixels)
    padded = (width + -width % BLOCK) * (height + -height % BLOCK)
    if padded > max(1.25 * max_pixels, _PADDED_MIN):
        raise LimitError(f"{width} x {height}, padded, is more than {1.25 * max_pixels / 1e6:g} megapixels", MORE_HINT)
