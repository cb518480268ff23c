"""Whether the graphs of a model compute what was trained: the exact ones bit for bit, the others but for rounding."""

import numpy as np
import numpy.typing as npt
import torch

from ..coding.latents import checkerboard_half
from ..errors import AezError
from ..format.quality import QUALITY_MAX
from ..format.tables import HYPER_MAX, SCALES
from ..model.model import Model
from ..model.networks import CONTEXTS, LATENT_UNIT
from ..nn.codec import Codec
from ..nn.integer import ACTIVATION_MAX, SIGNAL_MAX, SIGNAL_MIN
from ..nn.networks import INDEX_OFFSET, knot_weights
from .integer_layers import IntegerNetworks, convolve

Array = npt.NDArray[np.generic]
MAX_WRONG_SAMPLES = 0.001


class ExportError(AezError):
    """The exported graphs would not compute what PyTorch does."""


def check_integers(model: Model, integers: IntegerNetworks) -> None:
    """Compare the integer graphs with int64 arithmetic on random input.

    Raises:
        ExportError: they differ.
    """
    random = np.random.default_rng(0)
    first, second = integers.layers["hyper_synthesis"].values()
    hyper = random.integers(-HYPER_MAX, HYPER_MAX + 1, (first.weight.shape[1], 4, 5))
    x = _shuffle(np.clip(convolve(first, hyper), 0, ACTIVATION_MAX))
    offset = integers.offsets[0].astype(np.int64)
    features = np.clip(_shuffle(convolve(second, x)) + offset[:, None, None], 0, ACTIVATION_MAX)
    _compare("hyper_synthesis", model.hyper_synthesis(hyper.astype(np.float32)[None], 0), features)
    for step in range(len(CONTEXTS)):
        layers = integers.layers[f"context_{step}"]
        known = layers["first"].weight.shape[1] - len(features)
        latents = random.integers(-200, 201, (known, *features.shape[1:]))
        x = np.concatenate([features, np.clip(latents, SIGNAL_MIN, SIGNAL_MAX)])
        x = np.clip(convolve(layers["first"], x), 0, ACTIVATION_MAX)
        x = np.clip(convolve(layers["depthwise"], x), 0, ACTIVATION_MAX)
        mean, index = np.split(convolve(layers["last"], x), 2)
        result = model.context(step, features.astype(np.float32)[None], latents.astype(np.float32)[None])
        is_first, scale = step % 2 == 0, np.clip(index + INDEX_OFFSET, 0, SCALES - 1)
        _compare(f"context_{step} mean", result[0], checkerboard_half(mean, is_first))
        _compare(f"context_{step} index", result[1], checkerboard_half(scale, is_first))


@torch.no_grad()
def check_pictures(model: Model, codec: Codec) -> None:
    """Compare analysis and both syntheses with PyTorch on a smooth random picture.

    Raises:
        ExportError: samples differ by more than one level, or too many differ.
    """
    noise = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    picture = torch.nn.functional.interpolate(noise, (256, 256), mode="bicubic").clamp(0, 1).mul(255).round()
    for quality in (0, QUALITY_MAX // 3, QUALITY_MAX):
        knots = knot_weights(torch.tensor([float(quality)]))
        step = torch.exp(knots @ codec.log_step)[:, :, None, None]
        expected = codec.analysis(picture / 255, knots) / step
        latents = model.analysis(picture[0].permute(1, 2, 0).numpy().astype(np.uint8), quality)
        if np.abs(latents - expected.numpy()).max() > 0.02:
            raise ExportError("analysis differs from PyTorch")
        units = torch.round(expected * LATENT_UNIT)
        for name, ours, theirs in (
            ("synthesis", model.synthesis(units.numpy(), quality), codec.synthesis(units / LATENT_UNIT * step, knots)),
            (
                "medium_synthesis",
                model.medium_synthesis(units[:, : model.base].numpy(), quality),
                codec.medium_synthesis((units / LATENT_UNIT * step)[:, : model.base], knots),
            ),
        ):
            rounded = theirs[0].permute(1, 2, 0).mul(255).round().clamp(0, 255).numpy()
            difference = np.abs(ours - rounded)
            if difference.max() > 1 or (difference > 0).mean() > MAX_WRONG_SAMPLES:
                raise ExportError(f"{name} differs from PyTorch")


def _shuffle(x: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Depth to space by two, [4 C, H, W] -> [C, 2 H, 2 W]."""
    channels, height, width = len(x) // 4, *x.shape[1:]
    return x.reshape(channels, 2, 2, height, width).transpose(0, 3, 1, 4, 2).reshape(channels, 2 * height, 2 * width)


def _compare(name: str, ours: Array, expected: npt.NDArray[np.int64]) -> None:
    if not np.array_equal(ours[0].astype(np.int64), expected):
        raise ExportError(f"{name} differs from integer arithmetic")
