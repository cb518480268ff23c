"""How near the pictures of an encoded file come to the original; PSNR leaves alpha aside."""

import numpy as np

from ..arrays import AnyArray, Samples
from ..metrics.fidelity import psnr
from ..metrics.ssimulacra2 import ssimulacra2
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


def high_ssimulacra2(encoder: Encoder, encoded: Encoded) -> float:
    """SSIMULACRA2 of the high picture, with its alpha if it has one.

    Raises:
        AezError: its package is missing, or a side has less than 8 pixels.
    """
    rgb, alpha, gray = encoder.picture.rgb, encoder.picture.alpha, encoder.picture.gray
    height, width, _ = rgb.shape
    decoded = encoder.model.synthesis(encoded.latents, encoded.quality)[:height, :width]
    return ssimulacra2(to_pillow(decoded, alpha, gray), to_pillow(rgb, alpha, gray))


def _psnr(encoder: Encoder, decoded: Samples, original: AnyArray) -> float:
    height, width = original.shape[:2]
    return psnr(as_decoded(encoder, decoded[:height, :width]), original)


def as_decoded(encoder: Encoder, rgb: Samples) -> Samples:
    """Samples as decoders give them: one channel for a gray picture."""
    return np.asarray(to_pillow(rgb, None, encoder.picture.gray))
