"""The rANS coder: constriction where it has wheels and makes tables as this format does, otherwise plain Python.

Files depend on how a library makes whole numbers of probabilities, which constriction does not promise to keep. A
version that did it otherwise would write files that only it can read. So it is tried when it is imported.
"""

from typing import Any

import numpy as np

from . import rans
from .tables import PRECISION

_FREQUENCIES = ((1, 2, 3, 5_000_011, 7, 11), (1_234_567, 2_345_678, 3_456_789, 4_567_890), (1,) * 255)


def choose_coder() -> tuple[Any, Any]:
    """constriction's modules of models and of the coder, or what has their names and results here."""
    try:
        import constriction

        models, stack = constriction.stream.model, constriction.stream.stack
        alike = all(np.array_equal(_coded(models, stack, given), _coded(rans, rans, given)) for given in _FREQUENCIES)
    except (ImportError, AttributeError, TypeError, ValueError):  # it has no wheels for Linux and Windows on ARM
        alike = False
    return (models, stack) if alike else (rans, rans)


def _coded(models: Any, stack: Any, beginning: tuple[int, ...]) -> Any:
    """The words of all symbols of a table, and of some numbers; the last symbol has what is left of the table."""
    frequencies = np.array([*beginning, (1 << PRECISION) - sum(beginning)], np.float64)
    symbols = np.arange(len(frequencies), dtype=np.int32)
    coder = stack.AnsCoder()
    coder.encode_reverse(symbols, models.Categorical(frequencies - 1, perfect=False))
    coder.encode_reverse(symbols, models.Uniform(), np.full(len(symbols), 1 << 9, np.int32))
    return coder.get_compressed()
