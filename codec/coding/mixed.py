"""Pictures that are drawn in part: blocks are stored as samples where that costs less than what networks make of them.

A picture that looks photographed everywhere is coded by the networks alone. Otherwise a region of blocks is exact where
its exact bits are fewer than its learned bits plus the price of its error: that which photographs of that quality pay.
"""

from functools import cached_property

import numpy as np

from ..arrays import Floats
from ..format.contents import Metadata
from ..format.exact import SIDE, Map
from ..picture.convert import Picture
from ..picture.samples import half_size
from .costs import error_costs, latent_bits, learned_cost_at_least
from .drawn import drawn_blocks
from .encode import Encoded, Encoder
from .exact_bits import Estimate, estimate_exact_bits
from .fidelity import decoded_high, decoded_medium
from .parts import Part, parts_around
from .regions import Regions
from .storable import Storable, affordable_error

_CLEARLY, _PERHAPS, _HARDLY_ANY = 1.5, 4.0, 0.15
_WORTHWHILE = 0.98
_TRIED_FIRST = 0.25
"""As much of a picture is tried by itself before all of it is: a few blocks look drawn in most large photographs."""
_EXACT_FROM = 90
"""The quality, as people give it, from which on stored samples are the picture's own, whatever an error costs."""


class MixedEncoder(Encoder):
    """An encoder that stores blocks as samples where they are better so."""

    _near: Storable | None = None

    def encode(self, quality: int) -> Encoded:
        """The picture as a file of a stored quality, no more costly than with the networks alone."""
        if not (self._drawn.any() and self._is_worth_trying(quality) and self._regions.candidates.any()):
            return super().encode(quality)
        price = self.model.typical.error_price(quality)
        is_exact = quality >= self.model.scale.to_stored(_EXACT_FROM)
        storable = self._storable_within(0 if is_exact else affordable_error(price))
        if self._clearly_exact(storable, price):
            return self._all_exact(storable, quality)
        learned = super().encode(quality)
        errors = self._error_costs(learned, price)
        costs = [(self._cost(learned, errors), learned)]
        exact_errors = self._error_costs(Encoded(b"", quality, split=storable.whole), price)
        exact_costs = storable.bits + exact_errors
        chosen = self._regions.choose(self._latent_bits(learned) + errors - exact_costs)
        if chosen.any() and not chosen.all():
            mixed = self.encode_with(quality, storable.split(chosen))
            costs.append((self._cost(mixed, self._error_costs(mixed, price)), mixed))
        if exact_costs.sum() < 2 * min(cost for cost, _ in costs):
            exact = self._all_exact(storable, quality)
            costs.append((self._cost(exact, exact_errors), exact))
        return min(costs, key=lambda pair: pair[0])[1]

    def _is_worth_trying(self, quality: int) -> bool:
        """Whether blocks are exact in a part that looks drawn; or these are too much to be tried first."""
        return not self._parts or any(part.encode(quality).exactness != "none" for part in self._parts)

    @cached_property
    def _parts(self) -> "list[MixedEncoder]":
        """Encoders of what looks drawn; none where that is too much. They are kept, as searches ask for them again."""
        parts = parts_around(self._drawn)
        seen = self.picture.seen
        if sum(seen[part].size for part in parts) > _TRIED_FIRST * seen.size:
            return []
        return [self._of_part(part) for part in parts]

    def _of_part(self, part: Part) -> "MixedEncoder":
        picture = Picture(np.ascontiguousarray(self.picture.seen[part]), None, self.picture.gray, Metadata())
        return MixedEncoder(self.model, picture, self.layers, self._coding)

    @cached_property
    def _drawn(self) -> Map:
        return drawn_blocks(self.picture.rgb)

    @cached_property
    def _estimate(self) -> Estimate:
        return estimate_exact_bits(self.picture.seen)

    @cached_property
    def _regions(self) -> Regions:
        return Regions(self.picture.seen, self._estimate.drawn)

    @cached_property
    def _lossless(self) -> Storable:
        return Storable(self.picture, self._regions.candidates, self.picture.seen, self._estimate)

    def _storable_within(self, limit: int) -> Storable:
        """What may be stored with errors up to a limit; the last one is kept, as searches ask for it again."""
        if limit == 0:
            return self._lossless
        if self._near is None or self._near.limit != limit:
            self._near = self._lossless.within(limit)
        worthwhile = self._near.candidates_bytes < _WORTHWHILE * self._lossless.candidates_bytes
        return self._near if worthwhile else self._lossless

    def _all_exact(self, storable: Storable, quality: int) -> Encoded:
        smallest = min((self._lossless, storable), key=lambda one: len(one.file))
        return Encoded(smallest.file, quality, split=smallest.whole)

    def _clearly_exact(self, storable: Storable, price: float) -> bool:
        """Whether the networks cannot compete anywhere, for all that can be known without running them."""
        bits = storable.bits
        if bits[~self._regions.candidates].sum() > _HARDLY_ANY * bits.sum():
            return False
        least = learned_cost_at_least(self.picture.seen, price)
        return float(bits.sum()) < _PERHAPS * least and 8 * len(storable.file) < _CLEARLY * least

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
