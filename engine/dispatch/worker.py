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

import engine
import solvers
from engine.dispatch.packing import Packed, pack, unpack, unpack_in_place

MOST_KEPT = 8
"""Values a worker keeps; the oldest goes first."""

Fetch = Callable[[Any], Any]
"""Gets what a reference stands for."""


@cache
def fingerprint() -> str:
    """Return what must be equal for two processes to come to the same results: processor, Python, solvers, engine."""
    digest = hashlib.sha256()
    for package in (solvers, engine):
        folder = Path(package.__file__ or "").parent
        for file in sorted(folder.rglob("*.py")):
            digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    python = ".".join(map(str, sys.version_info[:2]))
    return f"{platform.machine()} python{python} code-{digest.hexdigest()[:12]}"


class Worker:
    """Does parts of the work of one process that sends it; a Ray actor is made of it."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch, self._kept = fetch, dict[str, tuple[Any, Any]]()
        self._said: tuple[int, Any] | None = None

    def greet(self) -> str:
        """Return the fingerprint of this process; the first call, and so the sign that it is there."""
        return fingerprint()

    def run(
        self, kept: list[tuple[str, str, Any]], common: list[Any], part: Packed, place: int | None = None
    ) -> Packed:
        """Do one part, and return its result; with a `place`, its function tells how far it is (`told`).

        `kept` are name, key and reference of what stays, `common` a reference to what all parts share: a function and
        its first arguments. References lie in lists, since Ray would fetch bare ones each time.
        """
        function, arguments = unpack(self._fetch(common[0]))
        named = {name: self._keep(key, reference) for name, key, reference in kept}
        if place is not None:
            named["told"] = lambda said: self._tell(place, said)
        return pack(function(*arguments, *unpack(part), **named))

    def said(self) -> tuple[int, Any] | None:
        """Return the place of the last part that told something, and what that was; called while another call runs."""
        return self._said

    def _tell(self, place: int, said: Any) -> None:
        self._said = place, said

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
