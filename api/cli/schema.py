"""`allot schema`: prints the JSON Schema of a document, generated from the code that reads it."""

from __future__ import annotations

import json
import math
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from engine.routing.csv_table import Column

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Document(StrEnum):
    """The documents whose schema can be printed."""

    problem = "problem"
    network = "network"
    catalog = "catalog"
    policy = "policy"
    scenario = "scenario"


def command(
    document: Annotated[Document, typer.Argument(help="Which document.")],
) -> None:
    """Print the JSON Schema of a document, for editors and for programs that write it.

    A problem folder is shown as one object: problem.json under its name, and each table as the list of its rows.
    """
    typer.echo(json.dumps(schema_of(document), indent=2, ensure_ascii=False))


def schema_of(document: Document) -> dict[str, Any]:
    """Return the JSON Schema of `document` (draft 2020-12; a scenario's draft 7, for editors of YAML)."""
    if document is Document.network:
        from engine.network.document import NetworkDocument

        return {"$schema": DIALECT, **NetworkDocument.model_json_schema()}
    if document is Document.catalog:
        from engine.catalog.document import CatalogDocument

        return {"$schema": DIALECT, **CatalogDocument.model_json_schema()}
    if document is Document.policy:
        from engine.policies.document import RunPolicyDocument

        return {"$schema": DIALECT, **RunPolicyDocument.model_json_schema()}
    if document is Document.scenario:
        from engine.scenarios.schema import scenario_schema

        return scenario_schema()
    return _problem_schema()


def _problem_schema() -> dict[str, Any]:
    from engine.routing.folder import ALWAYS, TABLES
    from engine.routing.settings import ProblemSettings

    settings = ProblemSettings.model_json_schema()
    tables = {f"{table}.csv": _table(columns) for table, columns in TABLES.items()}
    return {
        "$schema": DIALECT,
        "title": "Problem folder",
        "description": "One routing batch as plain files; a table may also be gzipped (.csv.gz).",
        "type": "object",
        "properties": {"problem.json": settings, **tables},
        "required": ["problem.json", *(f"{table}.csv" for table in ALWAYS)],
        "additionalProperties": False,
    }


def _table(columns: tuple[Column, ...]) -> dict[str, Any]:
    row = {
        "type": "object",
        "properties": {column.name: _cell(column) for column in columns},
        "required": [column.name for column in columns if not column.optional],
        "additionalProperties": False,
    }
    return {"type": "array", "items": row}


def _cell(column: Column) -> dict[str, Any]:
    """Return the schema of a cell as a value; null stands for a blank one."""
    if column.kind is str:
        cell: dict[str, Any] = {"type": "string", "minLength": 1}
    else:
        cell = {"type": "integer" if column.kind is int else "number"}
        cell |= {
            name: int(bound) if column.kind is int else bound
            for name, bound in (("minimum", column.least), ("maximum", column.most))
            if math.isfinite(bound)
        }
    return cell if column.blank is None else {"anyOf": [cell, {"type": "null"}]}
