"""Symbols to bytes and back, by both codings, over the tables of the installed model."""

import constriction
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aez import DamagedError
from aez.entropy import AnsReader, AnsWriter, TableSet, ZstdReader, ZstdWriter, categorical
from aez.networks import load_model
from aez.quality import KNOTS
from aez.tables import TOTAL, Table

CODINGS = [(AnsWriter, AnsReader), (ZstdWriter, ZstdReader)]
group = st.lists(st.tuples(st.integers(-40_000, 40_000) | st.integers(-3, 3), st.integers(0, 63)), max_size=60)


@pytest.fixture(scope="module")
def tables() -> TableSet:
    return load_model().scale_tables


@pytest.mark.parametrize(("writer", "reader"), CODINGS)
@given(groups=st.lists(group, max_size=3))
def test_symbols_come_back(groups: list[list[tuple[int, int]]], writer: type, reader: type, tables: TableSet) -> None:
    coded = [np.array(g, np.int32).reshape(-1, 2) for g in groups]
    sink = writer()
    for pairs in coded:
        sink.write(pairs[:, 0], pairs[:, 1].astype(np.uint8), tables)
    source = reader(sink.finish())
    for pairs in coded:
        assert np.array_equal(source.read(pairs[:, 1].astype(np.uint8), tables), pairs[:, 0])
    source.finish()


@pytest.mark.parametrize("reader", [AnsReader, ZstdReader])
@given(data=st.binary(max_size=400), count=st.integers(0, 300))
def test_any_bytes_are_symbols_or_an_error(data: bytes, count: int, reader: type, tables: TableSet) -> None:
    try:
        source = reader(data)
        symbols = source.read(np.arange(count, dtype=np.uint8) % 64, tables)
        source.finish()
    except DamagedError:
        return
    assert len(symbols) == count


def all_tables() -> list[Table]:
    model = load_model()
    hyper = [table for knot in range(KNOTS) for table in model.hyper_tables(knot).tables]
    return [*model.scale_tables.tables, *hyper]


def test_tables_sum_to_the_total_with_no_symbol_impossible() -> None:
    for table in all_tables():
        assert table.frequencies.sum() == TOTAL
        assert table.frequencies.min() >= 1


def test_constriction_decodes_every_boundary_of_every_table_as_stored() -> None:
    for table in all_tables():
        model = categorical(table)
        ends = np.cumsum(table.frequencies)
        for symbol, (start, end) in enumerate(zip(ends - table.frequencies, ends, strict=True)):
            for point in (start, end - 1):
                words = np.array([point, 1], np.uint32)
                assert constriction.stream.stack.AnsCoder(words).decode(model) == symbol
