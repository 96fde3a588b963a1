"""What people do in an organisation, as named bundles of scopes: `role:agent` in the place of a list.

A role is kept by its name, so that what it allows is what this version of allot says of it. Not here: scopes themselves
(scopes.py), and how somebody comes to have a role (a key, or a claim of a token).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PREFIX = "role:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a role is for, the scopes that it has, and those of them that it has not."""

    about: str
    scopes: tuple[str, ...]
    without: tuple[str, ...] = ()


ROLES: Mapping[str, Role] = MappingProxyType(
    {
        "agent": Role(
            about="serves customers: their orders, payments, returns and data",
            scopes=(
                *("*:read", "orders:write", "customers:write", "payments:write", "returns:write", "alerts:write"),
                *("reservations:write"),
            ),
            without=("metrics:read", "webhooks:read", "simulations:read"),
        ),
        "warehouse": Role(
            about="ships and takes back: stock, shipments, waves, returns; no customers",
            scopes=(
                *("shipments:*", "waves:*", "documents:*", "returns:*", "inventory:*", "imports:*", "orders:read"),
                *("inventory-events:read", "low-stock:read", "availability:read", "catalog:read", "network:read"),
                *("nodes:write", "node-closures:read"),
            ),
        ),
        "planner": Role(
            about="decides how orders are routed: network, policies, forecasts, runs, simulations; no customers",
            scopes=(
                *("*:read", "network:write", "catalog:write", "policies:write", "order-policy:write"),
                *("routing-runs:write", "simulations:write", "demand-forecast:write", "bid-prices:write"),
                "return-policy:write",
                "notice-templates:write",
                *("lead-times:write", "inventory:write", "nodes:write", "alerts:write", "alert-policy:write"),
            ),
            without=("customers:read", "payments:read", "metrics:read", "webhooks:read"),
        ),
        "admin": Role(about="everything, what is to come too", scopes=("*",)),
    }
)
"""Every role there is; scopes of words that this version does not have yet count nothing."""
