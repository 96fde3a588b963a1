"""The return policy: what may come back, until when, what it costs the customer, and what needs approval.

A document of the store (`PUT /v1/return-policy`), of which every version is kept. Of its rules the first that fits a
line counts; what none fits comes back by the usual terms. Not here: looking a line up in it (terms.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.orders.facts.returns import LabelPaidBy, RefundShares
from engine.storage.documents import DocumentStore

COLLECTION, NAME = "return-policy", "return-policy"
REASONS = ("unwanted", "wrong_size", "damaged", "defective", "wrong_item", "late", "other")
MOST_DAYS = 3650
_Word = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+(?![\s\S])")]
_Name = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+(?![\s\S])")]
_Cents = Annotated[int, Meta(ge=0, le=10**12)]
_Percent = Annotated[int, Meta(ge=0, le=100)]
_Names = Annotated[tuple[_Name, ...], Meta(min_length=1, max_length=10_000)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A part of the policy; a key that is not known is an error."""


class Terms(_Part, frozen=True, kw_only=True):
    """By which terms units come back.

    `window_days` from delivery on they may be announced, and as many days later they have to be there as
    `days_to_send` says. Of what they are worth `restocking_percent` is kept, and `fee_cents` once for the return.
    """

    is_returnable: bool = True
    window_days: Annotated[int, Meta(ge=0, le=MOST_DAYS)] = 30
    needs_approval: bool = False
    fee_cents: _Cents = 0
    restocking_percent: _Percent = 0
    label_paid_by: LabelPaidBy = LabelPaidBy.SELLER
    refunds_shipping: bool = False


class ReturnRule(Terms, frozen=True, kw_only=True):
    """Terms of their own for lines for which all that is stated here is so; what is left out fits any."""

    rule: _Word
    reasons: Annotated[tuple[_Word, ...], Meta(min_length=1, max_length=100)] | None = None
    skus: _Names | None = None
    sku_classes: _Names | None = None
    channels: _Names | None = None
    customer_classes: _Names | None = None


class WithoutReceipt(_Part, frozen=True, kw_only=True):
    """What holds for units of which no order is known.

    With `pays_credit` they are paid back as store credit, at `refund_percent` of the catalog's price and at most
    `most_cents` for a return.
    """

    is_allowed: bool = True
    needs_approval: bool = False
    pays_credit: bool = False
    refund_percent: _Percent = 100
    most_cents: _Cents | None = None


class ReturnPolicy(_Part, frozen=True, kw_only=True):
    """All of it; without a policy in the store this one holds as it is here.

    Returns worth `approval_from_cents` or more need approval whatever else holds. They go to one of `node_ids`, to any
    node but vendors' without; each unit that a node lacks to be above its low-stock threshold counts for
    `need_cents_per_unit` against what the way there costs. Money goes back once units are `received` or `inspected`.
    """

    reasons: Annotated[tuple[_Word, ...], Meta(min_length=1, max_length=100)] = REASONS
    usual: Terms = msgspec.field(default_factory=Terms)
    rules: Annotated[tuple[ReturnRule, ...], Meta(max_length=1000)] = ()
    days_to_send: Annotated[int, Meta(ge=1, le=MOST_DAYS)] = 14
    approval_from_cents: _Cents | None = None
    refund_at: Literal["received", "inspected"] = "inspected"
    refund_shares: RefundShares = msgspec.field(default_factory=RefundShares)
    exchange_at: Literal["authorised", "received", "inspected"] = "authorised"
    node_ids: _Names | None = None
    need_cents_per_unit: _Cents = 0
    without_receipt: WithoutReceipt = msgspec.field(default_factory=WithoutReceipt)


class StoredReturnPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy and its version, 0 if none was put."""

    version: int
    policy: ReturnPolicy


USUAL = StoredReturnPolicy(version=0, policy=ReturnPolicy())
_decode = msgspec.json.Decoder(ReturnPolicy).decode


class ReturnPolicies:
    """Keeps every version of the return policy."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents

    async def put(self, policy: ReturnPolicy, node_ids: Collection[str]) -> StoredReturnPolicy:
        """Check and keep a policy as the next version; `InvalidInput` with every fault, nothing kept."""
        faults = list(policy_faults(policy, node_ids))
        if faults:
            raise InvalidInput(faults)
        version = await self._documents.add(COLLECTION, NAME, msgspec.json.encode(policy))
        return StoredReturnPolicy(version=version, policy=policy)

    async def current(self) -> StoredReturnPolicy:
        """Return the latest version, the usual policy if none was put."""
        found = await self._documents.find(COLLECTION, NAME)
        return USUAL if found is None else StoredReturnPolicy(version=found.version, policy=_decode(found.body))


def policy_faults(policy: ReturnPolicy, node_ids: Collection[str]) -> Iterator[Fault]:
    """Yield all that contradicts itself, or names a node that is not in the network."""
    for index, reason in enumerate(policy.reasons):
        if policy.reasons.index(reason) != index:
            yield Fault(path=f"$.reasons[{index}]", message=f"{reason!r} stands twice; leave one out")
    names: dict[str, int] = {}
    for index, rule in enumerate(policy.rules):
        first = names.setdefault(rule.rule, index)
        if first != index:
            message = f"{rule.rule!r} repeats $.rules[{first}].rule; give each rule a name of its own"
            yield Fault(path=f"$.rules[{index}].rule", message=message)
        for number, reason in enumerate(rule.reasons or ()):
            if reason not in policy.reasons:
                message = f"{reason!r} is no reason of the policy; {nearest(reason, policy.reasons)}"
                yield Fault(path=f"$.rules[{index}].reasons[{number}]", message=message)
    for number, node_id in enumerate(policy.node_ids or ()):
        if node_id not in node_ids:
            message = f"there is no node {node_id!r}; {nearest(node_id, node_ids)}"
            yield Fault(path=f"$.node_ids[{number}]", message=message)
