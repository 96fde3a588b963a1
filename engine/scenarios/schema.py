"""The published JSON Schema of scenario files (draft 7, which editors know), made of the document that reads them.

Not here: printing it (api/cli/schema.py); `scenarios/scenario.schema.json` is the copy that files name in their first
line.
"""

from __future__ import annotations

import json
from typing import Any

from engine.scenarios.document import ScenarioDocument

DIALECT = "http://json-schema.org/draft-07/schema#"
_EXTENDS = "Another scenario; what stands here is put on top of it: objects key by key, `changes` are appended."


def scenario_schema() -> dict[str, Any]:
    """Return the schema of a file: a whole story, or what is put on top of another one.

    In a file that extends another, `null` takes a key away, and nothing is required.
    """
    schema = _draft_7(ScenarioDocument.model_json_schema())
    required = schema.pop("required")
    properties = {
        key: value if key in required else {"anyOf": [value, {"type": "null"}]}
        for key, value in schema.pop("properties").items()
    }
    first = {"extends": {"type": "string", "minLength": 1, "description": _EXTENDS}}
    return {
        "$schema": DIALECT,
        "title": "Scenario",
        **{key: value for key, value in schema.items() if key not in {"title", "definitions"}},
        "properties": {"version": properties.pop("version"), **first, **properties},
        "anyOf": [{"required": ["extends"]}, {"required": required}],
        "definitions": schema["definitions"],
    }


def _draft_7(part: Any) -> Any:
    """Return a schema of draft 2020-12, as pydantic writes it, in the words of draft 7."""
    if isinstance(part, list):
        return [_draft_7(entry) for entry in part]
    if not isinstance(part, dict):
        return part
    changed = {("definitions" if key == "$defs" else key): _draft_7(value) for key, value in part.items()}
    if "$ref" in changed:
        changed["$ref"] = changed["$ref"].replace("#/$defs/", "#/definitions/")
        others = {key: changed.pop(key) for key in [*changed] if key != "$ref"}
        if others:  # beside a reference, draft 7 reads nothing else
            return {**others, "allOf": [changed]}
    return changed


def schema_text() -> str:
    """Return the schema as the file that is published."""
    return json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"
