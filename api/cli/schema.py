"""`allot schema`: prints the JSON Schema of a document, generated from the code that reads it."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer


class Document(StrEnum):
    """The documents whose schema can be printed."""

    network = "network"
    catalog = "catalog"


def command(
    document: Annotated[Document, typer.Argument(help="Which document.")],
) -> None:
    """Print the JSON Schema of a document, for editors and for programs that write it."""
    typer.echo(json.dumps(schema_of(document), indent=2, ensure_ascii=False))


def schema_of(document: Document) -> dict[str, object]:
    """Return the JSON Schema of `document` (draft 2020-12)."""
    schema: dict[str, object]
    if document is Document.network:
        from engine.network.document import NetworkDocument

        schema = NetworkDocument.model_json_schema()
    else:
        from engine.catalog.document import CatalogDocument

        schema = CatalogDocument.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
