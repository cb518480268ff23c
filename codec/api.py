"""The whole path: encode, decode and info, on bytes and on Pillow images."""

import math
import struct
import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from aez import container, images, latents
from aez import quality as qualities
from aez.container import Flags, Frame, Header, Section, SectionType
from aez.entropy import AnsReader, AnsWriter, SymbolReader, ZstdReader, ZstdWriter
from aez.errors import AezError, DamagedError, PictureError
from aez.images import AezWarning, Picture, Plane
from aez.networks import BLOCK, CELLS_PER_BLOCK, DEFAULT_MODEL, Device, Layer, Model, find_model, load_model, model_name

Resolution = Literal["high", "medium"]
Layers = Literal["all", "base"]
Coding = Literal["ans", "zstd"]

MAX_PIXELS = 128_000_000
ICC_MAX = 4 << 20
METADATA_MAX = 16 << 20
FORCED_ZEROS_MAX_DB = 0.05
FAST_LEVEL = 1
_CRC = struct.Struct("<I")
_BYTES_PER_SYMBOL = 5


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
    layer_sections, all_coded = _encode_latents(network, picture.rgb, stored, layers, coding)

    flags = Flags(0)
    for flag, on in (
        (Flags.ENHANCEMENT, layers == "all"),
        (Flags.ZSTD, coding == "zstd"),
        (Flags.ALL_CODED, all_coded),
        (Flags.GRAY, picture.gray),
        (Flags.ALPHA, picture.alpha is not None),
    ):
        flags |= flag if on else Flags(0)
    height, width = picture.rgb.shape[:2]
    front, rest = _side_sections(picture)
    return container.write(
        Header(flags, stored, width, height, network.id),
        front + layer_sections[:1],
        layer_sections[1:] + rest,
    )


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
    header = container.parse_header(data)
    _check_size(header.width, header.height, max_pixels)
    network = find_model(header.model, threads, device)
    front = _front(data, header)
    rest = _Rest(data, header)
    decoder = _LatentDecoder(network, header, _required(front, SectionType.BASE))
    if resolution == "high":
        _read_enhancement(decoder, header, rest, upscale)
    rgb, alpha = decoder.synthesize(resolution), _decode_alpha(header, front, rest, resolution)
    image = images.to_pillow(rgb, alpha, Flags.GRAY in header.flags)
    image.info.update(_metadata(front, rest))
    return image


def info(data: bytes) -> Info:
    """Read what a file, or its front part, says of itself.

    Raises:
        FormatError: not an aez file, or one of a newer version.
        DamagedError: the header or the front part is truncated or altered.
    """
    header = container.parse_header(data)
    front = _front(data, header)
    rest = _Rest(data, header)
    frames = [*front.values(), *rest.frames.values()]
    missing = Flags.ENHANCEMENT in header.flags and SectionType.ENHANCEMENT not in rest.frames
    return Info(
        version=container.VERSION,
        width=header.width,
        height=header.height,
        medium_width=-(-header.width // 2),
        medium_height=-(-header.height // 2),
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
        complete=rest.error is None and not missing,
        sections=[SectionInfo(frame.type.name.lower(), len(frame.data)) for frame in frames],
    )


def metadata(data: bytes) -> dict[str, bytes]:
    """ICC profile, EXIF and XMP of a file, as Pillow's `info` names them: icc_profile, exif, xmp.

    Raises:
        FormatError: not an aez file, or one of a newer version.
        DamagedError: the header or the front part is truncated or altered.
    """
    header = container.parse_header(data)
    return _metadata(_front(data, header), _Rest(data, header))


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise PictureError(f"{width} x {height} is more than {max_pixels / 1e6:g} megapixels; see --max-pixels")


def _metadata(front: dict[SectionType, Frame], rest: "_Rest") -> dict[str, bytes]:
    if rest.error is not None:
        warnings.warn(f"metadata may be lost: {rest.error}", AezWarning, stacklevel=3)
    icc = front[SectionType.COLOUR].content(ICC_MAX) if SectionType.COLOUR in front else b""
    found = {"icc_profile": icc, "exif": rest.metadata(SectionType.EXIF), "xmp": rest.metadata(SectionType.XMP)}
    return {name: content for name, content in found.items() if content}


def _encode_latents(
    model: Model, rgb: Plane, quality: int, layers: Layers, coding: Coding
) -> tuple[list[Section], bool]:
    """The sections of the layers, and whether certain zeros had to be coded."""
    target = model.analysis(images.pad(rgb, BLOCK), quality)
    hyper = model.hyper_analysis(target)
    features = model.hyper_synthesis(hyper, quality)
    for all_coded in (False, True):
        decoded = np.zeros_like(target)
        encoder = latents.LayerEncoder(model, features, target, decoded, all_coded)
        sections = []
        for layer in (model.base_layer, model.enhancement_layer)[: 2 if layers == "all" else 1]:
            writer = ZstdWriter() if coding == "zstd" else AnsWriter()
            if layer is model.base_layer:
                latents.write_hyper(writer, model, hyper, quality)
            encoder.write(writer, layer)
            content = writer.finish() + _CRC.pack(latents.checksum(decoded, layer))
            kind = SectionType.BASE if layer is model.base_layer else SectionType.ENHANCEMENT
            sections.append(Section(kind, content) if coding == "zstd" else Section(kind, content, FAST_LEVEL))
        if encoder.forced_zeros_db() <= FORCED_ZEROS_MAX_DB:
            break
    return sections, all_coded


def _side_sections(picture: Picture) -> tuple[list[Section], list[Section]]:
    """Everything but latents: what the medium picture needs, and what it does not."""
    front, rest = [], []
    if picture.icc:
        front.append(Section(SectionType.COLOUR, picture.icc))
    if picture.alpha is not None:
        half = np.rint(images.box_average(picture.alpha)).astype(np.uint8)
        front.append(Section(SectionType.MEDIUM_ALPHA, half.tobytes()))
        rest.append(Section(SectionType.ALPHA, picture.alpha.tobytes()))
    for kind, content in ((SectionType.EXIF, picture.exif), (SectionType.XMP, picture.xmp)):
        if content:
            rest.append(Section(kind, content))
    return front, rest


def _front(data: bytes, header: Header) -> dict[SectionType, Frame]:
    if len(data) < header.medium_bytes:
        raise DamagedError(f"truncated: {len(data)} bytes of the {header.medium_bytes} that medium needs")
    return {frame.type: frame for frame in container.sections(data, container.HEADER_BYTES, header.medium_bytes)}


def _required(frames: dict[SectionType, Frame], kind: SectionType) -> Frame:
    if kind not in frames:
        raise DamagedError(f"section {kind.name.lower()} is missing")
    return frames[kind]


class _Rest:
    """The sections behind the front part, as far as they can be read."""

    def __init__(self, data: bytes, header: Header) -> None:
        self.frames: dict[SectionType, Frame] = {}
        self.error: AezError | None = None
        try:
            for frame in container.sections(data, header.medium_bytes, len(data)):
                self.frames[frame.type] = frame
        except AezError as error:
            self.error = error

    def metadata(self, kind: SectionType) -> bytes:
        """EXIF or XMP; damage costs no picture."""
        try:
            return self.frames[kind].content(METADATA_MAX) if kind in self.frames else b""
        except DamagedError as error:
            warnings.warn(f"{kind.name} is left out: {error}", AezWarning, stacklevel=4)
            return b""


class _LatentDecoder:
    """Decodes the layers of a file one after the other, then synthesizes a picture from them."""

    def __init__(self, model: Model, header: Header, base: Frame) -> None:
        self._model = model
        self._header = header
        rows, columns = -(-header.height // BLOCK), -(-header.width // BLOCK)
        shape = (1, model.latents, rows * CELLS_PER_BLOCK, columns * CELLS_PER_BLOCK)
        content = self._content(base, math.prod(shape))
        reader = self._reader(content)
        hyper = latents.read_hyper(reader, model, (rows, columns), header.quality)
        self._features = model.hyper_synthesis(hyper, header.quality)
        self._latents = np.zeros(shape, np.float32)
        self._read(model.base_layer, reader, content)

    def read_enhancement(self, frame: Frame) -> None:
        """Decode the enhancement layer.

        Raises:
            DamagedError: it is damaged.
        """
        content = self._content(frame, self._latents.size)
        self._read(self._model.enhancement_layer, self._reader(content), content)

    def generate_enhancement(self) -> None:
        """Put the means that the context networks predict in place of the enhancement layer."""
        latents.generate_layer(self._model, self._model.enhancement_layer, self._features, self._latents)

    def synthesize(self, resolution: Resolution) -> Plane:
        """RGB samples [H, W, 3] of the high or the medium picture."""
        height, width, quality = self._header.height, self._header.width, self._header.quality
        if resolution == "high":
            return self._model.synthesis(self._latents, quality)[:height, :width]
        base = self._latents[:, : self._model.base]
        return self._model.medium_synthesis(base, quality)[: -(-height // 2), : -(-width // 2)]

    def _content(self, frame: Frame, symbols: int) -> bytes:
        content = frame.content(_BYTES_PER_SYMBOL * symbols + METADATA_MAX)
        if len(content) < _CRC.size:
            raise DamagedError(f"section {frame.type.name.lower()} is too short")
        return content

    def _reader(self, content: bytes) -> SymbolReader:
        payload = content[: -_CRC.size]
        return ZstdReader(payload) if Flags.ZSTD in self._header.flags else AnsReader(payload)

    def _read(self, layer: Layer, reader: SymbolReader, content: bytes) -> None:
        all_coded = Flags.ALL_CODED in self._header.flags
        latents.read_layer(reader, self._model, layer, self._features, self._latents, all_coded)
        reader.finish()
        if latents.checksum(self._latents, layer) != _CRC.unpack(content[-_CRC.size :])[0]:
            raise DamagedError("the decoded latents do not match their checksum")


def _read_enhancement(decoder: _LatentDecoder, header: Header, rest: _Rest, upscale: bool) -> None:
    """Decode the enhancement layer, or generate it where that was asked for or the file never had one."""
    if Flags.ENHANCEMENT not in header.flags:
        warnings.warn("the file holds the base layer only; the high picture is generated", AezWarning, stacklevel=3)
        decoder.generate_enhancement()
        return
    try:
        if SectionType.ENHANCEMENT not in rest.frames:
            raise DamagedError("missing")
        decoder.read_enhancement(rest.frames[SectionType.ENHANCEMENT])
    except DamagedError as error:
        if not upscale:
            state = "missing" if SectionType.ENHANCEMENT not in rest.frames else "damaged"
            raise DamagedError(
                f"the enhancement layer is {state}; --res medium still decodes, --upscale generates high"
            ) from error
        decoder.generate_enhancement()


def _decode_alpha(header: Header, front: dict[SectionType, Frame], rest: _Rest, resolution: Resolution) -> Plane | None:
    if Flags.ALPHA not in header.flags:
        return None
    if resolution == "high":
        frame, height, width = _required(rest.frames, SectionType.ALPHA), header.height, header.width
    else:
        frame, height, width = _required(front, SectionType.MEDIUM_ALPHA), -(-header.height // 2), -(-header.width // 2)
    content = frame.content(height * width)
    if len(content) != height * width:
        raise DamagedError(f"section {frame.type.name.lower()} has the wrong size")
    return np.frombuffer(content, np.uint8).reshape(height, width)
