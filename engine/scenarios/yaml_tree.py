"""YAML 1.2 as a tree in which every key and value knows its file, line and column.

Here: reading text, faults of the YAML itself, places, plain values. Not here: what the keys mean (document.py), files
that extend others (extending.py). Dates and times stay texts, and so do `yes`, `no`, `on` and `off`: YAML 1.2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from engine.errors import Fault, InvalidInput

Location = tuple[str | int, ...]
Scalar = str | int | float | bool | None

MOST_VALUES = 100_000
DEEPEST = 40
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Mark:
    """Where something stands; lines and columns count from 1."""

    source: str
    line: int
    column: int

    def __str__(self) -> str:
        """Return `file:line:column`."""
        return f"{self.source}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One value."""

    value: Scalar
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list."""

    entries: tuple[Tree, ...]
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """An object; each key with its own place."""

    entries: Mapping[str, tuple[Mark, Tree]]
    mark: Mark

    def get(self, key: str) -> Tree | None:
        """Return the value of a key, or None."""
        found = self.entries.get(key)
        return None if found is None else found[1]

    def put(self, key: str, value: Tree | None, mark: Mark | None = None) -> Mapped:
        """Return it with another value for a key, in its place; None takes the key away."""
        entries = dict(self.entries)
        if value is None:
            entries.pop(key, None)
        else:
            entries[key] = (mark or (entries[key][0] if key in entries else value.mark), value)
        return Mapped(entries=entries, mark=self.mark)


Tree = Leaf | Listed | Mapped


Noted = list[tuple[Mark, str]]
"""Faults that leave the rest readable: where, and what with its remedy."""


def read_tree(text: str, source: str, noted: Noted) -> Mapped:
    """Read one YAML document whose root is an object; raise InvalidInput with a place where it is not.

    Values and keys that cannot be are noted, and left out.
    """
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        mark = Mark(source=source, line=at.line + 1 if at else 1, column=at.column + 1 if at else 1)
        problem = " ".join(str(part) for part in (error.context, error.problem) if part)
        raise InvalidInput(Fault(path=str(mark), message=f"is no YAML: {problem}; mend it here")) from None
    except (YAMLError, ValueError) as error:
        place = str(Mark(source=source, line=1, column=1))
        raise InvalidInput(Fault(path=place, message=f"is no YAML: {_first_line(error)}; give plain text")) from None
    if not isinstance(root, MappingNode):
        place = str(Mark(source=source, line=1, column=1))
        raise InvalidInput(Fault(path=place, message="holds no scenario; begin with `version: 1` and `name: …`"))
    tree = _Growing(source=source, noted=noted).tree(root, 0)
    assert isinstance(tree, Mapped)
    return tree


class _Growing:
    """Makes a tree of the parser's nodes, and notes what is wrong on the way."""

    def __init__(self, source: str, noted: Noted) -> None:
        self._source, self._noted = source, noted
        self._left = MOST_VALUES

    def tree(self, node: Node, depth: int) -> Tree:
        mark = self._mark(node)
        self._left -= 1
        if depth > DEEPEST or self._left < 0:
            limit = f"{DEEPEST} levels deep" if depth > DEEPEST else f"over {MOST_VALUES:,} values"
            message = f"is {limit}, aliases included; make it flatter, or put its data into files of their own"
            raise InvalidInput(Fault(path=str(mark), message=message))
        if isinstance(node, MappingNode):
            return self._mapped(node, mark, depth)
        if isinstance(node, SequenceNode):
            return Listed(entries=tuple(self.tree(entry, depth + 1) for entry in node.value), mark=mark)
        return Leaf(value=self._scalar(node, mark), mark=mark)

    def _mapped(self, node: MappingNode, mark: Mark, depth: int) -> Mapped:
        entries: dict[str, tuple[Mark, Tree]] = {}
        for key_node, value_node in node.value:
            at = self._mark(key_node)
            if not isinstance(key_node, ScalarNode):
                self._fault(at, "is no key; a key is a word")
                continue
            key, value = str(key_node.value), self.tree(value_node, depth + 1)
            if key in entries:
                self._fault(at, f"key {key!r} stands here and in line {entries[key][0].line}; keep one")
            entries.setdefault(key, (at, value))
        return Mapped(entries=entries, mark=mark)

    def _scalar(self, node: Node, mark: Mark) -> Scalar:
        text, tag = str(node.value), str(node.tag).removeprefix(_TAG)
        if tag in {"str", "timestamp"}:
            return text
        try:
            if tag == "null":
                return None
            if tag == "bool":
                return text.lower() == "true"
            if tag == "int":
                return int(text.replace("_", ""), 0 if text.lstrip("+-").startswith(("0o", "0x")) else 10)
            if tag == "float":
                return self._finite(float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan")), mark)
        except ValueError:
            self._fault(mark, f"{text!r} is no {tag}; put it in quotes if it is a text")
            return None
        self._fault(mark, f"has the tag {tag!r}; plain values only, leave it out")
        return None

    def _finite(self, value: float, mark: Mark) -> float | None:
        if math.isfinite(value):
            return value
        self._fault(mark, f"{value} is no number here; give a finite one")
        return None

    def _mark(self, node: Node) -> Mark:
        return Mark(source=self._source, line=node.start_mark.line + 1, column=node.start_mark.column + 1)

    def _fault(self, mark: Mark, message: str) -> None:
        self._noted.append((mark, message))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def plain(tree: Tree) -> Any:
    """Return the tree as dictionaries, lists and values."""
    if isinstance(tree, Mapped):
        return {key: plain(value) for key, (_, value) in tree.entries.items()}
    if isinstance(tree, Listed):
        return [plain(entry) for entry in tree.entries]
    return tree.value


def mark_at(tree: Tree, location: Sequence[str | int], *, key: bool = False) -> Mark:
    """Return where a location stands, or the nearest that encloses it; with `key` where its key does.

    Parts that are in no tree, such as the member of a union, are passed over.
    """
    mark, here = tree.mark, tree
    for part in location:
        step = _step(here, part)
        if step is None:
            if isinstance(part, str) and part.startswith("<"):
                continue
            return mark
        key_mark, here = step
        mark = key_mark if key else here.mark
    return mark


def without(tree: Tree, location: Sequence[str | int]) -> Tree:
    """Return the tree without what stands at a location; the tree itself if nothing does."""
    parts = [part for part in location if not (isinstance(part, str) and part.startswith("<"))]
    return _without(tree, parts)


def _without(tree: Tree, parts: Sequence[str | int]) -> Tree:
    step = _step(tree, parts[0]) if parts else None
    if step is None:
        return tree
    rest = None if len(parts) == 1 else _without(step[1], parts[1:])
    if isinstance(tree, Mapped):
        return tree.put(str(parts[0]), rest)
    assert isinstance(tree, Listed)
    assert isinstance(parts[0], int)
    before, after = tree.entries[: parts[0]], tree.entries[parts[0] + 1 :]
    return Listed(entries=(*before, *(() if rest is None else (rest,)), *after), mark=tree.mark)


def _step(tree: Tree, part: str | int) -> tuple[Mark, Tree] | None:
    if isinstance(tree, Mapped):
        return tree.entries.get(str(part))
    if isinstance(tree, Listed) and isinstance(part, int) and part < len(tree.entries):
        return tree.entries[part].mark, tree.entries[part]
    return None


def texts(tree: Tree) -> Iterator[str]:
    """Yield every text in a tree."""
    if isinstance(tree, Mapped):
        for _, value in tree.entries.values():
            yield from texts(value)
    elif isinstance(tree, Listed):
        for entry in tree.entries:
            yield from texts(entry)
    elif isinstance(tree.value, str):
        yield tree.value
