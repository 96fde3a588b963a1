"""The OpenAPI 3.1 document, made of the endpoint table and the types in it; nothing is written twice.

Not here: the table itself (each file of routes/ ends in its part).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api import openapi_words as words
from api.endpoint import Endpoint
from api.errors import (
    BodyTooLarge,
    BodyTooSlow,
    DeadlineExceeded,
    InternalError,
    MissingIdempotencyKey,
    MissingScope,
    Overloaded,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMediaType,
    kind_of,
)
from api.idempotency import HEADER
from api.schemas.problems import Problem
from engine.errors import AllotError, IdempotencyConflict, InvalidInput, Unavailable

_REF = "#/components/schemas/{}"

_SCHEME = "bearer"
SECURITY = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key (`allot keys create`), or a JSON Web Token of the issuer that the server trusts. What "
    "it has to allow stands at each endpoint, such as `inventory:read`. Answers say in `RateLimit` and "
    "`RateLimit-Policy` how many more requests it may send. A server that listens on loopback only may let "
    "everybody in.",
}

TITLE = "allot"
ABOUT = (
    "Order management: availability, dated promises, reservations and order routing with a proven gap. "
    "Money is whole cents, weights are grams, times are RFC 3339. Errors are application/problem+json (RFC 9457) "
    "with a stable `code`."
)


def document(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    """Return the OpenAPI document of a table of endpoints."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.public_path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": version, "description": ABOUT, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "tags": words.tags_of(endpoints),
        "paths": paths,
        "components": {
            "schemas": _schemas(endpoints),
            "headers": words.HEADERS,
            "examples": words.problem_examples(kind for endpoint in endpoints for kind in refusals_of(endpoint)),
            "securitySchemes": {_SCHEME: SECURITY},
        },
    }


def refusals_of(endpoint: Endpoint) -> list[type[AllotError]]:
    """Return every way an endpoint may refuse: its own, and those that its shape brings."""
    found = [*endpoint.refusals, InvalidInput]
    if endpoint.scope is not None:
        found += [Unauthenticated, MissingScope, TooManyRequests]
    if endpoint.takes_key:
        found += [MissingIdempotencyKey, IdempotencyConflict]
    if endpoint.body is not None:
        found += [BodyTooLarge, BodyTooSlow, UnsupportedMediaType]
    found += [Unavailable, Overloaded, DeadlineExceeded, InternalError]
    return list(dict.fromkeys(found))


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": " ".join((endpoint.handler.__doc__ or "").split()),
        "parameters": _parameters(endpoint),
        "security": [] if endpoint.scope is None else [{_SCHEME: [endpoint.scope]}],
        "responses": {str(endpoint.status): _success(endpoint), **_problems(endpoint)},
    }
    if endpoint.takes:
        kinds = {kind: {"schema": _handed_on(kind), "example": text} for kind, text in endpoint.takes.items()}
        operation["requestBody"] = {"required": True, "content": kinds}
    elif endpoint.body is not None:
        content: dict[str, Any] = {"schema": {"$ref": _REF.format(endpoint.body.__name__)}}
        if endpoint.example is not None:
            content["example"] = endpoint.example
        operation["requestBody"] = {
            "required": not endpoint.is_body_optional,
            "content": {"application/json": content},
        }
    return operation


def _handed_on(kind: str) -> dict[str, str]:
    """Return the schema of a body that is handed on as its bytes."""
    return {"type": "object" if kind == "application/json" else "string"}


def _success(endpoint: Endpoint) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": "Done" if endpoint.status != 202 else "Accepted",
        "content": {"application/json": {"schema": {"$ref": _REF.format(endpoint.reply.__name__)}}}
        if endpoint.answers is None
        else {endpoint.answers: {"schema": words.ANSWERED_AS.get(endpoint.answers, {"type": "string"})}},
    }
    response["headers"] = words.headers(words.header_names(endpoint, endpoint.status))
    return response


def _problems(endpoint: Endpoint) -> dict[str, Any]:
    by_status: dict[int, list[type[AllotError]]] = {}
    for refusal in refusals_of(endpoint):
        by_status.setdefault(kind_of(refusal).status, []).append(refusal)
    schema = {"$ref": _REF.format(Problem.__name__)}
    return {str(status): words.problems(endpoint, status, kinds, schema) for status, kinds in sorted(by_status.items())}


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        words.path_parameter(name) for name in re.findall(r"\{(\w+)\}", endpoint.public_path)
    ]
    for field in msgspec.structs.fields(endpoint.query):
        (schema,), _ = msgspec.json.schema_components([field.type])
        parameter = {"name": field.encode_name, "in": "query", "required": field.required, "schema": schema}
        unit = words.unit_of(field.encode_name)
        found.append(parameter if unit is None else {**parameter, "description": unit})
    if endpoint.takes_key:
        about = "A new value for each intended change; the same value when the request is sent again."
        schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"}
        found.append(
            {"name": HEADER, "in": "header", "required": endpoint.is_keyed, "description": about, "schema": schema}
        )
    return found


def _schemas(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    kinds: list[type] = [Problem]
    for endpoint in endpoints:
        kinds += [kind for kind in (endpoint.body, endpoint.reply) if kind is not None]
    structs = [kind for kind in dict.fromkeys(kinds) if issubclass(kind, msgspec.Struct)]
    models = [kind for kind in dict.fromkeys(kinds) if issubclass(kind, BaseModel)]
    _, schemas = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    _, of_models = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    documents = of_models.get("$defs", {})
    twice = schemas.keys() & documents.keys()
    if twice:
        raise ValueError(f"two types of the API have one name: {', '.join(sorted(twice))}")
    described = dict(sorted({**schemas, **documents}.items()))
    words.describe(described)
    return described
