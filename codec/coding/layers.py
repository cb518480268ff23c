"""Samples <-> layer sections: networks, latents and entropy coding put together."""

import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import DamagedError
from ..format.container import Flags, Header, Section, SectionType
from ..format.contents import Contents, half
from ..format.entropy import AnsReader, AnsWriter, SymbolReader, ZstdReader, ZstdWriter
from ..model.model import Floats, Layer, Model
from ..model.tiled import BLOCK, CELLS_PER_BLOCK
from ..picture.samples import Plane, pad
from . import latents

Layers = Literal["all", "base"]
Coding = Literal["ans", "zstd"]

FORCED_ZEROS_MAX_DB = 0.05
BYTES_PER_SYMBOL = 8
CONTENT_MARGIN = 64
_FAST_LEVEL, _BEST_LEVEL = 1, 19
_CRC = struct.Struct("<I")


@dataclass(frozen=True)
class CodedLayers:
    """The sections of the layers, the header flags that tell how they are coded, and the decoded latents."""

    sections: list[Section]
    flags: Flags
    latents: Floats


def encode_layers(model: Model, rgb: Plane, quality: int, layers: Layers, coding: Coding, effort: int) -> CodedLayers:
    """Code samples uint8 [H, W, 3]. Certain zeros are coded after all where forcing them would show."""
    target, hyper = _analyse(model, rgb, quality, effort, base_only=layers == "base")
    features = model.hyper_synthesis(hyper, quality)
    flags = Flags.ZSTD if coding == "zstd" else Flags(0)
    if layers == "all":
        flags |= Flags.ENHANCEMENT

    def attempt(flags: Flags) -> tuple[CodedLayers, float]:
        """Code both layers; and what forced zeros cost, in dB."""
        encoder = latents.LayerEncoder(model, features, target, Flags.ALL_CODED in flags)
        base = ZstdWriter() if coding == "zstd" else AnsWriter()
        latents.write_hyper(base, model, hyper, quality)
        sections = [_encode_layer(encoder, base, SectionType.BASE, model.base_layer)]
        if layers == "all":
            writer = ZstdWriter() if coding == "zstd" else AnsWriter()
            sections.append(_encode_layer(encoder, writer, SectionType.ENHANCEMENT, model.enhancement_layer))
        return CodedLayers(sections, flags, encoder.decoded), encoder.forced_zeros_db()

    coded, cost = attempt(flags)
    return coded if cost <= FORCED_ZEROS_MAX_DB else attempt(flags | Flags.ALL_CODED)[0]


def _analyse(model: Model, rgb: Plane, quality: int, effort: int, base_only: bool) -> tuple[Floats, Floats]:
    """Latents to aim at, and hyper latents."""
    target = model.analysis(pad(rgb, BLOCK), quality)
    hyper = model.hyper_analysis(target)
    if effort:
        target = model.refiner(rgb, target, hyper, quality, effort, base_only)
    return target, hyper


def _encode_layer(
    encoder: latents.LayerEncoder, writer: ZstdWriter | AnsWriter, kind: SectionType, layer: Layer
) -> Section:
    encoder.write(writer, layer)
    content = writer.finish() + _CRC.pack(latents.checksum(encoder.decoded, layer))
    return Section(kind, content, _FAST_LEVEL if isinstance(writer, AnsWriter) else _BEST_LEVEL)


class LayerDecoder:
    """Decodes the base layer of a file, then what else is asked for; `latents`, in units of 1/16, are what there is.

    Raises:
        DamagedError: the base layer is missing or damaged.
    """

    def __init__(self, model: Model, contents: Contents) -> None:
        self._model = model
        self._contents = contents
        self._header: Header = contents.header
        rows, columns = -(-self._header.height // BLOCK), -(-self._header.width // BLOCK)
        self._shape = 1, model.latents, rows * CELLS_PER_BLOCK, columns * CELLS_PER_BLOCK
        reader, crc = self._open(SectionType.BASE, model.base_layer, model.hyper * rows * columns)
        hyper = latents.read_hyper(reader, model, (rows, columns), self._header.quality)
        self._features = model.hyper_synthesis(hyper, self._header.quality)
        self.latents = np.zeros(self._shape, np.float32)
        self._read(model.base_layer, reader, crc)

    def read_enhancement(self) -> None:
        """Decode the enhancement layer.

        Raises:
            DamagedError: it is missing or damaged.
        """
        layer = self._model.enhancement_layer
        self._read(layer, *self._open(SectionType.ENHANCEMENT, layer))

    def generate_enhancement(self) -> None:
        """Put the means that the context networks predict in place of the enhancement layer."""
        latents.generate_layer(self._model, self._model.enhancement_layer, self._features, self.latents)

    def high(self) -> Plane:
        """RGB samples [H, W, 3], once the enhancement layer is there."""
        picture = self._model.synthesis(self.latents, self._header.quality)
        return picture[: self._header.height, : self._header.width]

    def medium(self) -> Plane:
        """RGB samples of the medium picture, [ceil(H/2), ceil(W/2), 3]."""
        picture = self._model.medium_synthesis(self.latents[:, : self._model.base], self._header.quality)
        return picture[: half(self._header.height), : half(self._header.width)]

    def _open(self, kind: SectionType, layer: Layer, hyper: int = 0) -> tuple[SymbolReader, int]:
        """A reader over a layer's symbols, among them `hyper` of hyper latents, and the checksum of its latents."""
        _, _, rows, columns = self._shape
        symbols = hyper + (layer.channels.stop - layer.channels.start) * rows * columns
        content = memoryview(self._contents.required(kind).content(BYTES_PER_SYMBOL * symbols + CONTENT_MARGIN))
        if len(content) < _CRC.size:
            raise DamagedError(f"section {kind.name.lower()} is too short")
        payload, (crc,) = content[: -_CRC.size], _CRC.unpack(content[-_CRC.size :])
        return ZstdReader(payload) if Flags.ZSTD in self._header.flags else AnsReader(payload), crc

    def _read(self, layer: Layer, reader: SymbolReader, crc: int) -> None:
        all_coded = Flags.ALL_CODED in self._header.flags
        latents.read_layer(reader, self._model, layer, self._features, self.latents, all_coded)
        reader.finish()
        if latents.checksum(self.latents, layer) != crc:
            raise DamagedError("the decoded latents do not match their checksum")
