"""Symbols <-> bytes of one layer: rANS over stored tables, or zstd over plain bytes.

Both codings take the same symbols in the same order and know nothing of pictures or latents. A group of symbols is
coded with an index per symbol into a list of tables; rANS codes them sorted by index, stably.
"""

import struct
from collections.abc import Sequence
from typing import Protocol

import constriction
import numpy as np
import numpy.typing as npt

from aez.errors import DamagedError
from aez.tables import PRECISION, Table

Symbols = npt.NDArray[np.int32]
Indices = npt.NDArray[np.uint8]

PREFIX_MAX = 16
SYMBOL_MAX = 1 << (PREFIX_MAX + 1)
_BYTE_ESCAPE = -128
_PREFIX = np.append(1 << np.arange(PRECISION - 1, PRECISION - 1 - PREFIX_MAX, -1), 1 << (PRECISION - PREFIX_MAX))
_ESCAPE_COUNT = struct.Struct("<I")


class TableSet:
    """Tables of a model, each with its constriction model, made when first used."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.tables = tables
        self._models: dict[int, constriction.stream.model.Categorical] = {}

    def __len__(self) -> int:
        return len(self.tables)

    def model(self, index: int) -> constriction.stream.model.Categorical:
        if index not in self._models:
            self._models[index] = categorical(self.tables[index])
        return self._models[index]


def categorical(table: Table) -> constriction.stream.model.Categorical:
    """constriction's model whose integer frequencies are exactly the table's.

    It puts symbol i at floor(cum(p) * (2^24 - n) / sum(p)) + i, and frequencies minus one sum to 2^24 - n.
    """
    return constriction.stream.model.Categorical((table.frequencies - 1).astype(np.float64), perfect=False)


_PREFIX_MODEL = categorical(Table(_PREFIX.astype(np.int32)))
_UNIFORM = constriction.stream.model.Uniform()


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
    """rANS (Duda 2013) by `constriction`: a stack, so groups are kept and coded backwards at the end."""

    def __init__(self) -> None:
        self._groups: list[tuple[Symbols, Indices, TableSet]] = []

    def write(self, symbols: Symbols, indices: Indices, tables: TableSet) -> None:
        self._groups.append((symbols, indices, tables))

    def finish(self) -> bytes:
        coder = constriction.stream.stack.AnsCoder()
        for symbols, indices, tables in reversed(self._groups):
            runs = _SortedRuns(indices)
            ordered = symbols[runs.order]
            for index, start, stop in reversed(runs.runs):
                _push(coder, ordered[start:stop], index, tables)
        words: npt.NDArray[np.uint32] = coder.get_compressed()
        return words.astype("<u4").tobytes()


class AnsReader:
    """Reads what `AnsWriter` wrote."""

    def __init__(self, data: bytes) -> None:
        if len(data) % 4:
            raise DamagedError("a layer does not consist of whole 32-bit words")
        try:
            self._coder = constriction.stream.stack.AnsCoder(np.frombuffer(data, "<u4").astype(np.uint32))
        except ValueError as error:
            raise DamagedError("a layer ends in the wrong word") from error

    def read(self, indices: Indices, tables: TableSet) -> Symbols:
        runs = _SortedRuns(indices)
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
        wide = np.abs(symbols) > 127
        narrow = np.where(wide, _BYTE_ESCAPE, symbols).astype(np.int8)
        escapes: bytes = symbols[wide].astype("<i4").tobytes()
        return narrow.tobytes() + escapes + _ESCAPE_COUNT.pack(np.count_nonzero(wide))


class ZstdReader:
    """Reads what `ZstdWriter` wrote."""

    def __init__(self, data: bytes) -> None:
        if len(data) < _ESCAPE_COUNT.size:
            raise DamagedError("a layer is too short")
        (count,) = _ESCAPE_COUNT.unpack_from(data, len(data) - _ESCAPE_COUNT.size)
        end = len(data) - _ESCAPE_COUNT.size - 4 * count
        if end < 0:
            raise DamagedError("a layer is too short")
        symbols = np.frombuffer(data, np.int8, end).astype(np.int32)
        wide = symbols == _BYTE_ESCAPE
        if np.count_nonzero(wide) != count:
            raise DamagedError("a layer has the wrong number of escapes")
        escapes = np.frombuffer(data, "<i4", count, end)
        if escapes.size and max(int(escapes.max()), -int(escapes.min())) > SYMBOL_MAX:
            raise DamagedError("a layer has an impossible symbol")
        symbols[wide] = escapes
        self._symbols = symbols
        self._position = 0

    def read(self, indices: Indices, tables: TableSet) -> Symbols:
        start, self._position = self._position, self._position + len(indices)
        if self._position > len(self._symbols):
            raise DamagedError("a layer has too few symbols")
        return self._symbols[start : self._position]

    def finish(self) -> None:
        if self._position != len(self._symbols):
            raise DamagedError("a layer has symbols left over")


class _SortedRuns:
    """A stable order by table index, and the runs of equal index in it: (index, start, stop)."""

    def __init__(self, indices: Indices) -> None:
        self.order = np.argsort(indices, kind="stable")
        stops = np.cumsum(np.bincount(indices)) if len(indices) else np.empty(0, int)
        starts = np.concatenate([[0], stops[:-1]])
        self.runs = [(i, int(a), int(b)) for i, (a, b) in enumerate(zip(starts, stops, strict=False)) if a < b]


def _push(coder: constriction.stream.stack.AnsCoder, symbols: Symbols, index: int, tables: TableSet) -> None:
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


def _pop(coder: constriction.stream.stack.AnsCoder, count: int, index: int, tables: TableSet) -> Symbols:
    half_width = tables.tables[index].half_width
    symbols: Symbols = coder.decode(tables.model(index), count) - half_width
    beyond = symbols > half_width
    if beyond.any():
        prefix = coder.decode(_PREFIX_MODEL, int(np.count_nonzero(beyond)))
        suffix = coder.decode(_UNIFORM, 2 << prefix)
        values = half_width + (1 << prefix) + (suffix >> 1)
        symbols[beyond] = np.where(suffix & 1, -values, values)
    return symbols
