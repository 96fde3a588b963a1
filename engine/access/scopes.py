"""What a caller may do, one word of the API and one verb each: `inventory:read`, `orders:write`.

A set of scopes is one integer with a bit for each, so that a request is checked by one `&`. `inventory:*`, `*:read`
and `*` stand for several, those of later versions too, and `role:agent` for what a role has (roles.py). Not here:
which endpoint needs which (api/endpoint.py).
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.access.roles import PREFIX, ROLES
from engine.errors import Fault, InvalidInput
from engine.faults import nearest

SCOPES: tuple[str, ...] = (
    "alert-policy:read",
    "alert-policy:write",
    "alerts:read",
    "availability:read",
    "bid-prices:read",
    "bid-prices:write",
    "carrier-events:write",
    "catalog:read",
    "catalog:write",
    "customers:read",
    "customers:write",
    "demand-forecast:read",
    "demand-forecast:write",
    "events:read",
    "get-it-by:read",
    "imports:read",
    "imports:write",
    "inventory-events:read",
    "inventory:read",
    "inventory:write",
    "lead-times:read",
    "lead-times:write",
    "low-stock:read",
    "metrics:read",
    "nearest-stores:read",
    "network:read",
    "network:write",
    "node-closures:read",
    "nodes:write",
    "notice-templates:read",
    "notice-templates:write",
    "order-policy:read",
    "order-policy:write",
    "orders:read",
    "orders:write",
    "payments:read",
    "policies:read",
    "policies:write",
    "promises:read",
    "reservation-batches:write",
    "reservations:read",
    "reservations:write",
    "return-policy:read",
    "return-policy:write",
    "returns:read",
    "returns:write",
    "routing-runs:read",
    "routing-runs:write",
    "shipments:read",
    "shipments:write",
    "simulations:read",
    "simulations:write",
    "slots:read",
    "tax-rates:read",
    "tax-rates:write",
    "waves:read",
    "waves:write",
    "webhooks:read",
    "webhooks:write",
)
"""Every scope there is, in order."""
ALL = -1
"""The set of all scopes, those to come too."""
_BITS = {scope: 1 << place for place, scope in enumerate(SCOPES)}


def bit(scope: str) -> int:
    """Return the set with one scope in it; raises KeyError if there is none of that name."""
    return _BITS[scope]


def name(needed: int) -> str:
    """Return the name of the set with one scope in it."""
    return SCOPES[needed.bit_length() - 1]


def mask(scopes: Iterable[str]) -> int:
    """Return the set of all that `scopes` stand for; those of another version that are not known here count nothing."""
    found = 0
    for scope in scopes:
        if scope == "*":
            return ALL
        if scope.startswith(PREFIX):
            role = ROLES.get(scope.removeprefix(PREFIX))
            found |= 0 if role is None else mask(role.scopes) & ~mask(role.without)
            continue
        word, _, verb = scope.partition(":")
        for known, place in _BITS.items():
            its_word, _, its_verb = known.partition(":")
            if word in ("*", its_word) and verb in ("*", its_verb):
                found |= place
    return found


def checked(scopes: Iterable[str], path: str) -> tuple[str, ...]:
    """Return the scopes sorted, each once; raises InvalidInput at `path` for one that stands for nothing."""
    chosen = sorted(set(scopes))
    unknown = [scope for scope in chosen if mask([scope]) == 0]
    if unknown:
        known = (*SCOPES, "*", "*:read", "*:write", *(PREFIX + role for role in ROLES))
        raise InvalidInput(
            [Fault(path=path, message=f"{scope!r} is not known; {nearest(scope, known)}") for scope in unknown]
        )
    if not chosen:
        raise InvalidInput(Fault(path=path, message="is missing; a key without scopes may do nothing. Name one"))
    return tuple(chosen)
