"""The wire form of the return policy: its version, and all that holds by it."""

from __future__ import annotations

from typing import Literal

from api.schemas.fields import Reply
from engine.orders.facts.returns import RefundShares
from engine.returns.policy import ReturnPolicy, ReturnRule, StoredReturnPolicy, Terms, WithoutReceipt


class ReturnPolicyVersion(Reply, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1."""

    version: int


class ReturnPolicyReply(Reply, frozen=True, kw_only=True):
    """A version of the return policy; of its parts only what is not as usual is told."""

    version: int
    reasons: list[str]
    usual: Terms
    rules: list[ReturnRule]
    days_to_send: int
    approval_from_cents: int | None
    refund_at: Literal["received", "inspected"]
    refund_shares: RefundShares
    exchange_at: Literal["authorised", "received", "inspected"]
    node_ids: list[str] | None
    need_cents_per_unit: int
    without_receipt: WithoutReceipt

    @classmethod
    def of(cls, stored: StoredReturnPolicy) -> ReturnPolicyReply:
        """Return a stored policy as it goes over the wire."""
        policy: ReturnPolicy = stored.policy
        return cls(
            version=stored.version,
            reasons=list(policy.reasons),
            usual=policy.usual,
            rules=list(policy.rules),
            days_to_send=policy.days_to_send,
            approval_from_cents=policy.approval_from_cents,
            refund_at=policy.refund_at,
            refund_shares=policy.refund_shares,
            exchange_at=policy.exchange_at,
            node_ids=None if policy.node_ids is None else list(policy.node_ids),
            need_cents_per_unit=policy.need_cents_per_unit,
            without_receipt=policy.without_receipt,
        )
