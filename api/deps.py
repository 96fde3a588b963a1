"""What is known of a request beside what was sent: its id, and what its caller may still send."""

from __future__ import annotations

import os
from itertools import count
from secrets import token_hex

from starlette.types import Scope

_ID = "allot.request_id"
LIMITS = "allot.limits"
"""Where in the scope of a request the allowance of its caller is left, for the headers of the answer."""


def request_id_of(scope: Scope) -> str:
    """Return the id of the request, giving it one if it has none."""
    found: str | None = scope.get(_ID)
    if found is None:
        found = scope[_ID] = f"req_{_process}{next(_numbers):012x}"
    return found


def _begin() -> None:
    """Give this process a name of its own, for random numbers take longer than all else of a request id."""
    global _process, _numbers
    _process, _numbers = token_hex(6), count(1)


_process, _numbers = "", count(1)
_begin()
os.register_at_fork(after_in_child=_begin)


def name_request(scope: Scope, request_id: str) -> None:
    """Give the request the id that its idempotency key stands for, so that a replay is equal to the byte."""
    scope[_ID] = request_id
