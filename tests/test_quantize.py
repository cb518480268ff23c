"""The encoder's rounding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aez.coding.dead_zone import Quantizer
from aez.model.registry import load_model


@pytest.fixture(scope="module")
def quantizer() -> Quantizer:
    return Quantizer(load_model().scale_tables.tables)


@given(values=st.lists(st.tuples(st.floats(-4000, 4000, width=32), st.integers(0, 63)), min_size=1))
def test_symbols_are_the_nearest_or_one_nearer_to_zero(values: list[tuple[float, int]], quantizer: Quantizer) -> None:
    residual = np.array([value for value, _ in values], np.float32)
    symbols = quantizer(residual, np.array([index for _, index in values], np.uint8))
    nearest = np.rint(np.abs(residual))
    assert np.all((np.abs(symbols) == nearest) | (np.abs(symbols) == nearest - 1))
    assert np.all(symbols * residual >= 0)


def test_what_is_expected_to_be_small_is_rounded_to_zero_more_readily(quantizer: Quantizer) -> None:
    residual = np.full(2, 0.56, np.float32)
    assert quantizer(residual, np.array([1, 63], np.uint8)).tolist() == [0, 1]
