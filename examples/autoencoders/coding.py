"""Real bytes of a code: whole numbers, counted on training data, coded by aez's rANS."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aez.export.tables import integer_frequencies
from aez.format.container import FASTEST, Flags, Header, Section, SectionType, write
from aez.format.entropy import AnsReader, AnsWriter, TableSet
from aez.format.tables import Table

Symbols = npt.NDArray[np.int32]
_PRIOR = 0.5
"""What every symbol is counted besides, so that none is impossible."""
_CHANNELS_MAX = 256


@dataclass(frozen=True)
class Coder:
    """Static entropy coding of codes [N, C, ...] with a table of frequencies for each channel."""

    tables: TableSet

    @classmethod
    def fitted(cls, symbols: Symbols) -> "Coder":
        """Tables of the frequencies in training codes [N, C, ...]."""
        return cls(TableSet([_table(channel) for channel in np.moveaxis(symbols, 1, 0)]))

    def encode(self, symbols: Symbols) -> bytes:
        """Bytes of codes [N, C, ...]."""
        writer = AnsWriter()
        writer.write(symbols.ravel(), self._channels(symbols.shape), self.tables)
        return writer.finish()

    def decode(self, data: bytes, shape: tuple[int, ...]) -> Symbols:
        """Codes of that shape."""
        reader = AnsReader(data)
        symbols = reader.read(self._channels(shape), self.tables).reshape(shape)
        reader.finish()
        return symbols

    def sizes(self, symbols: Symbols) -> tuple[float, float]:
        """Bytes a picture: each by itself, and all of them together, which are decoded and compared."""
        alone = [len(self.encode(one[None])) for one in symbols]
        together = self.encode(symbols)
        assert np.array_equal(self.decode(together, symbols.shape), symbols)
        return float(np.mean(alone)), len(together) / len(symbols)

    @staticmethod
    def _channels(shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
        assert shape[1] <= _CHANNELS_MAX, "aez's rANS tells tables apart by a byte"
        channels = np.arange(shape[1], dtype=np.uint8).reshape(1, -1, *[1] * (len(shape) - 2))
        return np.broadcast_to(channels, shape).ravel()


def file_bytes(data: bytes, width: int, height: int) -> int:
    """How large that is as a file of its own: aez's container with header, section and checksums."""
    header = Header(Flags(0), 0, width, height, 0)
    return len(write(header, [Section(SectionType.BASE, data, FASTEST)], []))


def _table(symbols: Symbols) -> Table:
    half_width = max(int(np.abs(symbols).max()), 1)
    counts = np.bincount(symbols.ravel() + half_width, minlength=2 * half_width + 1)
    return Table(integer_frequencies(np.append(counts, 0) + _PRIOR))
