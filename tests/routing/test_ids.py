"""Ids become indices in code point order, whatever their length and alphabet, as sorting them as strings would."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.routing.csv_cells import PADDING, Cells
from engine.routing.ids import UNKNOWN, WIDEST, name_together, sort_rows

ids = st.lists(
    st.text(st.sampled_from("aB0é日😀\0"), max_size=12)
    | st.sampled_from(["order-2026-0000001", "order-2026-0000002", "order-2026-00000011", "x" * WIDEST, "x" * 90]),
    max_size=12,
)


def cells(texts: list[str]) -> Cells:
    packed = [text.encode() for text in texts]
    end = np.cumsum([len(text) for text in packed], dtype=np.int64)
    width = np.array([len(text) for text in packed], np.int64)
    return Cells(body=b"".join(packed) + bytes(PADDING), start=end - width, end=end)


@settings(max_examples=500, deadline=None)
@given(first=ids, second=ids, referring=ids)
@example(first=["a", "a\0"], second=[], referring=["a\0", "a"])
@example(first=["12345678", "123456789"], second=["1234567"], referring=["12345678 "])
@example(first=[], second=[], referring=["a"])
def test_indices_are_those_of_the_sorted_strings(first: list[str], second: list[str], referring: list[str]) -> None:
    found = name_together([cells(first), cells(second)], [cells(referring)])
    names = sorted({*first, *second})
    place = {name: at for at, name in enumerate(names)}
    assert found.names == tuple(names)
    assert [index.tolist() for index in found.defining] == [[place[text] for text in side] for side in (first, second)]
    assert [index.tolist() for index in found.referring] == [[place.get(text, UNKNOWN) for text in referring]]


def test_rows_are_sorted_by_their_first_key_then_by_the_next() -> None:
    first, second = np.array([2, 0, 2, 0]), np.array([0, 5, 1, 4])
    order, repeats = sort_rows((first, second))
    assert order.tolist() == [3, 1, 0, 2]
    assert not repeats
    assert sort_rows((first, np.array([0, 5, 0, 4])))[1]


def test_keys_too_large_to_be_one_number_are_sorted_all_the_same() -> None:
    large = np.array([2**53, 0, 2**53, 2**52])
    order, repeats = sort_rows((large, np.array([1, 2**40, 0, 0])))
    assert order.tolist() == [1, 3, 2, 0]
    assert not repeats
    assert sort_rows((large, np.array([2**40, 0, 2**40, 0])))[1]


def test_no_rows_are_in_order() -> None:
    order, repeats = sort_rows((np.zeros(0, np.int64),))
    assert not len(order)
    assert not repeats
