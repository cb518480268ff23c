"""How near the pictures of an encoded file come to the original; alpha is left aside."""

import numpy as np

from ..arrays import AnyArray, Samples
from ..metrics.fidelity import psnr
from ..picture.convert import to_pillow
from ..picture.samples import box_average
from .encode import Encoded, Encoder


def high_psnr(encoder: Encoder, encoded: Encoded) -> float:
    """PSNR in dB of the high picture."""
    decoded = encoder.model.synthesis(encoded.latents, encoded.quality)
    return _psnr(encoder, decoded, as_decoded(encoder, encoder.picture.rgb))


def medium_psnr(encoder: Encoder, encoded: Encoded) -> float:
    """PSNR in dB of the medium picture against the unrounded box average."""
    model = encoder.model
    decoded = model.medium_synthesis(encoded.latents[:, : model.base], encoded.quality)
    return _psnr(encoder, decoded, box_average(as_decoded(encoder, encoder.picture.rgb)))


def _psnr(encoder: Encoder, decoded: Samples, original: AnyArray) -> float:
    height, width = original.shape[:2]
    return psnr(as_decoded(encoder, decoded[:height, :width]), original)


def as_decoded(encoder: Encoder, rgb: Samples) -> Samples:
    """Samples as decoders give them: one channel for a gray picture."""
    return np.asarray(to_pillow(rgb, None, encoder.picture.gray))
