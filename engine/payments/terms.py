"""Payment by invoice: nobody is asked, the customer pays later by the terms; what is captured is invoiced."""

from __future__ import annotations

from datetime import datetime

from engine.payments.provider import Answer, NewAuthorisation, ProviderBalance


class InvoiceTerms:
    """Says yes to everything; the order's own ledger is the book."""

    async def authorise(self, new: NewAuthorisation) -> Answer:
        """Set aside what is asked for, for ever."""
        return Answer(provider_id=f"terms_{new.key}", amount_cents=new.amount_cents)

    async def capture(self, key: str, _authorisation_id: str, amount_cents: int) -> Answer:
        """Invoice an amount."""
        return Answer(provider_id=f"invoice_{key}", amount_cents=amount_cents)

    async def void(self, _key: str, authorisation_id: str) -> Answer:
        """Let go of it."""
        return Answer(provider_id=authorisation_id)

    async def refund(self, key: str, _capture_id: str, amount_cents: int) -> Answer:
        """Credit an amount."""
        return Answer(provider_id=f"credit_{key}", amount_cents=amount_cents)

    async def balances(self, _since: datetime, _until: datetime) -> list[ProviderBalance] | None:
        """Return None: there are no other books."""
        return None
