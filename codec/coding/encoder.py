"""One picture, taken apart once, encoded at any quality."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..format import container
from ..format.container import Flags, Header
from ..format.contents import side_sections
from ..metrics import psnr
from ..model.model import Floats, Model
from ..picture.convert import from_pillow, to_pillow
from ..picture.samples import Plane, box_average
from .layers import Coding, Layers, encode_layers


@dataclass(frozen=True)
class Encoded:
    """A file, the quality integer that it stores, and the latents that its decoder will have."""

    data: bytes
    quality: int
    latents: Floats


class Encoder:
    """Encodes one Pillow image, and measures what a decoder will make of the result.

    Raises:
        PictureError: the image cannot be read.
        ModelError: the model does not work on this machine.
    """

    def __init__(self, model: Model, image: Image.Image, layers: Layers, coding: Coding, effort: int) -> None:
        self._model = model
        self.effort = effort
        self._picture = from_pillow(image)
        self._layers = layers
        self._coding = coding
        self._front, self._rest = side_sections(self._picture, full_alpha=layers == "all")

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self._picture.rgb.size // 3

    def without_effort(self) -> "Encoder":
        """An encoder of the same picture that takes latents as they come."""
        plain = copy.copy(self)
        plain.effort = 0
        return plain

    def encode(self, quality: int) -> Encoded:
        """The picture as a file."""
        picture = self._picture
        coded = encode_layers(self._model, picture.rgb, quality, self._layers, self._coding, self.effort)
        flags = coded.flags
        if picture.gray:
            flags |= Flags.GRAY
        if picture.alpha is not None:
            flags |= Flags.ALPHA
        height, width = picture.rgb.shape[:2]
        header = Header(flags, quality, width, height, self._model.id)
        data = container.write(header, self._front + coded.sections[:1], coded.sections[1:] + self._rest)
        return Encoded(data, quality, coded.latents)

    def psnr(self, encoded: Encoded) -> float:
        """PSNR in dB of the high picture; alpha is left aside."""
        return self._psnr(self._model.synthesis(encoded.latents, encoded.quality), self._original())

    def medium_psnr(self, encoded: Encoded) -> float:
        """PSNR in dB of the medium picture against the unrounded box average; alpha is left aside."""
        base = encoded.latents[:, : self._model.base]
        return self._psnr(self._model.medium_synthesis(base, encoded.quality), box_average(self._original()))

    def _original(self) -> Plane:
        return self._as_decoded(self._picture.rgb)

    def _psnr(self, decoded: Plane, original: npt.NDArray[Any]) -> float:
        height, width = original.shape[:2]
        return psnr(self._as_decoded(decoded[:height, :width]), original)

    def _as_decoded(self, rgb: Plane) -> Plane:
        """Samples as `decode` gives them: one channel for a gray picture."""
        return np.asarray(to_pillow(rgb, None, self._picture.gray))
