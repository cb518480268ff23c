"""Pictures that are drawn in part: blocks are stored exactly where that costs less than what the networks make of them.

A picture that looks photographed everywhere is coded by the networks alone. Otherwise a region of blocks is exact where
its exact bits are fewer than its learned bits plus the price of its error: that which photographs of that quality pay.
"""

from functools import cached_property

import numpy as np

from ..arrays import Floats
from ..format.exact import SIDE
from ..picture.samples import half_size
from .costs import error_costs, latent_bits, learned_cost_at_least
from .drawn import looks_drawn
from .encode import Encoded, Encoder
from .exact_bits import Estimate, estimate_exact_bits
from .fidelity import decoded_high, decoded_medium
from .lossless import encode_lossless
from .regions import Regions

_CLEARLY, _PERHAPS, _HARDLY_ANY = 1.5, 4.0, 0.15


class MixedEncoder(Encoder):
    """An encoder that stores blocks exactly where they are better so."""

    def encode(self, quality: int) -> Encoded:
        """The picture as a file of a stored quality, no more costly than with the networks alone."""
        if not (self._drawn and self._regions.candidates.any()):
            return super().encode(quality)
        price = self.model.typical.error_price(quality)
        if self._clearly_lossless(price):
            return self._all_exact(quality)
        learned = super().encode(quality)
        errors = self._error_costs(learned, price)
        costs = [(self._cost(learned, errors), learned)]
        exact_bits = self._exact_bits
        chosen = self._regions.choose(self._latent_bits(learned) + errors - exact_bits)
        if chosen.any() and not chosen.all():
            mixed = self.encode_with(quality, chosen)
            costs.append((self._cost(mixed, self._error_costs(mixed, price)), mixed))
        if exact_bits.sum() < 2 * min(cost for cost, _ in costs):
            costs.append((8 * len(self._lossless), self._all_exact(quality)))
        return min(costs, key=lambda pair: pair[0])[1]

    @cached_property
    def _drawn(self) -> bool:
        return looks_drawn(self.picture.rgb)

    @cached_property
    def _estimate(self) -> Estimate:
        return estimate_exact_bits(self.picture.seen)

    @cached_property
    def _regions(self) -> Regions:
        return Regions(self.picture.seen, self._estimate.drawn)

    @cached_property
    def _exact_bits(self) -> Floats:
        """The estimate, in the proportion that is right for all that may be exact together."""
        candidates = self._regions.candidates
        size = len(self.split(candidates).section.content)
        return self._estimate.bits * np.float32(8 * size / max(self._estimate.bits[candidates].sum(), 1))

    @cached_property
    def _lossless(self) -> bytes:
        return encode_lossless(self.picture)

    def _all_exact(self, quality: int) -> Encoded:
        return Encoded(self._lossless, quality)

    def _clearly_lossless(self, price: float) -> bool:
        """Whether the networks cannot compete anywhere, for all that can be known without running them."""
        bits = self._estimate.bits
        if bits[~self._regions.candidates].sum() > _HARDLY_ANY * bits.sum():
            return False
        least = learned_cost_at_least(self.picture.seen, price)
        return float(bits.sum()) < _PERHAPS * least and 8 * len(self._lossless) < _CLEARLY * least

    def _latent_bits(self, learned: Encoded) -> Floats:
        base, enhancement = self.model.base_layer, self.model.enhancement_layer
        bits = latent_bits(self.model, learned, [base] if self.layers == "base" else [base, enhancement])
        rows, columns = self._estimate.bits.shape
        return bits[:rows, :columns]

    def _error_costs(self, encoded: Encoded, price: float) -> Floats:
        """Of the high picture; of the medium one where that is all there is, a sample of which stands for four."""
        original = self.picture.seen
        if self.layers == "all":
            return error_costs(decoded_high(self, encoded), original, price)
        return error_costs(decoded_medium(self, encoded), half_size(original), 4 * price, SIDE // 2)

    @staticmethod
    def _cost(encoded: Encoded, errors: Floats) -> float:
        return 8 * len(encoded.data) + float(errors.sum())
