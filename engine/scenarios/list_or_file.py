"""A key of a document that takes a list, or the name of a file with the same: the name goes to a key of its own.

So that a fault in the list names its place there, and not both ways to read the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class OrFile:
    """Says in the schema that the name of a file may stand in place of a list."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the schema of the list, or of a text."""
        return {"anyOf": [handler(schema), {"type": "string", "description": "The name of a file."}]}


def files_apart(value: Any, *keys: str) -> Any:
    """Return the mapping with a text at one of `keys` moved to `<key>_file`."""
    if not isinstance(value, Mapping):
        return value
    return {f"{key}_file" if key in keys and isinstance(entry, str) else key: entry for key, entry in value.items()}
