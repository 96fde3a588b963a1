"""From bytes to a typed body: every fault has its path, its value and the remedy."""

from __future__ import annotations

import json

import pytest

from api.decoding import decode
from api.schemas.orders import OrderBody
from engine.errors import InvalidInput

GOOD = {
    "channel": "web",
    "destination": {"latitude": 40.7, "longitude": -74},
    "lines": [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 2}],
}


def faults_of(body: bytes | dict) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        decode(body if isinstance(body, bytes) else json.dumps(body).encode(), OrderBody)
    return {fault.path: fault.message for fault in caught.value.faults}


def test_a_good_body_is_decoded():
    assert decode(json.dumps(GOOD).encode(), OrderBody).lines[1].quantity == 2


@pytest.mark.parametrize(
    ("line", "path", "words"),
    [
        (
            {"sku": "A", "quantity": 0},
            "$.lines[3].quantity",
            "0 is not valid here; give a whole number from 1 to 1000000",
        ),
        ({"sku": "A", "quantity": -5}, "$.lines[3].quantity", "-5"),
        ({"sku": "A", "quantity": 10**9}, "$.lines[3].quantity", "1000000000"),
        ({"sku": "A", "quantity": 10**40}, "$.lines[3].quantity", "a whole number from 1 to 1000000"),
        ({"sku": "A", "quantity": 1.5}, "$.lines[3].quantity", "1.5"),
        ({"sku": "A", "quantity": "1"}, "$.lines[3].quantity", "without quotes"),
        ({"sku": "A", "quantity": True}, "$.lines[3].quantity", "True"),
        ({"sku": "A", "quantity": None}, "$.lines[3].quantity", "None"),
        ({"sku": "A"}, "$.lines[3].quantity", "'quantity' is required; add it"),
        ({"sku": "", "quantity": 1}, "$.lines[3].sku", "1 to 128 characters"),
        ({"sku": "A\n", "quantity": 1}, "$.lines[3].sku", "A"),
        ({"sku": "A" * 129, "quantity": 1}, "$.lines[3].sku", "AAA"),
        ({"sku": "A", "quantty": 1, "quantity": 1}, "$.lines[3].quantty", "did you mean 'quantity'?"),
        ("A", "$.lines[3]", "an object"),
    ],
)
def test_a_fault_in_a_line_names_the_line_the_value_and_the_remedy(line, path, words):
    lines = [{"sku": str(number), "quantity": 1} for number in range(3)]
    found = faults_of({**GOOD, "lines": [*lines, line]})
    assert list(found) == [path]
    assert words in found[path]


def test_all_faults_are_found_at_once():
    found = faults_of(
        {
            "channel": 7,
            "destination": {"latitude": 91, "longitude": "east"},
            "lines": [{"sku": "A", "quantity": 0}, {"quantity": 1}],
            "need_by": "2026-13-01",
        }
    )
    assert set(found) == {
        "$.channel",
        "$.destination.latitude",
        "$.destination.longitude",
        "$.lines[0].quantity",
        "$.lines[1].sku",
        "$.need_by",
    }
    assert "YYYY-MM-DD" in found["$.need_by"]


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        (b"", "1:1", "the body is empty"),
        (b"  \n ", "1:1", "the body is empty"),
        (b'{"channel": "web"', "1:18", "is not JSON"),
        (b'{\n  "channel": NaN\n}', "2:14", "is not JSON"),
        (b"{'channel': 'web'}", "1:2", "is not JSON"),
        (b'{"channel": "w\xffb"}', "1:15", "UTF-8"),
        ('{"é": NaN}'.encode(), "1:7", "is not JSON"),
        (b"[" * 100_000, "$", "nested too deeply"),
        (b"null", "$", "an object"),
        (b"[]", "$", "an object"),
        (b"3", "$", "an object"),
    ],
)
def test_what_is_no_json_object_is_refused_with_its_place(body, path, words):
    found = faults_of(body)
    assert list(found) == [path]
    assert words in found[path]


def test_a_list_that_is_too_long_or_too_short_says_its_length():
    assert "a list of 0 entries" in faults_of({**GOOD, "lines": []})["$.lines"]
    many = [{"sku": str(number), "quantity": 1} for number in range(1001)]
    assert "a list of 1001 entries" in faults_of({**GOOD, "lines": many})["$.lines"]


def test_a_body_that_is_all_wrong_gets_an_answer_of_bounded_size():
    bad = {**GOOD, "lines": [{"sku": "A", "quantity": 0}] * 900, "x" * 10**6: 1}
    found = faults_of(bad)
    assert len(found) == 100
    assert max(map(len, (*found, *found.values()))) < 300
