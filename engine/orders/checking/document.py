"""The order policy document: what new orders are checked for, and how far orders may still be changed.

Here: the shape, units and ranges of every field, in frozen pydantic models. Not here: what a rule finds (address.py,
money.py, fraud.py, …), versions (service.py). Money is whole cents.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_RULES = 200
HOLD_KIND = r"^[a-z][a-z0-9_]{0,39}$"
Word = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
HoldKind = Annotated[str, Field(pattern=HOLD_KIND)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Cents = Annotated[int, Field(strict=True, ge=0, le=10**12)]
Units = Annotated[int, Field(strict=True, ge=1, le=10**9)]
Percent = Annotated[float, Field(ge=0, le=100)]
Minutes = Annotated[int, Field(strict=True, ge=1, le=60 * 24 * 60)]
Score = Annotated[int, Field(strict=True, ge=1, le=100)]
Names = Annotated[tuple[Word, ...], Field(min_length=1, max_length=1000)]
Countries = Annotated[tuple[Country, ...], Field(min_length=1, max_length=300)]
Outcome = Literal["hold", "refuse"]
Buyer = Literal["customer", "contact", "address"]
ContactField = Literal["name", "email", "phone", "street", "city", "region", "postal_code", "country"]
ChangeableUntil = Literal["sourced", "released", "picking", "packed"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RecentDocument(_Part):
    """How many orders of the same buyer there were lately, this one counted."""

    by: Buyer = Field(description="The same customer_id; the same e-mail or telephone; or the same address.")
    orders_from: Annotated[int, Field(strict=True, ge=2, le=100)]
    within_minutes: Minutes


class WhenDocument(_Part):
    """Which orders a rule is for: those of which every condition that is stated holds; without one, all orders."""

    channels: Names | None = None
    customer_ids: Names | None = None
    customer_classes: Names | None = None
    is_guest: bool | None = Field(default=None, description="Whether the order comes without a customer_id.")
    countries: Countries | None = None
    not_countries: Countries | None = None
    service_levels: Names | None = None
    skus: Names | None = Field(default=None, description="Orders with a line of any of these.")
    sku_classes: Names | None = Field(default=None, description="Orders with a line of such a `class` of the catalog.")
    is_po_box: bool | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = Field(
        default=None, description="Of the amounts below; null: of whichever currency."
    )
    total_cents_from: Cents | None = Field(
        default=None, description="What the customer pays; an order without prices passes by."
    )
    units_from: Units | None = None
    line_units_from: Units | None = Field(default=None, description="Units of any one line.")
    discount_percent_from: Percent | None = Field(
        default=None, description="Discounts of the lines, of their prices before."
    )
    margin_percent_below: Annotated[float, Field(ge=-1000, le=100)] | None = Field(
        default=None, description="What is left of the lines without tax after their costs; unknown costs pass by."
    )
    recent: RecentDocument | None = None

    @cached_property
    def stated(self) -> tuple[str, ...]:
        """The conditions that are stated, but for `recent`."""
        return tuple(
            name
            for name in type(self).model_fields
            if name in self.model_fields_set and name != "recent" and getattr(self, name) is not None
        )


class AddressChecksDocument(_Part):
    """What an address has to have; an order that is picked up is not looked at."""

    outcome: Outcome = "hold"
    required: Annotated[tuple[ContactField, ...], Field(max_length=8)] = ()
    countries: Countries | None = Field(default=None, description="Where orders may go; null: everywhere.")
    po_boxes: bool = Field(default=True, description="Whether they may go to post office boxes.")
    postal_code_formats: bool = Field(
        default=False, description="Whether postal codes have to look as those of their country do."
    )
    max_km_from_postal_code: Annotated[float, Field(gt=0, le=20_000)] | None = Field(
        default=None, description="How far coordinates may be from where the network has the postal code."
    )


class PriceChecksDocument(_Part):
    """What is checked of prices and totals."""

    outcome: Outcome = "hold"
    required: bool = Field(default=False, description="Whether every order has to have prices.")
    total_tolerance_cents: Cents = Field(
        default=0,
        description="By how much the channel's own total may differ from what lines, tax and shipping come to.",
    )
    max_percent_below_catalog: Percent | None = Field(
        default=None, description="By how much a unit price may be below that of the catalog; null: by anything."
    )
    max_discount_percent: Percent | None = None


class DuplicateChecksDocument(_Part):
    """Orders of the same buyer for the same units within some time are taken for one that was sent twice."""

    outcome: Outcome = "hold"
    within_minutes: Minutes = 60


class FraudRuleDocument(_Part):
    """What makes an order look like fraud, and how much."""

    rule: Word
    score: Score
    when: WhenDocument


class FraudChecksDocument(_Part):
    """Rules whose scores add up, to 100 at most."""

    hold_from: Score = Field(default=50, description="From this score on an order waits for people.")
    refuse_from: Score | None = Field(default=None, description="From this score on it is refused.")
    rules: Annotated[tuple[FraudRuleDocument, ...], Field(min_length=1, max_length=MOST_RULES)]


class HoldRuleDocument(_Part):
    """Orders that wait, for people, for some time, or for an event of their history."""

    rule: Word
    kind: HoldKind
    when: WhenDocument = WhenDocument()
    reason: Annotated[str, Field(max_length=200)] = ""
    release_after_minutes: Minutes | None = None
    release_on: Word | None = Field(
        default=None, description="An event of an order's history that releases it, such as payment_authorised."
    )


class ApprovalRuleDocument(_Part):
    """Orders that wait until they are approved, by so many people."""

    rule: Word
    when: WhenDocument = WhenDocument()
    approvals: Annotated[int, Field(strict=True, ge=1, le=5)] = 1


class ChangesDocument(_Part):
    """How far a unit may have come at its node for its order still to be changed; what has left never is."""

    cancel_until: ChangeableUntil = "packed"
    modify_until: ChangeableUntil = "released"


class OrderPolicyDocument(_Part):
    """What new orders are checked for; a part that is left out is not checked."""

    about: Annotated[str, Field(max_length=500)] = ""
    address: AddressChecksDocument | None = None
    prices: PriceChecksDocument | None = None
    duplicates: DuplicateChecksDocument | None = None
    fraud: FraudChecksDocument | None = None
    holds: Annotated[tuple[HoldRuleDocument, ...], Field(max_length=MOST_RULES)] = ()
    approvals: Annotated[tuple[ApprovalRuleDocument, ...], Field(max_length=MOST_RULES)] = ()
    changes: ChangesDocument = ChangesDocument()

    @model_validator(mode="after")
    def _names_stand_once(self) -> OrderPolicyDocument:
        seen: set[str] = set()
        for name in self.rule_names:
            if name in seen:
                raise ValueError(f"the rule {name!r} is there twice; give each a name of its own")
            seen.add(name)
        return self

    @property
    def rule_names(self) -> Iterator[str]:
        """The names of its rules, in the order of the document."""
        yield from (rule.rule for rule in self.fraud.rules) if self.fraud else ()
        yield from (rule.rule for rule in self.holds)
        yield from (rule.rule for rule in self.approvals)

    @property
    def conditions(self) -> Iterator[WhenDocument]:
        """The conditions of all its rules."""
        yield from (rule.when for rule in self.fraud.rules) if self.fraud else ()
        yield from (rule.when for rule in self.holds)
        yield from (rule.when for rule in self.approvals)


NO_POLICY = OrderPolicyDocument()
