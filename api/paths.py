"""From method and path to what serves them: a lookup in a dict, and patterns only where a path has parameters.

Starlette asks one route after another, which takes longer than reading a body. Not here: what has no endpoint, or not
by this method; that stays with Starlette, which knows what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from starlette.convertors import Convertor
from starlette.routing import compile_path

Served = TypeVar("Served")
_Pattern = tuple[re.Pattern[str], Mapping[str, Convertor[str]], str, Served]
_NONE: Mapping[str, str] = {}


class Paths(Generic[Served]):
    """What serves each (method, path); patterns are asked in the order in which they come."""

    def __init__(self, rows: Sequence[tuple[str, str, Served]]) -> None:
        """Take rows of method, path (with Starlette's `{name}` and `{name:path}`) and what serves them."""
        self._plain: dict[tuple[str, str], Served] = {}
        self._patterns: dict[str, list[_Pattern[Served]]] = {}
        for method, path, served in rows:
            if "{" not in path:
                self._plain[method, path] = served
                continue
            pattern, _, convertors = compile_path(path)
            self._patterns.setdefault(_word(path), []).append((pattern, convertors, method, served))

    def find(self, method: str, path: str) -> tuple[Served, Mapping[str, str]] | None:
        """Return what serves a request, and the parameters in its path; None if nothing does."""
        plain = self._plain.get((method, path))
        if plain is not None:
            return plain, _NONE
        for pattern, convertors, served_method, served in self._patterns.get(_word(path), ()):
            if served_method == method and (match := pattern.match(path)):
                return served, {name: convertors[name].convert(value) for name, value in match.groupdict().items()}
        return None


def _word(path: str) -> str:
    """Return the word behind the version, by which patterns are kept."""
    parts = path.split("/", 3)
    return parts[2] if len(parts) > 2 else ""
