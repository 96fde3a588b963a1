"""Writes what of the Python client follows from the OpenAPI document: its models and its methods.

`python -m api.client_writer` writes api/client/{models,methods,async_methods}.py anew; a test sees that they are as the
endpoints are. Documents (network, catalog, …) stay JSON objects: `allot schema` tells what is in them. Not here: how a
request is sent (api/client/client.py, async_client.py).
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "client"
WRITTEN = """\"\"\"{about}

Written by `python -m api.client_writer` out of the OpenAPI document; not to be edited by hand.
\"\"\"

"""
CURSORS = {
    "list_webhooks": "webhook_id",
    "list_events": "event",
    "list_low_stock": "number",
    "list_low_stock_events": "number",
    "list_slots": "slot_id",
    "list_policies": "policy_id",
    "list_alerts": "alert_id",
}
"""The field of the last row of a page that is the `starting_after` of the next one."""
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "object": "dict[str, Any]"}
_ANY = "dict[str, Any]"
_JSON = "application/json"

Schema = Mapping[str, Any]


def files(document: Schema) -> dict[str, str]:
    """Return the text of each file that follows from an OpenAPI document, by its name."""
    writer = _Writer(document)
    texts = {
        "models.py": writer.models(),
        "methods.py": writer.methods(is_async=False),
        "async_methods.py": writer.methods(is_async=True),
    }
    return {name: _formatted(text) for name, text in texts.items()}


def _formatted(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--line-length", "120", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


class _Writer:
    """What one document makes."""

    def __init__(self, document: Schema) -> None:
        self._paths: Schema = document["paths"]
        self._schemas: Schema = document["components"]["schemas"]
        operations = [operation for _, _, operation in self._operations()]
        self._sent = self._reached(str(operation.get("requestBody")) for operation in operations)
        self._seen = self._reached(str(operation) for operation in operations)
        self._tags = {
            _name(target): (found["discriminator"]["propertyName"], value)
            for schema in self._schemas.values()
            for found in schema.get("properties", {}).values()
            for value, target in found.get("discriminator", {}).get("mapping", {}).items()
        }

    def models(self) -> str:
        """Return a struct for each schema that is neither a document nor a mere choice of texts."""
        names = [name for name in self._schemas if name in self._seen and self._is_struct(name)]
        about = "What goes over the wire: bodies and replies. Times are texts in RFC 3339, days are dates."
        head = "from __future__ import annotations\n\nimport datetime\nfrom collections.abc import Sequence\n"
        head += "from typing import Any, Literal\n\nfrom msgspec import Struct, field\n"
        return WRITTEN.format(about=about) + head + "".join(f"\n\n{self._struct(name)}" for name in names)

    def methods(self, *, is_async: bool) -> str:
        """Return a class with a method for each operation."""
        kind = "Async" if is_async else ""
        iterators = "AsyncIterator" if is_async else "Iterator"
        about = f"A method for each endpoint, {'to be awaited' if is_async else 'that waits for the answer'}."
        head = "from __future__ import annotations\n\n"
        head += (
            f"from collections.abc import {iterators}\nfrom datetime import date\nfrom typing import Any, Literal\n\n"
        )
        head += "from api.client import models\n"
        names = "AsyncSender, Call" if is_async else "Call, Sender"
        head += f"from api.client.calls import {names}, new_key, part\n\n\n"
        head += f'class {kind}Methods({kind}Sender):\n    """{about}"""\n'
        parts = [self._method(path, verb, operation, is_async) for path, verb, operation in self._operations()]
        return WRITTEN.format(about=about) + head + "\n".join(parts)

    def _operations(self) -> Iterator[tuple[str, str, Schema]]:
        for path, operations in self._paths.items():
            for verb, operation in operations.items():
                yield path, verb, operation

    def _reached(self, texts: Iterator[str]) -> set[str]:
        """Return the schemas that are named in texts, and those that they lead to."""
        found: set[str] = set()
        waiting = [name for text in texts for name in re.findall(r"schemas/(\w+)", text)]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                if self._is_struct(name):
                    waiting += re.findall(r"schemas/(\w+)", str(self._schemas[name]))
        return found

    def _is_struct(self, name: str) -> bool:
        """Return whether a schema gets a struct: pydantic's documents (with a title for each field) do not."""
        fields = self._schemas[name].get("properties")
        return fields is not None and not any("title" in field for field in fields.values())

    def _struct(self, name: str) -> str:
        schema = self._schemas[name]
        is_sent = name in self._sent
        tag_field, tag = self._tags.get(name, (None, None))
        options = ", omit_defaults=True" if is_sent else ""
        options += f', tag_field="{tag_field}", tag="{tag}"' if tag else ""
        lines = [f"class {name}(Struct, frozen=True, kw_only=True{options}):", _doc(schema.get("description", name))]
        fields = {field: of for field, of in schema["properties"].items() if field != tag_field}
        needed = set(schema.get("required", ()))
        lines += [""] if fields else []
        lines += [self._field(field, of, is_needed=field in needed, is_sent=is_sent) for field, of in fields.items()]
        return "\n".join(lines) + "\n"

    def _field(self, field: str, schema: Schema, *, is_needed: bool, is_sent: bool) -> str:
        kind = self._kind(schema, is_sent=is_sent)
        default = schema.get("default")
        if not is_needed and default is None and "None" not in kind.split(" | "):
            kind += " | None"
        default = () if default == [] else tuple(default) if isinstance(default, list) else default
        name = f"{field}_" if field in {"from", "to"} else field
        if name != field:
            return f'    {name}: {kind} = field(name="{field}"{"" if is_needed else f", default={default!r}"})'
        return f"    {name}: {kind}" + ("" if is_needed else f" = {default!r}")

    def _kind(self, schema: Schema, *, is_sent: bool) -> str:
        """Return the type of a value; choices of texts in replies are texts, since later servers may know more."""
        if "$ref" in schema:
            name = _name(schema["$ref"])
            if "properties" in self._schemas[name]:
                return name if self._is_struct(name) else _ANY
            return self._kind(self._schemas[name], is_sent=is_sent)
        if "anyOf" in schema:
            kinds = dict.fromkeys(self._kind(one, is_sent=is_sent) for one in schema["anyOf"])
            return " | ".join(sorted(kinds, key=lambda kind: kind == "None"))
        if "enum" in schema:
            return f"Literal[{', '.join(map(repr, schema['enum']))}]" if is_sent else "str"
        kind = schema.get("type")
        if kind == "array":
            inner = self._kind(schema.get("items", {}), is_sent=is_sent)
            return f"Sequence[{inner}]" if is_sent else f"tuple[{inner}, ...]"
        if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
            return f"dict[str, {self._kind(schema['additionalProperties'], is_sent=is_sent)}]"
        if kind == "null":
            return "None"
        if kind == "string" and schema.get("format") == "date":
            return "datetime.date"
        return _PLAIN.get(str(kind), "Any")

    def _method(self, path: str, verb: str, operation: Schema, is_async: bool) -> str:
        name = operation["operationId"]
        reply = self._reply(operation)
        before, after = self._parameters(path, operation)
        given = ", ".join(["self", *before, *(["*", *after] if after else [])])
        sent = [f'"{verb.upper()}"', _path(path), reply]
        query = [one["name"] for one in operation["parameters"] if one["in"] == "query"]
        if query:
            sent.append("query={" + ", ".join(f'"{one}": {_safe(one)}' for one in query) + "}")
        if "body" in " ".join(before):
            sent.append("body=body")
        if "media_type" in " ".join(after):
            sent.append("media_type=media_type")
        if "idempotency_key" in " ".join(after):
            sent.append("key=idempotency_key or new_key()")
        word, wait = ("async def", "await ") if is_async else ("def", "")
        text = f"\n    {word} {name}({given}) -> {reply}:\n"
        text += f"{_doc(operation['summary'] + '.', 8)}\n        return {wait}self._send(Call({', '.join(sent)}))\n"
        return text + (self._iterator(name, reply, after, operation, is_async) if name in CURSORS else "")

    def _iterator(self, name: str, reply: str, after: list[str], operation: Schema, is_async: bool) -> str:
        """Return a method that yields the rows of all pages."""
        rows = self._schemas[reply.removeprefix("models.")]["properties"]["data"]["items"]
        row = f"models.{self._kind(rows, is_sent=False)}"
        kept = [one for one in after if not one.startswith(("limit", "starting_after"))]
        given = ", ".join(["self", *(["*", *kept] if kept else [])])
        cursor = next(one for one in after if one.startswith("starting_after")).partition(" =")[0]
        named = ", ".join(f"{one.partition(':')[0]}={one.partition(':')[0]}" for one in kept)
        word, wait, many = ("async def", "await ", "AsyncIterator") if is_async else ("def", "", "Iterator")
        rest = f"{named}, " if named else ""
        loop = "for row in page.data:\n                yield row" if is_async else "yield from page.data"
        return (
            f"\n    {word} {name.replace('list_', 'iter_', 1)}({given}) -> {many}[{row}]:\n"
            f"{_doc(operation['summary'] + ': all pages, one after the other.', 8)}\n"
            f"        {cursor} = None\n        while True:\n"
            f"            page = {wait}self.{name}({rest}starting_after=starting_after)\n"
            f"            {loop}\n            if not page.has_more:\n                return\n"
            f"            starting_after = page.data[-1].{CURSORS[name]}\n"
        )

    def _reply(self, operation: Schema) -> str:
        """Return the type of the answer that says that it is done."""
        content = next(answer["content"] for status, answer in operation["responses"].items() if status[0] == "2")
        if _JSON not in content:
            return "str" if all(kind.startswith("text/") for kind in content) else "bytes"
        kind = self._kind(content[_JSON]["schema"], is_sent=False)
        return kind if kind == _ANY else f"models.{kind}"

    def _parameters(self, path: str, operation: Schema) -> tuple[list[str], list[str]]:
        """Return what is given by place, and what by name."""
        before = [f"{name}: str" for name in re.findall(r"\{(\w+)\}", path)]
        after: list[str] = []
        request = operation.get("requestBody")
        if request is not None and "$ref" not in request["content"].get(_JSON, {}).get("schema", {}):
            before.append("body: bytes")
            after.append(f"media_type: Literal[{', '.join(map(repr, request['content']))}]")
        elif request is not None and not str(request["content"][_JSON]["schema"]["$ref"]).endswith("/Nothing"):
            kind = self._kind(request["content"][_JSON]["schema"], is_sent=True)
            kind = kind if kind == _ANY else f"models.{kind}"
            before.append(f"body: {kind}" + ("" if request["required"] else " | None = None"))
        for one in operation["parameters"]:
            if one["in"] == "query":
                kind = self._kind(one["schema"], is_sent=True).replace("datetime.date", "date")
                optional = kind if "None" in kind else f"{kind} | None"
                after.append(f"{_safe(one['name'])}: " + (kind if one["required"] else f"{optional} = None"))
        if any(one["in"] == "header" for one in operation["parameters"]):
            after.append("idempotency_key: str | None = None")
        return before, after


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _safe(name: str) -> str:
    return f"{name}_" if name == "from" else name


def _path(path: str) -> str:
    return ('f"' + re.sub(r"\{(\w+)\}", r"{part(\1)}", path) + '"') if "{" in path else f'"{path}"'


def _doc(text: str, indent: int = 4) -> str:
    """Return a docstring: one line if it fits, else the first sentence, a blank line, and the rest."""
    paragraphs = [" ".join(one.split()) for one in re.split(r"\n\s*\n", text)]
    margin = " " * indent
    if len(paragraphs) == 1 and len(paragraphs[0]) + indent + 6 <= 120:
        return f'{margin}"""{paragraphs[0]}"""'
    wrapped = ["\n".join(textwrap.wrap(one, 116 - indent)) for one in paragraphs]
    return textwrap.indent('"""' + "\n\n".join(wrapped) + '\n"""', margin)


def main() -> None:
    """Write the files."""
    from api.openapi import document
    from api.table import ENDPOINTS

    for name, text in files(document(ENDPOINTS, "")).items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
