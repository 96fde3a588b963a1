"""Requests that schemathesis makes of the OpenAPI document, sent to a server, and what is wrong with the answers.

Phases: `examples` (those of the document), `coverage` (every edge of every schema, valid and not), `fuzzing` (random
values) and `stateful` (what one answer names is asked for next). The shop of the examples is put back whenever a
generated document has replaced it, so that not everything is 404. URLs of webhooks are turned to a closed port of this
machine: a test sends nothing to the addresses that a generator comes up with.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import schemathesis
from schemathesis import hooks
from schemathesis.engine import events, from_schema

from api.errors import PROBLEM_JSON
from api.idempotency import HEADER
from api.table import ENDPOINTS

WORLD = {
    f"{row.method} {row.path}": row
    for row in ENDPOINTS
    if row.handler.__name__ in {"put_network", "put_catalog", "put_positions"}
}
PHASES = ("examples", "coverage", "fuzzing", "stateful")
GOOD_KEY = re.compile(r"[\x21-\x7e]{1,240}")
CLOSED = "https://127.0.0.1:9/"
ANY_TEXT = "create_import"
"""Takes CSV, where every text is a body: none of them is invalid by its schema, and its rows are reported on later."""
BY_RULE = ["2xx", "400", "401", "404", "409", "410", "422"]
"""How a request may be answered that fits its schema: rules go further than schemas, as the document says at 400."""


@dataclass(kw_only=True)
class Found:
    """What came of a run: cases per phase, answers per status, and what was called, and each kind of fault once."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)


def settle(address: str, token: str) -> None:
    """Put the network, the catalog and the stock of the examples."""
    for row in WORLD.values():
        headers = {"Authorization": f"Bearer {token}"}
        httpx2.put(address + row.path, json=row.example, headers=headers, timeout=30).raise_for_status()


def run(address: str, token: str, *, seed: int, examples: int, phases: Iterable[str], only: str = "") -> Found:
    """Send the cases of `phases`, `examples` random ones per operation (all, or `only` one), and check every answer."""
    chosen = {name: {"enabled": name in phases} for name in PHASES}
    config = {
        "seed": seed,
        "auth": {"openapi": {"bearer": {"bearer": token}}},
        "continue-on-failure": True,
        "generation": {
            "max-examples": examples,
            "no-shrink": True,
            "database": "none",
            "with-security-parameters": False,
        },
        "phases": chosen,
        "checks": {"positive_data_acceptance": {"expected-statuses": BY_RULE}},
        "operations": [
            {"include-operation-id": ANY_TEXT, "checks": {"negative_data_rejection": {"enabled": False}}},
        ],
    }
    schema = schemathesis.openapi.from_url(
        f"{address}/openapi.json", config=schemathesis.Config.from_dict(config), timeout=30
    )
    found = Found()
    with _hooks(address, token):
        for event in from_schema(schema.include(operation_id=only) if only else schema).execute():
            if isinstance(event, events.ScenarioFinished):
                _note(event, found)
            elif isinstance(event, events.NonFatalError):
                found.faults[f"{event.label}: not tested"] = str(event.value)
            elif isinstance(event, events.FatalError):
                raise event.exception
    return found


@schemathesis.serializer("application/x-ndjson", "application/edi-x12")
def rows(_: schemathesis.SerializationContext, body: Any) -> bytes:
    """Return what is sent for a body of rows: a text as it is, and anything else as one row."""
    return body.encode("utf-8", "replace") if isinstance(body, str) else json.dumps(body).encode()


@schemathesis.check
def every_error_is_a_problem(_: Any, response: schemathesis.Response, case: schemathesis.Case) -> None:
    """An error is application/problem+json with a code that the document lists for it, and names its request."""
    named = response.headers.get("x-request-id")
    assert named, "there is no X-Request-Id"
    if response.status_code < 400 or case.method == "HEAD":
        return
    assert response.headers["content-type"] == [PROBLEM_JSON], response.headers["content-type"]
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["request_id"] == named[0]
    assert problem["retryable"] == ("retry-after" in response.headers)
    assert "Traceback" not in response.text
    described = case.operation.definition.raw["responses"].get(str(response.status_code))
    if described is not None:  # another check looks for statuses that are not described
        assert f"`{problem['code']}`" in described["description"], f"{problem['code']} is not documented"


@contextmanager
def _hooks(address: str, token: str) -> Iterator[None]:
    """Have keys that are new, webhooks that lead nowhere, and the shop as it was."""
    numbers = itertools.count(1)

    def before_call(_: Any, case: schemathesis.Case, __: dict[str, Any]) -> None:
        key, number = (case.headers or {}).get(HEADER), next(numbers)
        if isinstance(key, str) and GOOD_KEY.fullmatch(key) and number % 10:  # most would be told that it was used
            case.headers[HEADER] = f"{key}-{number}"
        if case.operation.label == "POST /v1/webhooks" and isinstance(case.body, dict):
            url = case.body.get("url")
            case.body = {**case.body, "url": CLOSED} if isinstance(url, str) and url.startswith("http") else case.body

    def after_call(_: Any, case: schemathesis.Case, response: schemathesis.Response) -> None:
        row = WORLD.get(f"{case.method} {case.operation.path}")
        if row is not None and response.status_code == 200 and case.body != row.example:
            settle(address, token)

    both = before_call, after_call
    for each in both:
        schemathesis.hook(each)
    try:
        yield
    finally:
        for each in both:
            hooks.unregister(each)


def _note(event: events.ScenarioFinished, found: Found) -> None:
    recorder = event.recorder
    found.cases[event.phase.value] += len(recorder.interactions)
    if recorder.interactions and event.label:
        found.operations.add(event.label)
    for interaction in recorder.interactions.values():
        found.statuses[0 if interaction.response is None else interaction.response.status_code] += 1
    for checks in recorder.checks.values():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                what = f"{event.label}: {check.name}: {failure.title}: {failure.message[:300]}"
                found.faults.setdefault(what, f"{event.phase.value}: {check.failure_info.code_sample[:1500]}")
