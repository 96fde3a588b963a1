"""The wire form of tenders: by what an order is to be paid."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from api.schemas.fields import Body, Cents, Identifier

TenderKind = Literal["card", "gift_card", "invoice", "store_credit"]
Token = Annotated[
    str, Meta(max_length=255, description="what the payment provider calls the card or gift card; never its number")
]


class TenderBody(Body, frozen=True, kw_only=True):
    """One way by which an order is paid, up to an amount; without one it takes what the others leave."""

    kind: TenderKind
    token: Token = ""
    provider: Annotated[Identifier, Meta(description="null: the usual one for its kind")] | None = None
    amount_cents: Cents | None = None
