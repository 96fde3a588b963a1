"""`allot schema` prints what the code reads: the demo's own documents fit it."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from api.cli import main as cli
from api.routes.catalog import EXAMPLE as CATALOG
from api.routes.network import EXAMPLE as NETWORK
from api.routes.policies import EXAMPLE as POLICY

NODE = {
    "node_id": "a",
    "kind": None,
    "latitude": 1.0,
    "longitude": 2.0,
    "parcel_cost_cents": 0,
    "unit_cost_cents": 0,
    "capacity_units": None,
    "capacity_parcels": 5,
}
PROBLEM = {
    "problem.json": {"version": 1, "backorder_cost_cents_per_unit": 6000},
    "nodes.csv": [NODE],
    "stock.csv": [{"node_id": "a", "sku": "x", "available": 1}],
    "orders.csv": [{"order_id": "o", "latitude": 1.0, "longitude": 2.0}],
    "order_lines.csv": [{"order_id": "o", "sku": "x", "quantity": 1}],
}


@pytest.mark.parametrize(
    ("document", "example", "bad"),
    [
        ("network", NETWORK, {**NETWORK, "nods": []}),
        ("catalog", CATALOG, {"products": [{"sku": "x", "weight_g": -1}]}),
        ("policy", POLICY, {**POLICY, "late_day_cost_cents": "4.00"}),
        ("problem", PROBLEM, {**PROBLEM, "order_lines.csv": [{"order_id": "o", "sku": "x", "quantity": 0}]}),
    ],
)
def test_a_schema_is_printed_that_takes_the_good_and_refuses_the_bad(capsys, document, example, bad):
    assert cli.main(["schema", document]) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    validator.validate(example)
    assert not validator.is_valid(bad)


def test_an_unknown_document_is_bad_input(capsys):
    assert cli.main(["schema", "netwrk"]) == 2
    assert "network" in capsys.readouterr().err
