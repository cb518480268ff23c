"""Symbols to bytes and back, by both codings, over the tables of the installed model."""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aez import DamagedError
from aez.format import rans as plain_rans
from aez.format.coder import choose_coder
from aez.format.entropy import AnsReader, AnsWriter, TableSet, ZstdReader, ZstdWriter, categorical
from aez.format.quality import KNOTS
from aez.format.tables import TOTAL, Table
from aez.model.registry import load_model

constriction = pytest.importorskip("constriction")
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


@pytest.mark.parametrize("count", [1, 100, 10_000])
def test_the_likeliest_hyper_latents_are_never_too_few_bytes(count: int) -> None:
    """rANS begins with an empty state, which takes symbols for less than they are worth; a reader has to allow it."""
    model = load_model()
    for tables in map(model.hyper_tables, range(KNOTS)):
        likeliest = [table.frequencies[:-1].argmax() - table.half_width for table in tables.tables]
        symbols = np.repeat(np.array(likeliest, np.int32), count)
        indices = np.repeat(np.arange(len(tables), dtype=np.uint8), count)
        writer = AnsWriter()
        writer.write(symbols, indices, tables)
        assert np.array_equal(AnsReader(writer.finish()).read(indices, tables), symbols)


def test_constriction_decodes_every_boundary_of_every_table_as_stored() -> None:
    for table in all_tables():
        model = categorical(table)
        ends = np.cumsum(table.frequencies)
        for symbol, (start, end) in enumerate(zip(ends - table.frequencies, ends, strict=True)):
            for point in (start, end - 1):
                words = np.array([point, 1], np.uint32)
                assert constriction.stream.stack.AnsCoder(words).decode(model) == symbol


@given(
    symbols=st.lists(st.integers(0, 4), max_size=200),
    values=st.lists(st.tuples(st.integers(1, 17), st.integers(0, 2**17)), max_size=20),
    weights=st.lists(st.integers(1, 1000), min_size=5, max_size=5),
)
def test_plain_rans_is_what_constriction_does(
    symbols: list[int], values: list[tuple[int, int]], weights: list[int]
) -> None:
    shares = np.array(weights, float)
    frequencies = 1 + np.floor(shares / shares.sum() * (TOTAL - 5))
    frequencies[0] += TOTAL - frequencies.sum()
    sizes = np.array([1 << bits for bits, _ in values], np.int32)
    numbers = np.array([value % (1 << bits) for bits, value in values], np.int32)
    results = []
    for models, stack in (
        (constriction.stream.model, constriction.stream.stack),
        (plain_rans, plain_rans),
    ):
        model, coder = models.Categorical(frequencies - 1, perfect=False), stack.AnsCoder()
        coder.encode_reverse(np.array(symbols, np.int32), model)
        coder.encode_reverse(numbers, models.Uniform(), sizes)
        words = coder.get_compressed()
        back = stack.AnsCoder(words)
        assert np.array_equal(back.decode(models.Uniform(), sizes), numbers)
        assert np.array_equal(back.decode(model, len(symbols)), symbols)
        assert back.is_empty()
        results.append(words)
    assert np.array_equal(*results)


@given(words=st.lists(st.integers(0, 2**32 - 1), max_size=8), count=st.integers(0, 60))
def test_plain_rans_decodes_any_words_as_constriction_does(words: list[int], count: int) -> None:
    frequencies = np.array([1, TOTAL // 2, TOTAL // 2 - 2, 1], float)
    decoded = []
    for models, stack in (
        (constriction.stream.model, constriction.stream.stack),
        (plain_rans, plain_rans),
    ):
        try:
            coder = stack.AnsCoder(np.array(words, np.uint32))
        except ValueError:
            decoded.append(None)
            continue
        symbols = coder.decode(models.Categorical(frequencies - 1, perfect=False), count)
        decoded.append((symbols.tolist(), coder.get_compressed().tolist(), coder.is_empty()))
    assert decoded[0] == decoded[1]


class OneUnitMoved:
    """constriction's models, but for one unit of frequency that goes to the neighbouring symbol."""

    Uniform = constriction.stream.model.Uniform

    @staticmethod
    def Categorical(probabilities: npt.NDArray[np.float64], perfect: bool) -> Any:  # noqa: N802
        moved = probabilities.copy()
        moved[np.argmax(moved)] -= 1
        moved[np.argmin(moved)] += 1
        return constriction.stream.model.Categorical(moved, perfect=perfect)


@pytest.mark.parametrize("models", [OneUnitMoved, SimpleNamespace(), SimpleNamespace(Categorical=list, Uniform=list)])
def test_a_library_that_would_code_otherwise_is_not_used(models: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_coder() == (constriction.stream.model, constriction.stream.stack)
    other = SimpleNamespace(stream=SimpleNamespace(model=models, stack=constriction.stream.stack))
    monkeypatch.setitem(sys.modules, "constriction", other)
    assert choose_coder() == (plain_rans, plain_rans)
