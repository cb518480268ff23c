"""From samples to a file: analysis, hyper latents, both layers, container.

picture -> analysis -> latents -> hyper analysis -> hyper latents, rounded -> hyper synthesis -> features
latents, features -> layers: four context steps give each latent its mean and scale, rANS codes the rest
header, alpha, base layer | enhancement layer, full alpha, EXIF, XMP -> file
"""

import copy
import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..arrays import Floats
from ..format import container
from ..format.container import BY_PROFILE, SRGB, Flags, Header, Section, SectionType
from ..format.entropy import AnsWriter, SymbolWriter, ZstdWriter
from ..model.model import Layer, Model
from ..model.tiled import BLOCK
from ..picture.convert import Picture
from ..picture.samples import box_average, pad
from .effort import refiner
from .latents import LayerEncoder, checksum, write_hyper

Layers = Literal["all", "base"]
Coding = Literal["ans", "zstd"]

FORCED_ZEROS_MAX_DB = 0.05
_FAST_LEVEL, _BEST_LEVEL = 1, 19
_CRC = struct.Struct("<I")


@dataclass(frozen=True)
class Encoded:
    """A file, the quality integer that it stores, and the latents that its decoder will have."""

    data: bytes
    quality: int
    latents: Floats


@dataclass(frozen=True)
class _CodedLayers:
    """The sections of the layers, the flags that tell how they are coded, and the decoded latents."""

    sections: list[Section]
    flags: Flags
    latents: Floats


class Encoder:
    """Encodes one picture at any quality.

    Raises:
        ModelError: from `encode`: the model does not work on this machine.
    """

    def __init__(
        self,
        model: Model,
        picture: Picture,
        layers: Layers = "all",
        coding: Coding = "ans",
        effort: int = 0,
        forced_zeros_max_db: float = FORCED_ZEROS_MAX_DB,
    ) -> None:
        """The options are those of `aez.encode`; `forced_zeros_max_db`: what certain zeros may cost, in dB."""
        self.model = model
        self.picture = picture
        self.effort = effort
        self.layers = layers
        self._coding = coding
        self._forced_zeros_max_db = forced_zeros_max_db

    def without_effort(self) -> "Encoder":
        """An encoder of the same picture that takes latents as they come."""
        plain = copy.copy(self)
        plain.effort = 0
        return plain

    def encode(self, quality: int) -> Encoded:
        """The picture as a file of a stored quality; certain zeros are coded after all where forcing them shows."""
        latents, hyper = self._analyse(quality)
        features = self.model.hyper_synthesis(hyper, quality)
        coded, lost_db = self._code_layers(latents, hyper, features, quality, all_coded=False)
        if lost_db > self._forced_zeros_max_db:
            coded, _ = self._code_layers(latents, hyper, features, quality, all_coded=True)
        front, rest = self._side_sections()
        height, width, _ = self.picture.rgb.shape
        colours = BY_PROFILE if self.picture.metadata.icc else SRGB
        header = Header(coded.flags | self._picture_flags(), quality, width, height, self.model.id, colours=colours)
        data = container.write(header, front + coded.sections[:1], coded.sections[1:] + rest)
        return Encoded(data, quality, coded.latents)

    def _analyse(self, quality: int) -> tuple[Floats, Floats]:
        """Latents to aim at, in units of the step size, and hyper latents, rounded."""
        latents = self.model.analysis(pad(self.picture.rgb, BLOCK), quality)
        hyper = self.model.hyper_analysis(latents)
        if self.effort:
            base_only = self.layers == "base"
            latents = refiner(self.model)(self.picture.rgb, latents, hyper, quality, self.effort, base_only)
        return latents, hyper

    def _code_layers(
        self, latents: Floats, hyper: Floats, features: Floats, quality: int, all_coded: bool
    ) -> tuple[_CodedLayers, float]:
        """Both layers, or base alone; and what forced zeros cost, in dB."""
        encoder = LayerEncoder(self.model, features, latents, all_coded)
        writer = self._writer()
        write_hyper(writer, self.model, hyper, quality)
        sections = [self._code_layer(encoder, writer, SectionType.BASE, self.model.base_layer)]
        if self.layers == "all":
            layer = self.model.enhancement_layer
            sections.append(self._code_layer(encoder, self._writer(), SectionType.ENHANCEMENT, layer))
        flags = Flags.ALL_CODED if all_coded else Flags(0)
        return _CodedLayers(sections, flags, encoder.latents), encoder.forced_zeros_db()

    def _code_layer(self, encoder: LayerEncoder, writer: SymbolWriter, kind: SectionType, layer: Layer) -> Section:
        encoder.write(writer, layer)
        content = writer.finish() + _CRC.pack(checksum(encoder.latents, layer))
        return Section(kind, content, _BEST_LEVEL if self._coding == "zstd" else _FAST_LEVEL)

    def _writer(self) -> SymbolWriter:
        return ZstdWriter() if self._coding == "zstd" else AnsWriter()

    def _picture_flags(self) -> Flags:
        flags = Flags.ENHANCEMENT if self.layers == "all" else Flags(0)
        flags |= Flags.ZSTD if self._coding == "zstd" else Flags(0)
        flags |= Flags.GRAY if self.picture.gray else Flags(0)
        return flags | (Flags.ALPHA if self.picture.alpha is not None else Flags(0))

    def _side_sections(self) -> tuple[list[Section], list[Section]]:
        """All sections but the layers: those of the front part, and those behind it."""
        front, rest = [], []
        metadata, alpha = self.picture.metadata, self.picture.alpha
        if metadata.icc:
            front.append(Section(SectionType.COLOUR, metadata.icc))
        if alpha is not None:
            medium = np.rint(box_average(alpha)).astype(np.uint8)
            front.append(Section(SectionType.MEDIUM_ALPHA, medium.tobytes()))
            if self.layers == "all":
                rest.append(Section(SectionType.ALPHA, alpha.tobytes()))
        for kind, content in ((SectionType.EXIF, metadata.exif), (SectionType.XMP, metadata.xmp)):
            if content:
                rest.append(Section(kind, content))
        return front, rest
