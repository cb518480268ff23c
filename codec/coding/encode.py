"""From samples to a file: analysis, hyper latents, both layers, container.

picture -> analysis -> latents -> hyper analysis -> hyper latents, rounded -> hyper synthesis -> features
latents, features -> layers: four context steps give each latent its mean and scale, rANS codes the rest
header, profile, exact blocks, alpha, base layer | enhancement layer, full alpha, EXIF, XMP -> file

Under exact blocks the networks see a smooth continuation of what is around them: it costs next to nothing.
"""

import copy
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ..arrays import Floats, Samples
from ..format import container
from ..format.blocks import BLOCK
from ..format.container import FASTEST, STRONGEST, Flags, Section, SectionType
from ..format.entropy import AnsWriter, SymbolWriter, ZstdWriter
from ..format.exact import Map, gather, pack_exact, pixels_of
from ..model.model import Layer, Model
from ..picture.convert import Picture
from ..picture.samples import fill_gaps, half_size, pad
from .effort import refiner
from .latents import LayerEncoder, checksum, write_hyper
from .sections import alpha_section, header_of, metadata_sections, profile_sections

Layers = Literal["all", "base"]
Coding = Literal["ans", "zstd"]

FORCED_ZEROS_MAX_DB = 0.05
_CRC = struct.Struct("<I")


@dataclass(frozen=True)
class Encoded:
    """A file of a stored quality, and what its decoder will have: latents, features, and samples of exact blocks.

    Where all blocks are exact, there are no latents and no features.
    """

    data: bytes
    quality: int
    latents: Floats | None = None
    features: Floats | None = None
    split: "Split | None" = None

    @property
    def exactness(self) -> Literal["none", "some", "all"]:
        """How many blocks are exact."""
        return "all" if self.latents is None else "none" if self.split is None else "some"


@dataclass(frozen=True)
class Split:
    """Samples [H, W, 3], and which blocks of them are stored as samples: `stored`, at most `max_error` levels off.

    The networks code the others.
    """

    rgb: Samples
    exact: Map
    stored: Samples
    max_error: int = 0

    @property
    def inside(self) -> Map:
        """Which pixels [H, W] are in exact blocks."""
        return pixels_of(self.exact, *self.rgb.shape[:2])

    @cached_property
    def learned(self) -> Samples:
        """What the networks see."""
        return fill_gaps(self.rgb, self.inside)

    @cached_property
    def section(self) -> Section:
        """The exact blocks."""
        return Section(SectionType.EXACT, pack_exact(gather(self.stored, self.exact, self.max_error)))


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

    def learned(self) -> "Encoder":
        """An encoder of the same picture that stores no blocks exactly."""
        return Encoder(self.model, self.picture, self.layers, self._coding, self.effort, self._forced_zeros_max_db)

    def without_effort(self) -> "Encoder":
        """An encoder of the same picture that takes latents as they come."""
        plain = copy.copy(self)
        plain.effort = 0
        return plain

    def encode(self, quality: int) -> Encoded:
        """The picture as a file of a stored quality."""
        return self.encode_with(quality, None)

    def encode_with(self, quality: int, split: Split | None) -> Encoded:
        """The same with some blocks stored as samples, not all.

        Certain zeros are coded after all where forcing them shows.
        """
        latents, hyper = self._analyse(split.learned if split else self.picture.seen, quality)
        features = self.model.hyper_synthesis(hyper, quality)
        coded, lost_db = self._code_layers(latents, hyper, features, quality, all_coded=False)
        if lost_db > self._forced_zeros_max_db:
            coded, _ = self._code_layers(latents, hyper, features, quality, all_coded=True)
        flags = coded.flags | self._flags() | (Flags.EXACT if split else Flags(0))
        blocks = [split.section] if split else []
        base, enhancement = coded.sections[:1], coded.sections[1:]
        medium_alpha, alpha = self._alphas
        header = header_of(self.picture, flags, quality, self.model.id)
        front = [*profile_sections(self.picture), *blocks, *medium_alpha, *base]
        data = container.write(header, front, [*enhancement, *alpha, *metadata_sections(self.picture)])
        return Encoded(data, quality, coded.latents, features, split)

    @cached_property
    def _alphas(self) -> tuple[list[Section], list[Section]]:
        """Alpha of medium, and that of high, as far as there are such."""
        alpha = self.picture.alpha
        if alpha is None:
            return [], []
        medium = alpha_section(SectionType.MEDIUM_ALPHA, half_size(alpha))
        return [medium], [alpha_section(SectionType.ALPHA, alpha)] if self.layers == "all" else []

    def _analyse(self, rgb: Samples, quality: int) -> tuple[Floats, Floats]:
        """Latents to aim at, in units of the step size, and hyper latents, rounded."""
        latents = self.model.analysis(pad(rgb, BLOCK), quality)
        hyper = self.model.hyper_analysis(latents)
        if self.effort:
            base_only = self.layers == "base"
            latents = refiner(self.model)(rgb, latents, hyper, quality, self.effort, base_only)
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
        return Section(kind, content, STRONGEST if self._coding == "zstd" else FASTEST)

    def _writer(self) -> SymbolWriter:
        return ZstdWriter() if self._coding == "zstd" else AnsWriter()

    def _flags(self) -> Flags:
        flags = Flags.ENHANCEMENT if self.layers == "all" else Flags(0)
        return flags | (Flags.ZSTD if self._coding == "zstd" else Flags(0))
