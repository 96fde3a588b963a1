"""What the OpenAPI document says beside the types: groups of endpoints, headers, path parameters, units, problems.

Not here: how the document is put together (openapi.py), which endpoints there are (table.py).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from api.endpoint import Endpoint
from api.errors import PROBLEM_JSON, kind_of
from api.idempotency import REPLAYED
from engine.errors import AllotError

TAGS = {
    "network": "Nodes, calendars, zones, carrier services, and the policy of promises: one document, versioned.",
    "catalog": "Products, kits and substitutes: one document, versioned.",
    "lead-times": "Delivery times learned from shipments: one document, versioned.",
    "tracking": "What customers see of their order by a signed link.",
    "opt-outs": "No more mails to an address, by the signed link in each of them.",
    "notice-templates": "The words of notices to customers: one document, versioned.",
    "customers": "Customers: what is known of them under seal, exported, and erased for good.",
    "demand-forecast": "What is expected to be sold, where and when: one document, versioned.",
    "bid-prices": "What one more unit of a position is worth to later demand.",
    "events": "The journal of all that happened, as a feed to read on from a cursor.",
    "webhooks": "Events sent to URLs, signed as Standard Webhooks has it.",
    "imports": "Many rows of stock or orders from one file, with a report for each row.",
    "simulations": "What-if scenarios, simulated beside the server: progress, KPIs, a report.",
    "inventory-events": "The history of one stock position.",
    "inventory": "Stock positions, supplies, receipts and channel quotas.",
    "low-stock": "Positions at their threshold or below.",
    "availability": "What is available to promise, now and by day.",
    "get-it-by": "The day by which a product can be there, for product pages.",
    "nearest-stores": "Stores near the shopper that have it.",
    "promises": "Dated, priced options for a cart; they hold nothing.",
    "slots": "Windows that customers book.",
    "reservations": "Holds on stock with a deadline: held, confirmed, consumed, or given back.",
    "reservation-batches": "Many reservations in one request, each by itself.",
    "nodes": "Switching a node off and on.",
    "node-closures": "Nodes that are switched off.",
    "alerts": "Orders whose promise may be broken: how likely, why, and by how many days.",
    "alert-policy": "From when on an order is in jeopardy, and what follows by itself, versioned.",
    "order-policy": "What orders are checked for when they are captured, versioned.",
    "shipments": "Parcels that were released to nodes: picked, packed, labelled, shipped and delivered.",
    "waves": "Shipments that a node picks together, and the list it picks them by.",
    "carrier-events": "What carriers say of shipments on their way.",
    "tax-rates": "Which share of a price is tax, by country, region and tax code: one document, versioned.",
    "payments": "What orders and payment providers have on their books, compared.",
    "orders": "Orders, their history, why they were routed so, and how people steer them.",
    "returns": "What comes back of orders, what becomes of it, and what it pays back.",
    "return-policy": "What may come back, until when, and at what cost: one document, versioned.",
    "policies": "Versioned objectives and constraints of routing.",
    "routing-runs": "Deciding which node ships which line, with a proven gap.",
    "health": "Whether the service lives, and whether it is ready.",
}
"""What each group of endpoints is about."""

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "The name of the request in logs and in `request_id` of problems.",
        "required": True,
        "schema": {"type": "string"},
        "example": "req_aec843cc815de9b063fad41e",
    },
    "RateLimit": {
        "description": "How many requests (`r`) the key may still send, and after how many seconds (`t`) it may send "
        "as many as it may at most. Only where keys are asked for and have a limit.",
        "schema": {"type": "string"},
        "example": '"key";r=999;t=1',
    },
    "RateLimit-Policy": {
        "description": "How many requests (`q`) the key may send in how many seconds (`w`).",
        "schema": {"type": "string"},
        "example": '"key";q=1000;w=1',
    },
    "Retry-After": {
        "description": "Seconds to wait before the same request is sent again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
        "example": 1,
    },
    "WWW-Authenticate": {
        "description": "What kind of key is asked for, and the scope that is missing.",
        "required": True,
        "schema": {"type": "string"},
        "example": 'Bearer realm="allot"',
    },
    REPLAYED: {
        "description": "Only with the stored answer of an earlier request with the same key, which is `true`.",
        "schema": {"const": "true"},
    },
}

ANSWERED_AS: dict[str, dict[str, Any]] = {
    "text/event-stream": {
        "type": "object",
        "description": "Each event; `data` is JSON.",
        "properties": {"id": {"type": "string"}, "event": {"type": "string"}, "data": {"type": "string"}},
    },
}
"""What an answer that is no JSON is made of, by its media type; of others it is a text."""
_PLACES = {
    "sku": ("The SKU; a slash in it as it is or as `%2F`.", "MUG-RED"),
    "node_id": ("The node, as the network names it.", "chicago-dc"),
    "reservation_id": ("The id that the reservation was answered with.", "res_1"),
    "order_id": ("The id of the order.", "ord_1"),
    "alternative_id": ("The id of a way out, as it was proposed.", "alt_0123456789abcdef01234567"),
    "shipment_id": ("The id of the shipment, which names its order.", "shp_ord_1-1"),
    "wave_id": ("The id that the wave was answered with.", "wav_1"),
    "token": ("A signed link's token.", "main.WyJ0Iiwib3JkXzEiLDE4MTA5ODcyMDBd.h29rkSg_9dFOPz5nCTAXEPQX"),
    "customer_id": ("The id of the customer, or of the guest.", "cus-1"),
    "return_id": ("The id that the return was answered with.", "ret_1_ord_1"),
    "number": ("The number of an invoice or a credit note.", "INV-2026-000001"),
    "tenant": ("The tenant, `main` unless the server has several.", "main"),
    "code": ("The code of the store credit.", "credit_5e884898da28047151d0e56f"),
    "run_id": ("The id that the routing run was answered with.", "run_1"),
    "policy_id": ("The name of the policy.", "peak"),
    "webhook_id": ("The id that the webhook was answered with.", "whk_1"),
    "simulation_id": ("The id that the simulation was answered with.", "sim_1"),
    "import_id": ("The id that the import was answered with.", "imp_1"),
}

_UNITS = {
    "_cents": "whole cents of the network's currency",
    "_cents_per_unit": "whole cents of the network's currency for each unit",
    "_g": "grams",
    "_mm": "millimetres",
    "_km": "kilometres",
    "_ms": "milliseconds",
    "_seconds": "seconds",
    "_minutes": "minutes",
    "_days": "days",
    "_units": "units",
    "_at": "a time as RFC 3339 has it, with offset",
    "_on": "a day as YYYY-MM-DD",
    "_basis_points": "hundredths of a percent",
    "latitude": "degrees, from -90 to 90",
    "longitude": "degrees, from -180 to 180",
    "quantity": "units",
    "on_hand": "units",
    "reserved": "units",
    "safety_stock": "units",
    "available": "units; negative after a count that found less than is reserved",
    "available_now": "units",
}
"""The unit of a field by how its name ends; the longest ending that fits counts."""


def tags_of(endpoints: Iterable[Endpoint]) -> list[dict[str, str]]:
    """Return the groups of endpoints in the order of the table; KeyError for one that nobody has described."""
    return [{"name": tag, "description": TAGS[tag]} for tag in dict.fromkeys(endpoint.tag for endpoint in endpoints)]


def path_parameter(name: str) -> dict[str, Any]:
    """Return a parameter of the path; KeyError for one that nobody has described."""
    about, example = _PLACES[name]
    schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "description": about, "schema": schema, "example": example}


def header_names(endpoint: Endpoint, status: int) -> list[str]:
    """Return the headers of an answer that are worth knowing."""
    names = ["X-Request-Id"]
    if endpoint.scope is not None and status != 401:
        names += ["RateLimit", "RateLimit-Policy"]
    if endpoint.takes_key and (status < 300 or status in {404, 409}):
        names.append(REPLAYED)
    return names


def headers(names: Iterable[str]) -> dict[str, Any]:
    """Return references to headers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def problems(endpoint: Endpoint, status: int, kinds: Iterable[type[AllotError]], schema: object) -> dict[str, Any]:
    """Return the answer of one status with an example for each code."""
    found = {kind.code: kind_of(kind) for kind in kinds}
    names = header_names(endpoint, status)
    if all(kind.retryable for kind in found.values()):
        names.append("Retry-After")
    if status in {401, 403}:
        names.append("WWW-Authenticate")
    examples = {code: {"$ref": f"#/components/examples/{code}"} for code in found}
    return {
        "description": "; ".join(f"`{code}`: {kind.title}" for code, kind in found.items()),
        "headers": headers(names),
        "content": {PROBLEM_JSON: {"schema": schema, "examples": examples}},
    }


def problem_examples(kinds: Iterable[type[AllotError]]) -> dict[str, Any]:
    """Return one problem for each code."""
    found = {kind.code: kind for kind in kinds}
    return {code: {"summary": kind_of(kind).title, "value": _example(code, kind)} for code, kind in found.items()}


def _example(code: str, error: type[AllotError]) -> dict[str, Any]:
    kind, about = kind_of(error), inspect.getdoc(error) or ""
    return {
        "type": f"/docs#{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": " ".join(about.partition("\n\n")[0].split()).replace("`faults`", "`errors`"),
        "code": code,
        "request_id": HEADERS["X-Request-Id"]["example"],
        "retryable": kind.retryable,
        "errors": [],
    }


def describe(schemas: dict[str, dict[str, Any]]) -> None:
    """Write the unit of each field that does not describe itself, and every description without the code's indent."""
    for schema in schemas.values():
        if "description" in schema:
            schema["description"] = inspect.cleandoc(schema["description"])
        for name, field in schema.get("properties", {}).items():
            unit = unit_of(name)
            if unit is not None and "description" not in field and not _describes_itself(field) and _counts(field):
                field["description"] = unit


def unit_of(name: str) -> str | None:
    """Return the unit that the name of a field says, or None."""
    endings = [ending for ending in _UNITS if name.endswith(ending) and (ending[0] == "_" or name == ending)]
    return _UNITS[max(endings, key=len)] if endings else None


def _describes_itself(field: dict[str, Any]) -> bool:
    return any("description" in choice for choice in field.get("anyOf", ()))


def _counts(field: dict[str, Any]) -> bool:
    """Return whether a field holds a number or a text, or a list of them, and not a whole object or a flag."""
    kinds = [choice.get("items", choice).get("type") for choice in field.get("anyOf", [field])]
    return bool({"integer", "number", "string"} & set(kinds))
