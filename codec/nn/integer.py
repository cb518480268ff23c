"""Integer convolutions, trained with their rounding in the loop.

Weights are int8 with a power-of-two scale per output channel; activations are uint8 in units of 1/16, decoded latents
int8 in the same unit. Values are kept here in real units, as multiples of their unit, so every sum is exact in
float32 as long as its integer stays below 2^24; `export` proves that it does.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .gradients import lower_bound, round_through, straight_through

ACTIVATION_UNIT = 1 / 16
ACTIVATION_MAX = 255
SIGNAL_MIN, SIGNAL_MAX = -128, 127
ACCUMULATOR_LIMIT = 2**24
WEIGHT_MAX = 127
EXPONENT_MAX = 12


def quantize_activation(x: Tensor) -> Tensor:
    """ReLU and rounding to uint8 in units of 1/16; gradients pass the upper bound where they lead back."""
    x = -lower_bound(-F.relu(x), -ACTIVATION_MAX * ACTIVATION_UNIT)
    return straight_through(x, torch.round(x / ACTIVATION_UNIT) * ACTIVATION_UNIT)


def clip_signal(x: Tensor) -> Tensor:
    """Decoded latents, multiples of 1/16 already, as a context network takes them: int8 in units of 1/16."""
    return x.clamp(SIGNAL_MIN * ACTIVATION_UNIT, SIGNAL_MAX * ACTIVATION_UNIT)


class IntegerConv2d(nn.Conv2d):
    """A convolution with int8 weights and power-of-two scales; `input_unit` is the unit of its integer input."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, groups: int = 1, input_unit: float = ACTIVATION_UNIT
    ) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2, groups=groups)
        self.input_unit = input_unit
        self.exponent_min = 0 if input_unit == ACTIVATION_UNIT else 4

    def exponents(self) -> Tensor:
        """Power-of-two exponent of each output channel's weights, [outputs]: integer weight = round(weight * 2^e)."""
        weight = self.weight.detach()
        largest = weight.abs().amax((1, 2, 3)).clamp_min(1e-6)
        exponents = torch.floor(torch.log2(WEIGHT_MAX / largest)).clamp(self.exponent_min, EXPONENT_MAX)
        total = weight.abs().sum((1, 2, 3)).clamp_min(1e-6)
        safe = torch.floor(torch.log2(ACCUMULATOR_LIMIT / 2 / ACTIVATION_MAX / total))
        return torch.minimum(exponents, safe).clamp_min(self.exponent_min)

    def integer_weight(self, exponents: Tensor) -> Tensor:
        """The int8 weights, as floats, [outputs, inputs / groups, k, k]."""
        scaled = self.weight * torch.exp2(exponents)[:, None, None, None]
        return round_through(scaled.clamp(-WEIGHT_MAX, WEIGHT_MAX))

    def integer_bias(self, exponents: Tensor) -> Tensor:
        """The biases in units of the accumulator, as floats, [outputs]."""
        scaled = cast(Tensor, self.bias) * torch.exp2(exponents) / self.input_unit
        return round_through(scaled.clamp(-ACCUMULATOR_LIMIT / 4, ACCUMULATOR_LIMIT / 4))

    def forward(self, x: Tensor) -> Tensor:
        exponents = self.exponents()
        scale = torch.exp2(-exponents)
        weight = self.integer_weight(exponents) * scale[:, None, None, None]
        bias = self.integer_bias(exponents) * scale * self.input_unit
        return F.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, self.groups)
