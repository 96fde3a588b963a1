"""The wire form of the order policy: the document with its version."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from api.schemas.fields import Reply
from engine.orders.checking.document import OrderPolicyDocument


class OrderPolicyReply(OrderPolicyDocument):
    """A version of the order policy: what it states, and nothing that it leaves out."""

    version: int


class OrderPolicyVersion(Reply, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1."""

    version: int


class OrderPolicyQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which version; the latest without one."""

    version: Annotated[int, Meta(ge=1, le=2**53 - 1)] | None = None
