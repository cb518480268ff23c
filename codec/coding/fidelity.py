"""How near the pictures of an encoded file come to the original; PSNR leaves alpha aside."""

import numpy as np

from ..arrays import AnyArray, Samples
from ..metrics.fidelity import psnr
from ..metrics.ssimulacra2 import ssimulacra2
from ..picture.convert import to_pillow
from ..picture.samples import box_average, half_size
from .encode import Encoded, Encoder


def decoded_high(encoder: Encoder, encoded: Encoded) -> Samples:
    """The samples [H, W, 3] of the high picture, as decoders give them."""
    split = encoded.split
    if encoded.latents is None:
        assert split is not None
        return split.stored
    height, width, _ = encoder.picture.seen.shape
    rgb = encoder.model.synthesis(encoded.latents, encoded.quality)[:height, :width]
    if split is not None:
        np.copyto(rgb, split.stored, where=split.inside[..., None])
    return rgb


def high_psnr(encoder: Encoder, encoded: Encoded) -> float:
    """PSNR in dB of the high picture."""
    return _psnr(encoder, decoded_high(encoder, encoded), as_decoded(encoder, encoder.picture.seen))


def decoded_medium(encoder: Encoder, encoded: Encoded) -> Samples:
    """The samples [ceil(H/2), ceil(W/2), 3] of the medium picture; alpha is left aside."""
    model, split = encoder.model, encoded.split
    if encoded.latents is None:
        assert split is not None
        return half_size(split.stored)
    height, width = (-(-side // 2) for side in encoder.picture.seen.shape[:2])
    rgb = model.medium_synthesis(encoded.latents[:, : model.base], encoded.quality)[:height, :width]
    if split is not None:
        np.copyto(rgb, half_size(split.stored), where=split.inside[::2, ::2, None])
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
