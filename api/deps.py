"""What is known of a request beside what was sent: its id, and what its caller may still send."""

from __future__ import annotations

from secrets import token_hex

from starlette.types import Scope

_ID = "allot.request_id"
LIMITS = "allot.limits"
"""Where in the scope of a request the allowance of its caller is left, for the headers of the answer."""


def request_id_of(scope: Scope) -> str:
    """Return the id of the request, giving it one if it has none."""
    if _ID not in scope:
        scope[_ID] = f"req_{token_hex(12)}"
    found: str = scope[_ID]
    return found


def name_request(scope: Scope, request_id: str) -> None:
    """Give the request the id that its idempotency key stands for, so that a replay is equal to the byte."""
    scope[_ID] = request_id
