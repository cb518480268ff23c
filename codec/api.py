"""The whole path: encode, decode and info, on bytes and on Pillow images."""

import warnings
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from aez import container, images
from aez import quality as qualities
from aez.container import Flags, Header, SectionType
from aez.contents import Contents, half, side_sections
from aez.errors import DamagedError, PictureError
from aez.images import AezWarning
from aez.layers import Coding, LayerDecoder, Layers, encode_layers
from aez.networks import DEFAULT_MODEL, find_model, load_model, model_name
from aez.sessions import Device

Resolution = Literal["high", "medium"]

MAX_PIXELS = 128_000_000


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


def encode(
    image: Image.Image,
    quality: float = 50,
    *,
    layers: Layers = "all",
    coding: Coding = "ans",
    model: str = DEFAULT_MODEL,
    max_pixels: int = MAX_PIXELS,
    threads: int = 0,
    device: Device = "auto",
) -> bytes:
    """Encode a Pillow image of any mode and size as an .aez file.

    Args:
        image: the picture; ICC profile, EXIF and XMP in its `info` are kept.
        quality: 0 to 100, decimals allowed.
        layers: "base" leaves out what only high resolution needs.
        coding: "ans" (rANS, smaller) or "zstd".
        model: name of an installed model.
        max_pixels: refuse larger pictures.
        threads: of the networks; 0 means one per core.
        device: where the floating-point networks run.

    Raises:
        ValueError: quality is out of range.
        PictureError: the image cannot be read, or is larger than `max_pixels`.
        ModelError: there is no such model, or it does not work on this machine.
    """
    stored = qualities.to_integer(quality)
    _check_size(*image.size, max_pixels)
    network = load_model(model, threads, device)
    picture = images.from_pillow(image)
    coded = encode_layers(network, picture.rgb, stored, layers, coding)
    flags = coded.flags
    if picture.gray:
        flags |= Flags.GRAY
    if picture.alpha is not None:
        flags |= Flags.ALPHA
    height, width = picture.rgb.shape[:2]
    header = Header(flags, stored, width, height, network.id)
    front, rest = side_sections(picture)
    return container.write(header, front + coded.sections[:1], coded.sections[1:] + rest)


def decode(
    data: bytes,
    resolution: Resolution = "high",
    *,
    upscale: bool = False,
    max_pixels: int = MAX_PIXELS,
    threads: int = 0,
    device: Device = "auto",
) -> Image.Image:
    """Decode an .aez file, or its front part, to a Pillow image of mode L, LA, RGB or RGBA.

    Args:
        data: the file; for "medium" its first `Info.medium_bytes` bytes suffice.
        resolution: "medium" is half the width and half the height, rounded up.
        upscale: generate the high picture from the base layer if the enhancement layer is missing or damaged;
            files made with `layers="base"` are upscaled anyway, with an `AezWarning`.
        max_pixels: refuse files that declare more, before anything is allocated.
        threads: of the networks; 0 means one per core.
        device: where the floating-point networks run.

    Raises:
        FormatError: not an aez file, or one of a newer version.
        DamagedError: truncated or altered.
        PictureError: it declares more than `max_pixels`.
        ModelError: the model it needs is not installed, or does not work on this machine.
    """
    contents = Contents(data)
    header = contents.header
    _check_size(header.width, header.height, max_pixels)
    decoder = LayerDecoder(find_model(header.model, threads, device), contents)
    if resolution == "medium":
        rgb = decoder.medium()
    else:
        _add_enhancement(decoder, contents, upscale)
        rgb = decoder.high()
    image = images.to_pillow(rgb, contents.alpha(resolution == "high"), Flags.GRAY in header.flags)
    image.info.update(contents.metadata())
    return image


def _add_enhancement(decoder: LayerDecoder, contents: Contents, upscale: bool) -> None:
    """Decode the enhancement layer, or generate it where that was asked for or the file never had one."""
    if Flags.ENHANCEMENT not in contents.header.flags:
        warnings.warn("the file holds the base layer only; the high picture is generated", AezWarning, stacklevel=3)
        decoder.generate_enhancement()
        return
    try:
        decoder.read_enhancement()
    except DamagedError as error:
        if not upscale:
            state = "damaged" if SectionType.ENHANCEMENT in contents.frames else "missing"
            message = f"the enhancement layer is {state}; --res medium still decodes, --upscale generates high"
            raise DamagedError(message) from error
        decoder.generate_enhancement()


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


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise PictureError(f"{width} x {height} is more than {max_pixels / 1e6:g} megapixels; see --max-pixels")
