"""What a Ray worker does: keep what it was sent once, and do one part of the work after another.

It holds nothing that cannot be sent again, so another may take its place at any time. Not here: Ray itself (`ray.py`).
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import solvers
from engine.dispatch.packing import Packed, pack, unpack, unpack_in_place

MOST_KEPT = 8
"""Values a worker keeps; the oldest goes first."""

Fetch = Callable[[Any], Any]
"""Gets what a reference stands for."""


@cache
def fingerprint() -> str:
    """Return what must be equal for two processes to come to the same plans: processor, Python and solvers."""
    digest = hashlib.sha256()
    for file in sorted(Path(solvers.__file__).parent.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    python = ".".join(map(str, sys.version_info[:2]))
    return f"{platform.machine()} python{python} solvers-{digest.hexdigest()[:12]}"


class Worker:
    """Does parts of the work of one process that sends it; a Ray actor is made of it."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch, self._kept = fetch, dict[str, tuple[Any, Any]]()

    def greet(self) -> str:
        """Return the fingerprint of this process; the first call, and so the sign that it is there."""
        return fingerprint()

    def run(self, kept: list[tuple[str, str, Any]], common: list[Any], part: Packed) -> Packed:
        """Do one part, and return its result.

        `kept` are name, key and reference of what stays, `common` a reference to what all parts share: a function and
        its first arguments. References lie in lists, since Ray would fetch bare ones each time.
        """
        function, arguments = unpack(self._fetch(common[0]))
        named = {name: self._keep(key, reference) for name, key, reference in kept}
        return pack(function(*arguments, *unpack(part), **named))

    def forget(self, keys: list[str]) -> None:
        """Let go of what was kept under these keys."""
        for key in keys:
            self._kept.pop(key, None)

    def _keep(self, key: str, reference: Any) -> Any:
        if key not in self._kept:
            head, buffers = self._fetch(reference)
            self._kept[key] = (buffers, unpack_in_place(head, buffers))
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return self._kept[key][1]


def work_of(function: Callable[..., Any]) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """Return function, first arguments and what is kept of a partial, or of a plain function."""
    if isinstance(function, partial):
        return function.func, function.args, function.keywords
    return function, (), {}
