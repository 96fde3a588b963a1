"""The OpenAPI document and the page at /docs cover the table, and the table covers the contract."""

from __future__ import annotations

import re

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from api import openapi
from api.table import ENDPOINTS

NEEDS_WORK = {"/v1/waves"}
"""Refused on an empty store: there is nothing to pick."""
READS_BY_POST = {
    "/v1/availability",
    "/v1/promises",
    "/v1/get-it-by",
    "/v1/nearest-stores",
    "/v1/webhooks/{webhook_id}/ping",
    "/v1/customers/find",
    "/v1/payments/stripe-events/{tenant}",  # Stripe sends no keys; what is known changes nothing
    "/v1/opt-outs/{token}",  # a form of a browser, which sends no keys; again is the same
}
CONTRACT = """
PUT /v1/network
GET /v1/network
PUT /v1/catalog
GET /v1/catalog
POST /v1/inventory/adjustments
PUT /v1/inventory/positions
PUT /v1/inventory/supplies
GET /v1/inventory/{sku}
POST /v1/availability
POST /v1/promises
POST /v1/reservations
GET /v1/reservations/{reservation_id}
POST /v1/reservations/{reservation_id}/confirm
POST /v1/reservations/{reservation_id}/cancel
POST /v1/reservations/{reservation_id}/extend
POST /v1/reservations/{reservation_id}/consume
POST /v1/orders
GET /v1/orders/{order_id}
GET /v1/orders/{order_id}/history
GET /v1/orders/{order_id}/explanation
POST /v1/orders/{order_id}/cancel
POST /v1/routing-runs
GET /v1/routing-runs/{run_id}
GET /v1/health/live
GET /v1/health/ready
"""


@pytest.fixture(scope="module")
def document():
    return openapi.document(ENDPOINTS, "1.2.3")


def operations(document):
    return [(method, path, operation) for path, item in document["paths"].items() for method, operation in item.items()]


def test_every_endpoint_of_the_contract_is_in_the_table_once():
    rows = [f"{endpoint.method} {endpoint.public_path}" for endpoint in ENDPOINTS]
    assert sorted(set(CONTRACT.strip().splitlines()) - set(rows)) == []
    assert len(rows) == len(set(rows))


def test_every_row_of_the_table_is_documented_and_nothing_else(document):
    documented = {(method.upper(), path) for method, path, _ in operations(document)}
    assert documented == {(endpoint.method, endpoint.public_path) for endpoint in ENDPOINTS}


def test_every_schema_is_a_valid_json_schema_and_every_reference_leads_somewhere(document):
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema.get("description"), f"{name} is not described"
    for reference in re.findall(r"'\$ref': '([^']+)'", repr(document)):
        *_, kind, name = reference.split("/")
        assert reference == f"#/components/{kind}/{name}"
        assert name in document["components"][kind]


def test_every_operation_has_a_name_of_its_own_a_summary_and_its_errors_as_problems(document):
    found = operations(document)
    names = [operation["operationId"] for _, _, operation in found]
    assert len(names) == len(set(names))
    answered = {row.public_path: row.answers for row in ENDPOINTS if row.answers}
    for method, path, operation in found:
        assert operation["summary"]
        assert operation["description"]
        for status, response in operation["responses"].items():
            kind = "application/problem+json" if status >= "400" else answered.get(path, "application/json")
            assert list(response["content"]) == [kind], (method, path, status)
        declared = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path))


def test_every_problem_has_an_example_that_fits_and_every_field_of_a_measure_its_unit(document):
    registry = Registry().with_resource("urn:api", Resource(contents=document, specification=DRAFT202012))
    problem = Draft202012Validator({"$ref": "urn:api#/components/schemas/Problem"}, registry=registry)
    for code, example in document["components"]["examples"].items():
        problem.validate(example["value"])
        assert example["value"]["code"] == code
    for method, path, operation in operations(document):
        for status, response in operation["responses"].items():
            assert "X-Request-Id" in response["headers"], (method, path, status)
            codes = list(response["content"].get("application/problem+json", {}).get("examples", {}))
            assert codes == re.findall(r"`(\w+)`:", response["description"])
    fields = document["components"]["schemas"]["ReservationBody"]["properties"]
    assert fields["ttl_seconds"]["description"] == "seconds"


def test_every_post_that_changes_something_needs_a_key_and_says_so(document):
    for method, path, operation in operations(document):
        required = {parameter["name"]: parameter["required"] for parameter in operation["parameters"]}
        expected: dict[tuple[str, str], bool | None] = {("post", path): None for path in READS_BY_POST}
        expected |= {("post", "/v1/carrier-events/easypost"): False}  # what is known changes nothing
        expected |= {("put", "/v1/inventory/supplies"): False}  # it may have one
        assert required.get("Idempotency-Key") == expected.get((method, path), True if method == "post" else None), path


@pytest.mark.parametrize(
    "endpoint",
    [row for row in ENDPOINTS if row.body is not None and not row.takes],
    ids=lambda row: row.handler.__name__,
)
def test_every_example_fits_its_schema(document, endpoint):
    operation = document["paths"][endpoint.public_path][endpoint.method.lower()]
    content = operation["requestBody"]["content"]["application/json"]
    assert endpoint.example is not None or endpoint.is_body_optional
    registry = Registry().with_resource("urn:api", Resource(contents=document, specification=DRAFT202012))
    schema = {"$ref": f"urn:api{content['schema']['$ref']}"}
    Draft202012Validator(schema, registry=registry).validate(content.get("example", {}))


async def test_the_document_and_the_page_are_served_and_need_no_other_host(http):
    served = await http.get("/openapi.json")
    assert served.json()["openapi"].startswith("3.1")
    page = await http.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    for endpoint in ENDPOINTS:
        assert endpoint.summary in page.text
    assert "<script" not in page.text
    assert not re.findall(r'(?:src|href)="(?!/|#)', page.text)
    assert (await http.get("/")).headers["location"] == "/docs"


async def test_the_examples_work_one_after_the_other_on_an_empty_store(http):
    for endpoint in ENDPOINTS:
        if endpoint.example is None or endpoint.path_examples or endpoint.path in NEEDS_WORK:
            continue
        answer = await http.request(
            endpoint.method, endpoint.path, json=endpoint.example, headers={"Idempotency-Key": endpoint.path}
        )
        assert answer.status_code == endpoint.status, f"{endpoint.method} {endpoint.path}: {answer.text}"
    assert (await http.get("/v1/inventory/MUG-RED")).json()["positions"][0]["held"] == 4
