"""What the checks of an order found when it was captured, and who approved what.

Not here: order holds, by which it waits for people (engine/orders/steering.py), and the rules (engine/orders/checking).
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one rule found in an order.

    `score` counts towards fraud, `hold_kind` is the order hold that it asks for, `approvals` how many people have to
    approve it before that is released.
    """

    rule: str
    message: str
    score: int = 0
    hold_kind: str = ""
    approvals: int = 0


class Approval(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who approved, or refused, what an approval rule stopped, when and why."""

    rule: str
    by: str
    at: datetime
    is_approved: bool
    reason: str = ""


class Checks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was checked by which version of the order policy, and found; `fraud_score` is 0 to 100."""

    policy_version: int
    at: datetime
    fraud_score: int = 0
    findings: tuple[Finding, ...] = ()
    approvals: tuple[Approval, ...] = ()
