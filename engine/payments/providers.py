"""Which payment providers there are: the sandbox, invoices and store credit always, Stripe if there is a key for it."""

from __future__ import annotations

from collections.abc import Mapping

from engine.clock import Clock
from engine.errors import Fault, InvalidInput
from engine.orders.paying.tendering import SANDBOX, STORE_CREDIT, TERMS
from engine.payments.provider import PaymentProvider
from engine.payments.sandbox import SandboxProvider
from engine.payments.store_credit import StoreCredit
from engine.payments.stripe import StripeProvider
from engine.payments.terms import InvoiceTerms
from engine.storage.documents import DocumentStore

STRIPE = "stripe"


def payment_providers(
    documents: DocumentStore,
    clock: Clock,
    credit: StoreCredit,
    stripe_key: str | None = None,
    stripe_url: str | None = None,
) -> Mapping[str, PaymentProvider]:
    """Return the payment providers by name; raises InvalidInput if Stripe's SDK is not installed."""
    found: dict[str, PaymentProvider] = {
        SANDBOX: SandboxProvider(documents, clock),
        TERMS: InvoiceTerms(),
        STORE_CREDIT: credit,
    }
    if stripe_key is not None:
        found[STRIPE] = StripeProvider(stripe_key, stripe_url)
    return found


def check_card_provider(name: str, providers: Mapping[str, PaymentProvider]) -> str:
    """Return the provider that cards go to; raises InvalidInput if it is not set up."""
    if name not in providers:
        message = f"{name!r} needs a key; set ALLOT_STRIPE_KEY, or leave cards to 'sandbox'"
        raise InvalidInput(Fault(path="ALLOT_CARD_PROVIDER", message=message))
    return name
