"""The port behind which money is moved: what every payment provider does, and how it answers.

Each call has a key: the same key again is answered as it was the first time, and done once. A call that raises
Unavailable may or may not have been done; whoever made it sends it again under its key. Not here: when to call
(engine/orders/paying).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.orders.facts.money import TenderKind


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAuthorisation:
    """Money to be set aside: how much, for which order, and on which tender; `token` is the provider's name for it."""

    key: str
    order_id: str
    tender_id: str
    kind: TenderKind
    token: str
    amount_cents: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a provider says: it did so much of it, 0 if it declined, and why it did not do the rest.

    `is_open` says that more of the authorisation can be captured; `is_gone` that nothing of it can any more. It holds
    until `expires_at`, None for ever.
    """

    provider_id: str = ""
    amount_cents: int = 0
    reason: str = ""
    is_open: bool = True
    is_gone: bool = False
    expires_at: datetime | None = None

    @property
    def is_done(self) -> bool:
        """Return whether anything of it was done."""
        return not self.reason or self.amount_cents > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderBalance:
    """What a provider has on its books for one authorisation; `key` is that under which it was asked for."""

    key: str
    order_id: str
    provider_id: str
    currency: str
    at: datetime
    authorised_cents: int
    captured_cents: int
    refunded_cents: int


class PaymentProvider(Protocol):
    """Moves money; every method may raise Unavailable."""

    async def authorise(self, new: NewAuthorisation, /) -> Answer:
        """Set money aside, perhaps less than asked for."""
        ...

    async def capture(self, key: str, authorisation_id: str, amount_cents: int, /) -> Answer:
        """Take money that was set aside."""
        ...

    async def void(self, key: str, authorisation_id: str, /) -> Answer:
        """Let go of what is left of an authorisation."""
        ...

    async def refund(self, key: str, capture_id: str, amount_cents: int, /) -> Answer:
        """Give back money that was captured."""
        ...

    async def balances(self, since: datetime, until: datetime, /) -> list[ProviderBalance] | None:
        """Return its books for authorisations of a period; None if it keeps none."""
        ...
