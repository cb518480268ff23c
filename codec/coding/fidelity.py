"""How near the pictures of an encoded file come to the original; PSNR leaves alpha aside."""

import numpy as np

from ..arrays import AnyArray, Samples
from ..format.exact import SIDE, pixels_of
from ..metrics.fidelity import psnr
from ..metrics.ssimulacra2 import ssimulacra2
from ..picture.convert import to_pillow
from ..picture.samples import box_average, half_size
from .encode import Encoded, Encoder


def decoded_high(encoder: Encoder, encoded: Encoded) -> Samples:
    """The samples [H, W, 3] of the high picture, as decoders give them."""
    original = encoder.picture.seen
    if encoded.latents is None:
        return original
    height, width, _ = original.shape
    rgb = encoder.model.synthesis(encoded.latents, encoded.quality)[:height, :width]
    if encoded.exact is not None:
        np.copyto(rgb, original, where=pixels_of(encoded.exact, height, width)[..., None])
    return rgb


def high_psnr(encoder: Encoder, encoded: Encoded) -> float:
    """PSNR in dB of the high picture."""
    return _psnr(encoder, decoded_high(encoder, encoded), as_decoded(encoder, encoder.picture.seen))


def decoded_medium(encoder: Encoder, encoded: Encoded) -> Samples:
    """The samples [ceil(H/2), ceil(W/2), 3] of the medium picture; alpha is left aside."""
    model, original = encoder.model, encoder.picture.seen
    if encoded.latents is None:
        return half_size(original)
    half = half_size(original)
    height, width, _ = half.shape
    rgb = model.medium_synthesis(encoded.latents[:, : model.base], encoded.quality)[:height, :width]
    if encoded.exact is not None:
        np.copyto(rgb, half, where=pixels_of(encoded.exact, height, width, SIDE // 2)[..., None])
    return rgb


def medium_psnr(encoder: Encoder, encoded: Encoded) -> float:
    """PSNR in dB of the medium picture against the unrounded box average."""
    return _psnr(encoder, decoded_medium(encoder, encoded), box_average(as_decoded(encoder, encoder.picture.seen)))


def high_ssimulacra2(encoder: Encoder, encoded: Encoded) -> float:
    """SSIMULACRA2 of the high picture, with its alpha if it has one.

    Raises:
        AezError: its package is missing, or a side has less than 8 pixels.
    """
    picture = encoder.picture
    decoded = decoded_high(encoder, encoded)
    shown, original = (to_pillow(rgb, picture.alpha, picture.gray) for rgb in (decoded, picture.seen))
    return ssimulacra2(shown, original)


def _psnr(encoder: Encoder, decoded: Samples, original: AnyArray) -> float:
    return psnr(as_decoded(encoder, decoded), original)


def as_decoded(encoder: Encoder, rgb: Samples) -> Samples:
    """Samples as decoders give them: one channel for a gray picture."""
    return np.asarray(to_pillow(rgb, None, encoder.picture.gray))
