"""The part of `constriction` that aez uses, in plain Python: for machines that it has no wheels for.

Names, arguments and results are constriction's; only the speed differs (about 1.4 million symbols a second). The coder
is that of format_spec.md, "rANS": a stack of 32-bit words and a state of 64 bits (Duda 2013).
"""

from bisect import bisect_right
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from .tables import PRECISION

Words = npt.NDArray[np.uint32]
Symbols = npt.NDArray[np.int32]

_WORD = 32
_WORD_MASK = (1 << _WORD) - 1
_MASK = (1 << PRECISION) - 1
_LIMIT_SHIFT = 2 * _WORD - PRECISION


class Categorical:
    """Symbols 0, 1, ... of integer frequencies one more than `probabilities`, which sum to 2^24 less their number."""

    def __init__(self, probabilities: npt.NDArray[np.float64], perfect: bool) -> None:
        assert not perfect
        self.frequencies = [int(p) + 1 for p in probabilities]
        self.starts = [0, *accumulate(self.frequencies)][:-1]


class Uniform:
    """Symbols below a power of two that is given with each."""


class AnsCoder:
    """A stack: what was encoded last is decoded first."""

    def __init__(self, compressed: Words | None = None) -> None:
        """Raises ValueError if the last word is 0."""
        self._words: list[int] = [] if compressed is None else compressed.tolist()
        if self._words and self._words[-1] == 0:
            raise ValueError("the last word must not be 0")
        self._state = 0
        for _ in range(min(2, len(self._words))):
            self._state = self._state << _WORD | self._words.pop()

    def get_compressed(self) -> Words:
        """All words; what they end with is the state, its upper half last."""
        halves = [self._state & _WORD_MASK, self._state >> _WORD]
        while halves and halves[-1] == 0:
            halves.pop()
        return np.array(self._words + halves, np.uint32)

    def is_empty(self) -> bool:
        return self._state == 0 and not self._words

    def num_bits(self) -> int:
        return _WORD * (len(self._words) + 2)

    def encode_reverse(
        self, symbols: Symbols, model: Categorical | Uniform, sizes: npt.NDArray[np.int32] | None = None
    ) -> None:
        """Push symbols, the last first."""
        state, words = self._state, self._words
        for start, frequency in reversed(_intervals(symbols.tolist(), model, sizes)):
            if state >> _LIMIT_SHIFT >= frequency:
                words.append(state & _WORD_MASK)
                state >>= _WORD
            state = (state // frequency << PRECISION) + state % frequency + start
        self._state = state

    def decode(self, model: Categorical | Uniform, amount: int | npt.NDArray[np.int32]) -> Symbols:
        """Pop symbols: so many of a Categorical, or one for each size of a Uniform."""
        if isinstance(amount, int):
            assert isinstance(model, Categorical)
            return np.array([self._pop(model.starts, model.frequencies) for _ in range(amount)], np.int32)
        return np.array([self._pop_uniform(size) for size in amount.tolist()], np.int32)

    def _pop(self, starts: list[int], frequencies: list[int]) -> int:
        remainder = self._state & _MASK
        symbol = bisect_right(starts, remainder) - 1
        self._advance(remainder - starts[symbol], frequencies[symbol])
        return symbol

    def _pop_uniform(self, size: int) -> int:
        frequency = (1 << PRECISION) // size
        symbol, rest = divmod(self._state & _MASK, frequency)
        self._advance(rest, frequency)
        return symbol

    def _advance(self, rest: int, frequency: int) -> None:
        self._state = frequency * (self._state >> PRECISION) + rest
        if self._state <= _WORD_MASK and self._words:
            self._state = self._state << _WORD | self._words.pop()


def _intervals(
    symbols: list[int], model: Categorical | Uniform, sizes: npt.NDArray[np.int32] | None
) -> list[tuple[int, int]]:
    """Start and frequency of each symbol."""
    if isinstance(model, Categorical):
        return [(model.starts[symbol], model.frequencies[symbol]) for symbol in symbols]
    assert sizes is not None
    frequencies = [(1 << PRECISION) // size for size in sizes.tolist()]
    return [(symbol * frequency, frequency) for symbol, frequency in zip(symbols, frequencies, strict=True)]
