"""The one shape of every error: RFC 9457 problem details with our stable `code`."""

from __future__ import annotations

import msgspec

from engine.promising.model import Promise


class ProblemError(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong: where, and what and how to mend it."""

    path: str
    message: str


class ProblemLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is short: what was asked for at a node, and what is available there."""

    sku: str
    node_id: str
    quantity: int
    available: int


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error as application/problem+json; programs go by `code`, people by `detail`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    retryable: bool
    errors: list[ProblemError]
    lines: list[ProblemLine] | msgspec.UnsetType = msgspec.UNSET
    promise: Promise | msgspec.UnsetType = msgspec.UNSET
    """A fresh one, where an option of another could not be reserved."""
