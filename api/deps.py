"""What a request can reach: what lets it in, and its own request id."""

from __future__ import annotations

from secrets import token_hex

from starlette.requests import Request
from starlette.types import Scope

from api.door import Door

_ID = "allot.request_id"


def door_of(request: Request) -> Door:
    """Return what lets requests in."""
    door: Door = request.app.state.door
    return door


def request_id_of(scope: Scope) -> str:
    """Return the id of the request, giving it one if it has none."""
    if _ID not in scope:
        scope[_ID] = f"req_{token_hex(12)}"
    found: str = scope[_ID]
    return found


def name_request(scope: Scope, request_id: str) -> None:
    """Give the request the id that its idempotency key stands for, so that a replay is equal to the byte."""
    scope[_ID] = request_id
