"""From a file to samples: container, base layer, enhancement layer, synthesis.

The base layer is decoded first; it is all that medium needs. High needs the enhancement layer too, or means in its
place: then it is generated. Exact blocks are put over what the syntheses give.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Samples
from ..errors import DamagedError, FormatError
from ..format.blocks import blocks_of
from ..format.container import Flags, SectionType
from ..format.contents import Contents
from ..format.entropy import AnsReader, SymbolReader, ZstdReader
from ..model.model import Layer, Model
from ..model.tiled import CELLS_PER_BLOCK
from ..picture.samples import double_size, half_size, half_size_seen
from .latents import LayerDecoder, checksum, read_hyper

BYTES_PER_SYMBOL = 8
CONTENT_MARGIN = 64
_CRC = struct.Struct("<I")
_HINT = "see --res medium and --upscale"


@dataclass(frozen=True)
class Decoded:
    """RGB samples uint8 [H, W, 3], alpha uint8 [H, W], if there is any, and what people should know of them."""

    rgb: Samples
    alpha: Samples | None
    notes: Sequence[str] = ()


def decode_exact(contents: Contents, medium: bool) -> Decoded:
    """A picture of a file whose blocks are all exact.

    Raises:
        FormatError: the file is written in a newer format, and medium is not what is wanted.
        DamagedError: the front part is damaged.
    """
    if not medium:
        _refuse_newer(contents)
    rgb, alpha = contents.exact_picture(), contents.alpha()
    if not medium:
        return Decoded(rgb, alpha)
    if alpha is None:
        return Decoded(half_size(rgb), None)
    return Decoded(half_size_seen(rgb, alpha), half_size(alpha))


def decode_medium(model: Model, contents: Contents) -> Decoded:
    """The medium picture, from the front part.

    Raises:
        DamagedError: the front part is damaged.
    """
    header = contents.header
    alpha, exact = contents.medium_alpha(), contents.exact_blocks()
    base = decode_base(model, contents).latents[:, : model.base]
    rgb = model.medium_synthesis(base, header.quality)[: header.medium_height, : header.medium_width]
    if exact is not None:
        exact.put_half(rgb, half_size(exact.sheet))
    return Decoded(rgb, alpha)


def decode_high(model: Model, contents: Contents, upscale: bool) -> Decoded:
    """The high picture; generated from the base layer where that is all there ever was, or if `upscale` allows it.

    A note says so.

    Raises:
        FormatError: what it needs is written in a newer format.
        DamagedError: what it needs is missing or damaged.
    """
    header = contents.header
    notes: list[str] = []
    exact = contents.exact_blocks()
    decoder = decode_base(model, contents)
    if not upscale:
        _refuse_newer(contents)
    if Flags.ENHANCEMENT in header.flags:
        alpha = _alpha(contents, upscale, notes)
        _enhance(decoder, model, contents, upscale, notes)
    else:
        notes.append("the file holds the base layer only; the high picture is generated")
        alpha = _enlarged_alpha(contents)
        decoder.generate(model.enhancement_layer)
    rgb = model.synthesis(decoder.latents, header.quality)[: header.height, : header.width]
    if exact is not None:
        exact.put(rgb)
    return Decoded(rgb, alpha, notes)


def decode_base(model: Model, contents: Contents) -> LayerDecoder:
    """Decode the base layer; the enhancement layer can follow.

    Raises:
        DamagedError: the base layer is missing or damaged.
    """
    header = contents.header
    rows, columns = blocks_of(header.height, header.width)
    reader, crc = _open(model, contents, SectionType.BASE, model.base_layer, hyper=model.hyper * rows * columns)
    hyper = read_hyper(reader, model, (rows, columns), header.quality)
    features = model.hyper_synthesis(hyper, header.quality)
    decoder = LayerDecoder(model, features, all_coded=Flags.ALL_CODED in header.flags)
    _read(decoder, model.base_layer, reader, crc)
    return decoder


def decode_enhancement(decoder: LayerDecoder, model: Model, contents: Contents) -> None:
    """Decode the enhancement layer, once the base layer is there.

    Raises:
        DamagedError: it is missing or damaged.
    """
    layer = model.enhancement_layer
    _read(decoder, layer, *_open(model, contents, SectionType.ENHANCEMENT, layer))


def _refuse_newer(contents: Contents) -> None:
    if contents.newer:
        raise FormatError(f"{contents.error}; medium still decodes", _HINT)


def _enhance(decoder: LayerDecoder, model: Model, contents: Contents, upscale: bool, notes: list[str]) -> None:
    try:
        decode_enhancement(decoder, model, contents)
    except DamagedError as error:
        trouble = _trouble("enhancement layer", SectionType.ENHANCEMENT, contents)
        if not upscale:
            raise DamagedError(f"{trouble}; medium still decodes", _HINT) from error
        notes.append(f"{trouble}; the high picture is generated from the base layer")
        decoder.generate(model.enhancement_layer)


def _alpha(contents: Contents, upscale: bool, notes: list[str]) -> Samples | None:
    try:
        return contents.alpha()
    except DamagedError as error:
        trouble = _trouble("alpha plane", SectionType.ALPHA, contents)
        if not upscale:
            raise DamagedError(f"{trouble}; medium still decodes", _HINT) from error
        notes.append(f"{trouble}; alpha is enlarged from that of medium")
        return _enlarged_alpha(contents)


def _enlarged_alpha(contents: Contents) -> Samples | None:
    medium = contents.medium_alpha()
    return None if medium is None else double_size(medium, contents.header.width, contents.header.height)


def _trouble(name: str, kind: SectionType, contents: Contents) -> str:
    return f"the {name} is {'damaged' if kind in contents.frames else 'missing'}"


def _open(
    model: Model, contents: Contents, kind: SectionType, layer: Layer, hyper: int = 0
) -> tuple[SymbolReader, int]:
    """A reader over a layer's symbols, among them `hyper` of hyper latents, and the checksum of its latents."""
    header = contents.header
    cells = int(np.prod(blocks_of(header.height, header.width))) * CELLS_PER_BLOCK**2
    symbols = hyper + (layer.channels.stop - layer.channels.start) * cells
    content = memoryview(contents.required(kind).content(BYTES_PER_SYMBOL * symbols + CONTENT_MARGIN))
    if len(content) < _CRC.size:
        raise DamagedError(f"section {kind.name.lower()} is too short")
    payload, (crc,) = content[: -_CRC.size], _CRC.unpack(content[-_CRC.size :])
    return ZstdReader(payload) if Flags.ZSTD in header.flags else AnsReader(payload), crc


def _read(decoder: LayerDecoder, layer: Layer, reader: SymbolReader, crc: int) -> None:
    decoder.read(reader, layer)
    reader.finish()
    if checksum(decoder.latents, layer) != crc:
        raise DamagedError("the decoded latents do not match their checksum")
