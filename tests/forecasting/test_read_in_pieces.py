"""A long forecast is read piece by piece: it is what it would be as a whole, or is left to the reader of wholes."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from engine.errors import InvalidInput
from engine.faults import read_document
from engine.forecasting.document import ForecastDocument, write_forecast
from engine.storage import long_json

ROW = {"sku": "MUG", "quantity": 2.5, "first_on": "2026-12-01", "last_on": "2026-12-31", "latitude": 40.7}
ODD: list[dict[str, Any]] = [
    {"sku": ""},
    {"sku": "a\n"},
    {"sku": "x" * 129},
    {"sku": 7},
    {"quantity": 0},
    {"quantity": "2"},
    {"quantity": True},
    {"quantity": 10**400},
    {"first_on": "2026-12-01T00:00:00"},
    {"last_on": 20},
    {"latitude": 91},
    {"latitude": None, "longitude": None, "country": "US", "postal_code": "19104"},
    {"country": "USA"},
    {"postal_code": ""},
    {"more": 1},
    {"sku": {"a": [{"b": 1}, {"c": 2}]}},
    {"sku": 'a"},{"b'},
    {"sku": "},{"},
]


def as_a_whole(body: bytes) -> bytes | None:
    try:
        return write_forecast(read_document(ForecastDocument, body))
    except InvalidInput:
        return None


def laid_out(rows: list[dict[str, Any]], dice: random.Random) -> bytes:
    indent, blanks = dice.choice([None, 1]), dice.choice([(",", ":"), (", ", ": "), (" ,\n", " : ")])
    return json.dumps({"rows": rows}, indent=indent, separators=blanks, ensure_ascii=dice.random() < 0.5).encode()


def test_pieces_say_what_the_whole_does_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches texts taken for the end of a row, and rows that are refused as a whole let in."""
    monkeypatch.setattr(long_json, "_ANY_PIECE_BYTES", 100)
    read = 0
    for seed in range(300):
        dice = random.Random(seed)
        rows = [{**ROW, "longitude": dice.uniform(-180, 180)} for _ in range(dice.randint(1, 9))]
        for _ in range(dice.randint(0, 1)):
            rows[dice.randrange(len(rows))].update(dice.choice(ODD))
        body = laid_out(rows, dice)
        found = ForecastDocument.in_pieces(body)
        assert found is None or write_forecast(found) == as_a_whole(body), seed
        read += found is not None
    assert 150 < read < 300


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"rows": []}', b'{"rows": [{}]} x', b'{"rows": [], "rows": [{}]}', b'{"more": 1, "rows": [{}]}'],
)
def test_what_is_no_array_of_rows_is_left_to_the_reader_of_wholes(body: bytes) -> None:
    assert ForecastDocument.in_pieces(body) is None


def test_a_key_that_stands_twice_is_left_to_the_reader_of_wholes() -> None:
    row = json.dumps({**ROW, "longitude": 1})
    assert ForecastDocument.in_pieces(f'{{"rows": [{row}]}}'.encode()) is not None
    assert ForecastDocument.in_pieces(f'{{"rows": [{row[:-1]}, "sku": "TEA"}}]}}'.encode()) is None
