"""The wire form of policies: a document with its version, and a page of what there is."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from api.schemas.fields import Identifier, Limit, Reply
from engine.policies.document import RunPolicyDocument


class PolicyReply(RunPolicyDocument):
    """A version of a policy: what it states, and nothing that it leaves out."""

    version: int


class PolicyVersion(Reply, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1, and what names it: `peak@2`."""

    policy_id: str
    version: int
    policy: str


class PolicyQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which version; the latest without one."""

    version: Annotated[int, Meta(ge=1, le=2**53 - 1)] | None = None


class PoliciesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which page of the policies."""

    limit: Limit = 100
    starting_after: Identifier | None = None


class PolicyEntry(Reply, frozen=True, kw_only=True):
    """A policy and its latest version."""

    policy_id: str
    version: int
    about: str


class PoliciesPage(Reply, frozen=True, kw_only=True):
    """Policies by id."""

    data: list[PolicyEntry]
    has_more: bool
