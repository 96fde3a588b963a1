"""One row of the endpoint table, and what its handler gets and returns.

The same rows make what serves requests (served.py), the OpenAPI document (openapi.py) and the page at /docs. A handler
gets a typed `Call` and returns an `Answer` or raises.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
from pydantic import BaseModel

from engine.access.scopes import ALL, bit
from engine.bootstrap import Engine
from engine.errors import AllotError
from engine.inventory.model import Replay

B = TypeVar("B")
Q = TypeVar("Q")


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query of an endpoint that takes no parameters."""


def _no_tenant(_: str) -> Engine | None:
    return None


@dataclass(slots=True, kw_only=True)
class Call(Generic[B, Q]):
    """One request as a handler sees it: typed body and query, decoded path parameters, idempotency key."""

    engine: Engine
    body: B
    query: Q
    path: Mapping[str, str]
    replay: Replay | None
    heads: Mapping[bytes, bytes]
    """The headers, their names in lower case."""
    running: Callable[[str], Engine | None] = _no_tenant
    """The engine of a tenant, if it runs here: for what is open to whoever has a signed link of that tenant."""
    mask: int = ALL
    """The set of scopes that the caller has, for answers that show more to some."""

    def may(self, scope: str) -> bool:
        """Return whether the caller has a scope, beside that of the endpoint."""
        return bool(self.mask & bit(scope))


@dataclass(slots=True, kw_only=True)
class Answer:
    """What a handler returns: a struct, or bytes that are already JSON, or what `Endpoint.answers` says."""

    value: msgspec.Struct | bytes
    status: int = 200
    is_replayed: bool = False
    media_type: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Beside those that every answer has; of an answer with a media type only."""


Handler = Callable[[Call[Any, Any]], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint: what it takes, what it answers, and how it may refuse."""

    method: str
    path: str
    summary: str
    handler: Handler
    reply: type[msgspec.Struct | BaseModel]
    scope: str | None
    """What a caller has to be allowed; None: anybody may."""
    body: type[msgspec.Struct | BaseModel | bytes] | None = None
    query: type[msgspec.Struct] = NoQuery
    status: int = 200
    refusals: Sequence[type[AllotError]] = ()
    is_keyed: bool = False
    may_be_keyed: bool = False
    is_body_optional: bool = False
    max_body_bytes: int = 2**20
    takes: Mapping[str, str] = field(default_factory=dict)
    """Media types of a body that is handed on as its bytes, each with an example; none: JSON."""
    answers: str | None = None
    """The media type of an answer that is not JSON; `reply` then says what a row of it holds."""
    example: object = None
    path_examples: Mapping[str, str] = field(default_factory=dict)

    @property
    def takes_key(self) -> bool:
        """Return whether an idempotency key is honoured, needed or not."""
        return self.is_keyed or self.may_be_keyed

    @property
    def tag(self) -> str:
        """Return the word of the path, which names the files that serve it too."""
        return self.path.split("/")[2]

    @property
    def public_path(self) -> str:
        """Return the path as documented, without Starlette's convertors."""
        return self.path.replace(":path}", "}")
