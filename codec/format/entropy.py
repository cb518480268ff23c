"""Symbols <-> bytes of one layer: rANS over stored tables, or zstd over plain bytes.

Both codings take the same symbols in the same order and know nothing of pictures or latents. A group of symbols is
coded with an index per symbol into a list of tables; rANS codes them sorted by index, stably.
"""

import math
import struct
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import DamagedError
from .coder import choose_coder
from .tables import PRECISION, Table

models, stack = choose_coder()

Symbols = npt.NDArray[np.int32]
Indices = npt.NDArray[np.uint8]
Buffer = bytes | memoryview

PREFIX_MAX = 16
SYMBOL_MAX = 1 << (PREFIX_MAX + 1)
_BYTE_ESCAPE, _BYTE_MAX = -128, 127
_PREFIX = np.append(1 << np.arange(PRECISION - 1, PRECISION - 1 - PREFIX_MAX, -1), 1 << (PRECISION - PREFIX_MAX))
_STATE_BITS = 64
# A symbol takes at least this share of its bits from the coder: 1 - 2^-8 by the size of the state, and a margin.
_LEAST_SHARE = 1 - 2**-7
_ESCAPE_COUNT = struct.Struct("<I")


class TableSet:
    """Tables of a model, each with the bits of its likeliest symbol, and its constriction model when first used."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.tables = tables
        self.least_bits = [PRECISION - math.log2(table.frequencies.max()) for table in tables]
        self._models: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self.tables)

    def model(self, index: int) -> Any:
        if index not in self._models:
            self._models[index] = categorical(self.tables[index])
        return self._models[index]


def categorical(table: Table) -> Any:
    """constriction's model whose integer frequencies are exactly the table's.

    It puts symbol i at floor(cum(p) * (2^24 - n) / sum(p)) + i, and frequencies minus one sum to 2^24 - n.
    """
    return models.Categorical((table.frequencies - 1).astype(np.float64), perfect=False)


_PREFIX_MODEL = categorical(Table(_PREFIX.astype(np.int32)))
_UNIFORM = models.Uniform()


class SymbolWriter(Protocol):
    """Collects the groups of a layer in the order in which they will be read."""

    def write(self, symbols: Symbols, indices: Indices, tables: TableSet) -> None:
        """Append a group: symbols int32 [N], their table indices uint8 [N]."""

    def finish(self) -> bytes:
        """The bytes of the layer."""


class SymbolReader(Protocol):
    """Reads the groups of a layer back.

    Raises:
        DamagedError: the bytes cannot be those of these groups.
    """

    def read(self, indices: Indices, tables: TableSet) -> Symbols:
        """The symbols int32 [N] of the next group, given their table indices uint8 [N]."""

    def finish(self) -> None:
        """Check that nothing is left."""


class AnsWriter:
    """rANS (Duda 2013): a stack, so groups are kept and coded backwards at the end."""

    def __init__(self) -> None:
        self._groups: list[tuple[Symbols, Indices, TableSet]] = []

    def write(self, symbols: Symbols, indices: Indices, tables: TableSet) -> None:
        self._groups.append((symbols, indices, tables))

    def finish(self) -> bytes:
        coder = stack.AnsCoder()
        while self._groups:
            symbols, indices, tables = self._groups.pop()
            runs = _SortedRuns(indices)
            ordered = symbols[runs.order]
            for index, start, stop in reversed(runs.runs):
                _push(coder, ordered[start:stop], index, tables)
        words: npt.NDArray[np.uint32] = coder.get_compressed()
        return words.astype("<u4").tobytes()


class AnsReader:
    """Reads what `AnsWriter` wrote."""

    def __init__(self, data: Buffer) -> None:
        if len(data) % 4:
            raise DamagedError("a layer does not consist of whole 32-bit words")
        try:
            self._coder = stack.AnsCoder(np.frombuffer(data, "<u4").astype(np.uint32, copy=False))
        except ValueError as error:
            raise DamagedError("a layer ends in the wrong word") from error

    def read(self, indices: Indices, tables: TableSet) -> Symbols:
        runs = _SortedRuns(indices)
        # Small files can declare large pictures: those that cannot hold the symbols are refused before the work.
        least = sum((stop - start) * tables.least_bits[index] for index, start, stop in runs.runs)
        if _LEAST_SHARE * least > self._coder.num_bits() + _STATE_BITS:
            raise DamagedError("a layer is too short for its symbols")
        ordered = np.empty(len(indices), np.int32)
        for index, start, stop in runs.runs:
            ordered[start:stop] = _pop(self._coder, stop - start, index, tables)
        symbols = np.empty_like(ordered)
        symbols[runs.order] = ordered
        return symbols

    def finish(self) -> None:
        if not self._coder.is_empty():
            raise DamagedError("a layer has symbols left over")


class ZstdWriter:
    """Symbols as bytes, -128 standing for those beyond a byte, which follow at the end; one zstd frame."""

    def __init__(self) -> None:
        self._groups: list[Symbols] = []

    def write(self, symbols: Symbols, indices: Indices, tables: TableSet) -> None:
        self._groups.append(symbols)

    def finish(self) -> bytes:
        symbols = np.concatenate([np.empty(0, np.int32), *self._groups])
        wide = np.abs(symbols) > _BYTE_MAX
        narrow = np.where(wide, _BYTE_ESCAPE, symbols).astype(np.int8)
        escapes: bytes = symbols[wide].astype("<i4").tobytes()
        return narrow.tobytes() + escapes + _ESCAPE_COUNT.pack(np.count_nonzero(wide))


class ZstdReader:
    """Reads what `ZstdWriter` wrote."""

    def __init__(self, data: Buffer) -> None:
        if len(data) < _ESCAPE_COUNT.size:
            raise DamagedError("a layer is too short")
        (count,) = _ESCAPE_COUNT.unpack_from(data, len(data) - _ESCAPE_COUNT.size)
        end = len(data) - _ESCAPE_COUNT.size - 4 * count
        if end < 0:
            raise DamagedError("a layer is too short")
        self._narrow = np.frombuffer(data, np.int8, end)
        self._escapes = np.frombuffer(data, "<i4", count, end)
        magnitudes = np.abs(self._escapes.astype(np.int64))
        if magnitudes.max(initial=0) > SYMBOL_MAX or magnitudes.min(initial=SYMBOL_MAX) <= _BYTE_MAX:
            raise DamagedError("a layer has an impossible symbol")

    def read(self, indices: Indices, tables: TableSet) -> Symbols:
        if len(indices) > len(self._narrow):
            raise DamagedError("a layer is too short for its symbols")
        symbols = self._narrow[: len(indices)].astype(np.int32)
        wide = np.flatnonzero(symbols == _BYTE_ESCAPE)
        if len(wide) > len(self._escapes):
            raise DamagedError("a layer has too few escapes")
        symbols[wide] = self._escapes[: len(wide)]
        self._narrow, self._escapes = self._narrow[len(indices) :], self._escapes[len(wide) :]
        return symbols

    def finish(self) -> None:
        if len(self._narrow) or len(self._escapes):
            raise DamagedError("a layer has symbols left over")


class _SortedRuns:
    """A stable order by table index, and the runs of equal index in it: (index, start, stop)."""

    def __init__(self, indices: Indices) -> None:
        self.order = np.argsort(indices, kind="stable")
        stops = np.cumsum(np.bincount(indices)) if len(indices) else np.empty(0, int)
        starts = np.concatenate([[0], stops[:-1]])
        self.runs = [(i, int(a), int(b)) for i, (a, b) in enumerate(zip(starts, stops, strict=False)) if a < b]


def _push(coder: Any, symbols: Symbols, index: int, tables: TableSet) -> None:
    half_width = tables.tables[index].half_width
    beyond = np.abs(symbols) > half_width
    if beyond.any():
        escaped = symbols[beyond]
        values = np.abs(escaped) - half_width
        prefix = np.floor(np.log2(values)).astype(np.int32)
        suffix = 2 * (values - (1 << prefix)) + (escaped < 0)
        coder.encode_reverse(suffix.astype(np.int32), _UNIFORM, 2 << prefix)
        coder.encode_reverse(prefix, _PREFIX_MODEL)
        symbols = np.where(beyond, half_width + 1, symbols)
    coder.encode_reverse(symbols + half_width, tables.model(index))


def _pop(coder: Any, count: int, index: int, tables: TableSet) -> Symbols:
    half_width = tables.tables[index].half_width
    symbols: Symbols = coder.decode(tables.model(index), count) - half_width
    beyond = symbols > half_width
    if beyond.any():
        prefix = coder.decode(_PREFIX_MODEL, int(np.count_nonzero(beyond)))
        suffix = coder.decode(_UNIFORM, 2 << prefix)
        values = half_width + (1 << prefix) + (suffix >> 1)
        symbols[beyond] = np.where(suffix & 1, -values, values)
    return symbols
