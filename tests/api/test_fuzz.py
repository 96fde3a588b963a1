"""Whatever is sent, the answer is one that the OpenAPI document describes: 300 spoiled requests from a seed.

The bug it catches: a value that passes the schema and breaks a handler comes out as 500 and fails here.
"""

from __future__ import annotations

import copy
import json
import random

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from api import openapi
from api.table import ENDPOINTS

CASES = 400
SPOIL = 0.06
ODD = [
    None, True, 0, -1, 2**31, 2**63, 10**40, 1.5, 1e308, "", "é" * 200, "\u0000", " ", [], {}, [{}], "x" * 5000,
    "MUG-RED", "GIFT-SET", "chicago-dc", "2026-02-30", "9999-12-31", "0001-01-01", "24:00", "prm_ffffffff00", "US",
]  # fmt: skip
PATHS = ["MUG-RED", "GIFT-SET", "ord_1", "%00", "%F0%9F%98%80", "a%2Fb", "%ff", "x" * 300]
QUERIES = [{}, {}, {}, {"limit": "0"}, {"limit": "2"}, {"starting_after": "TEA-50"}, {"q": "1"}]


def spoiled(value: object, dice: random.Random) -> object:
    """Return a copy in which some values, at any depth, are odd, missing or doubled."""
    if dice.random() < SPOIL:
        return copy.deepcopy(dice.choice(ODD))
    if isinstance(value, dict):
        kept = {key: spoiled(inner, dice) for key, inner in value.items() if dice.random() > SPOIL}
        return {**kept, "odd": 1} if dice.random() < SPOIL / 2 else kept
    if isinstance(value, list):
        kept_list = [spoiled(inner, dice) for inner in value]
        return kept_list * 2 if dice.random() < SPOIL else kept_list
    return value


async def test_every_answer_to_a_spoiled_request_is_one_that_the_document_describes(http):
    document = openapi.document(ENDPOINTS, "1")
    registry = Registry().with_resource("urn:api", Resource(contents=document, specification=DRAFT202012))
    dice = random.Random(20261122)
    by_name = {endpoint.handler.__name__: endpoint for endpoint in ENDPOINTS}
    world = [by_name[name] for name in ("put_network", "put_catalog", "put_positions")]
    answered: dict[int, int] = {}
    for case in range(CASES):
        if case % 50 == 0:
            for endpoint in world:
                assert (await http.put(endpoint.path, json=endpoint.example)).status_code == 200
        endpoint = dice.choice(ENDPOINTS)
        path = endpoint.public_path
        for name in ("sku", "order_id", "reservation_id", "run_id"):
            path = path.replace(f"{{{name}}}", dice.choice(PATHS))
        content = None
        if endpoint.body is not None:
            content = json.dumps(spoiled(endpoint.example or {}, dice)).encode()
            content = content[: dice.randrange(len(content) + 1)] if dice.random() < SPOIL / 2 else content
        answer = await http.request(
            endpoint.method,
            path,
            content=content,
            params=dice.choice(QUERIES),
            headers={"Content-Type": "application/json", "Idempotency-Key": f"key-{dice.randrange(100)}"},
        )
        what = f"case {case}: {endpoint.method} {path} {content!r} → {answer.status_code} {answer.text}"
        operation = document["paths"][endpoint.public_path][endpoint.method.lower()]
        described = operation["responses"].get(str(answer.status_code))
        assert answer.status_code < 500, what
        assert described is not None, what
        (kind,) = described["content"]
        assert answer.headers["content-type"] == kind, what
        schema = {"$ref": f"urn:api{described['content'][kind]['schema']['$ref']}"}
        faults = [fault.message for fault in Draft202012Validator(schema, registry=registry).iter_errors(answer.json())]
        assert faults == [], what
        answered[answer.status_code] = answered.get(answer.status_code, 0) + 1
    assert answered[200] > 20
    assert answered[400] > 50
