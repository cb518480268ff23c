"""The integer networks as plain arrays: what `entropy.npz` stores, what the graphs are generated from, and the proof
that no sum leaves the range in which float32 is exact."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ..errors import AezError
from ..nn.codec import Codec
from ..nn.integer import ACCUMULATOR_LIMIT, ACTIVATION_MAX, ACTIVATION_UNIT, SIGNAL_MIN, IntegerConv2d
from ..nn.networks import Context

Int64 = npt.NDArray[np.int64]


class BoundError(AezError):
    """An accumulator could leave the range in which float32 is exact."""


@dataclass(frozen=True)
class IntegerLayer:
    """y = round_half_even((weight * x + bias) / 2^shift).

    weight is int8 [O, I / groups, k, k], bias int32 [O], shift int8 [O].
    """

    weight: npt.NDArray[np.int8]
    bias: npt.NDArray[np.int32]
    shift: npt.NDArray[np.int8]

    @property
    def depthwise(self) -> bool:
        return bool(self.weight.shape[1] == 1)

    def bound(self, largest: Int64) -> int:
        """Largest magnitude of an accumulator, for inputs of at most `largest` [I / groups, or one for all]."""
        weights = np.abs(self.weight.astype(np.int64)).sum((2, 3))
        return int(((weights * largest).sum(1) + np.abs(self.bias.astype(np.int64))).max())


@dataclass(frozen=True)
class IntegerNetworks:
    """All integer layers of a model, by network and layer name, and the quality's offsets int16 [KNOTS, features]."""

    layers: dict[str, dict[str, IntegerLayer]]
    offsets: npt.NDArray[np.int16]

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Flat, as they are stored."""
        found: dict[str, npt.NDArray[np.generic]] = {"offsets": self.offsets}
        for network, layers in self.layers.items():
            for name, layer in layers.items():
                for part in ("weight", "bias", "shift"):
                    found[f"{network}.{name}.{part}"] = getattr(layer, part)
        return found


@torch.no_grad()
def extract(codec: Codec) -> IntegerNetworks:
    """The integer networks of a trained codec.

    Raises:
        BoundError: a sum could reach 2^24.
    """
    hyper = codec.hyper_synthesis
    layers = {"hyper_synthesis": {"first": _layer(hyper.first), "second": _layer(hyper.second)}}
    prove("hyper_synthesis.first", layers["hyper_synthesis"]["first"], -SIGNAL_MIN)
    prove("hyper_synthesis.second", layers["hyper_synthesis"]["second"], ACTIVATION_MAX)
    for step, context in enumerate(codec.contexts):
        assert isinstance(context, Context)
        first, depthwise, last = (_layer(part) for part in (context.first, context.depthwise, context.last))
        outputs = len(last.shift) // 2
        last.shift[outputs:] += 1
        largest = np.full(first.weight.shape[1], -SIGNAL_MIN, np.int64)
        largest[: codec.arch.features] = ACTIVATION_MAX
        prove(f"context_{step}.first", first, largest)
        prove(f"context_{step}.depthwise", depthwise, ACTIVATION_MAX)
        prove(f"context_{step}.last", last, ACTIVATION_MAX)
        layers[f"context_{step}"] = {"first": first, "depthwise": depthwise, "last": last}
    return IntegerNetworks(layers, hyper.offset_units().numpy().astype(np.int16))


def prove(name: str, layer: IntegerLayer, largest: int | Int64) -> None:
    """Check a layer's bound.

    Raises:
        BoundError: a sum could reach 2^24.
    """
    bound = layer.bound(np.asarray(largest, np.int64))
    if bound >= ACCUMULATOR_LIMIT:
        raise BoundError(f"{name}: an accumulator could reach {bound}, at least {ACCUMULATOR_LIMIT}")


def _layer(conv: nn.Module) -> IntegerLayer:
    assert isinstance(conv, IntegerConv2d)
    exponents = conv.exponents()
    shift = exponents + np.log2(ACTIVATION_UNIT / conv.input_unit)
    return IntegerLayer(
        weight=conv.integer_weight(exponents).numpy().astype(np.int8),
        bias=conv.integer_bias(exponents).numpy().astype(np.int32),
        shift=shift.numpy().astype(np.int8),
    )


def convolve(layer: IntegerLayer, x: Int64) -> Int64:
    """The layer in int64 on x [I, H, W], rounding half to even: what the graphs must reproduce."""
    pad = layer.weight.shape[2] // 2
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    total = np.zeros((len(layer.bias), *x.shape[1:]), np.int64) + layer.bias[:, None, None]
    for row, column in np.ndindex(*layer.weight.shape[2:]):
        part = padded[:, row : row + x.shape[1], column : column + x.shape[2]]
        weight = layer.weight[:, :, row, column].astype(np.int64)
        total += weight[:, :, None] * part if layer.depthwise else np.einsum("oi,ihw->ohw", weight, part)
    shift = layer.shift.astype(np.int64)[:, None, None]
    floor, rest = total >> shift, total & ((1 << shift) - 1)
    half = (1 << shift) >> 1
    rounded: Int64 = floor + ((rest > half) | ((rest == half) & (floor % 2 == 1) & (shift > 0)))
    return rounded
