"""Cards through Stripe, by its own SDK (extra `stripe`): payment intents that are captured by hand.

A tender's token is a payment method, `pm_…`, or one of a customer, `cus_…/pm_…`: only that one can be charged again
without the customer, which renewing an authorisation needs. Where Stripe grants several captures of one authorisation
they are used; else each capture lets the rest go. Not here: when to call (engine/orders/paying).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import Fault, InvalidInput, Unavailable
from engine.payments.provider import Answer, NewAuthorisation, ProviderBalance

if TYPE_CHECKING:
    import stripe

T = TypeVar("T")
_MANY = "+"
"""Behind the id of a payment intent that can be captured several times."""
_LASTS = timedelta(days=7)
"""How long Stripe keeps an authorisation, where the card says nothing else."""
_GONE = frozenset({"payment_intent_unexpected_state", "charge_expired_for_capture", "resource_missing"})
_TIMEOUT_SECONDS = 20


class _OtherRequest(Unavailable):
    """Something else was sent under this key before."""

    def __init__(self) -> None:
        super().__init__("Stripe knows the key of another request.")


class StripeProvider:
    """A Stripe account; its SDK waits in threads, so that nothing else does."""

    def __init__(self, api_key: str, api_url: str | None = None) -> None:
        try:
            import stripe
        except ImportError:
            message = "Stripe's SDK is not installed; install allot[stripe], or leave the key out"
            raise InvalidInput(Fault(path="ALLOT_STRIPE_KEY", message=message)) from None
        self._stripe = stripe
        addresses: Any = {} if api_url is None else {"base_addresses": {"api": api_url}}
        http = stripe.RequestsClient(timeout=_TIMEOUT_SECONDS)
        self._client = stripe.StripeClient(api_key, http_client=http, max_network_retries=0, **addresses)

    async def authorise(self, new: NewAuthorisation) -> Answer:
        """Set money aside on a payment method."""
        customer, _, method = new.token.rpartition("/")
        params: dict[str, Any] = {
            "amount": new.amount_cents,
            "currency": new.currency.lower(),
            "payment_method": method,
            "payment_method_types": ["card"],
            "capture_method": "manual",
            "confirm": True,
            "off_session": True,
            "payment_method_options": {"card": {"request_multicapture": "if_available"}},
            "metadata": {"allot_key": new.key, "allot_order": new.order_id},
            "expand": ["latest_charge"],
        }
        if customer:
            params["customer"] = customer
        intents = self._client.v1.payment_intents
        found = await self._asked(lambda: intents.create(params, {"idempotency_key": new.key}))  # type: ignore[arg-type]
        return found if isinstance(found, Answer) else _authorised(found)

    async def capture(self, key: str, authorisation_id: str, amount_cents: int) -> Answer:
        """Take money of a payment intent; what is left stays, if several captures are granted."""
        intent_id, has_many = authorisation_id.removesuffix(_MANY), authorisation_id.endswith(_MANY)
        found = await self._captured(key, intent_id, amount_cents, has_many=has_many)
        if isinstance(found, Answer):
            return found
        is_open = has_many and bool(found.amount_capturable)
        return Answer(provider_id=found.id, amount_cents=amount_cents, is_open=is_open)

    async def _captured(
        self, key: str, intent_id: str, amount_cents: int, *, has_many: bool
    ) -> stripe.PaymentIntent | Answer:
        """Capture, as the last of several if it takes all: else the intent stays open, though nothing of it is left.

        What was sent before under the key may have been the other of both; Stripe answers either as it did then.
        """
        intents = self._client.v1.payment_intents

        def ask(final: bool | None) -> stripe.PaymentIntent:
            params: Any = {"amount_to_capture": amount_cents, "expand": ["latest_charge"]}
            if final is not None:
                params["final_capture"] = final
            return intents.capture(intent_id, params, {"idempotency_key": key})

        if not has_many:
            return await self._asked(lambda: ask(None))
        now = await self._asked(lambda: intents.retrieve(intent_id))
        if isinstance(now, Answer):
            return now
        takes_all = now.status != "requires_capture" or now.amount_capturable == amount_cents
        try:
            return await self._asked(lambda: ask(takes_all))
        except _OtherRequest:
            return await self._asked(lambda: ask(not takes_all))

    async def order_of(self, intent_id: str) -> str | None:
        """Return the order that a payment intent is of; None if it is none of ours."""
        found = await self._asked(lambda: self._client.v1.payment_intents.retrieve(intent_id))
        return None if isinstance(found, Answer) else order_in(found.metadata)

    def event(self, body: bytes, signature: str, secret: str) -> stripe.Event:
        """Return an event as Stripe has sent it; raises InvalidInput unless it was signed within five minutes."""
        try:
            return self._client.construct_event(body, signature, secret)
        except self._stripe.SignatureVerificationError as error:
            why = f"is none of Stripe for this body ({str(error).split('.')[0]}); check ALLOT_STRIPE_WEBHOOK_SECRET"
            raise InvalidInput(Fault(path="Stripe-Signature", message=why)) from None
        except ValueError:
            message = "is no event of Stripe; have Stripe send snapshots of events as they are"
            raise InvalidInput(Fault(path="$", message=message)) from None

    async def void(self, key: str, authorisation_id: str) -> Answer:
        """Let go of what is left of a payment intent: it is cancelled, or closed if something of it was captured."""
        intent_id, intents = authorisation_id.removesuffix(_MANY), self._client.v1.payment_intents
        now = await self._asked(lambda: intents.retrieve(intent_id))
        if isinstance(now, Answer):
            return now
        if now.status != "requires_capture":
            return Answer(provider_id=intent_id, reason=f"it is {now.status}", is_open=False, is_gone=True)
        if now.amount_received:
            last: Any = {"amount_to_capture": 0, "final_capture": True}
            found = await self._asked(lambda: intents.capture(intent_id, last, {"idempotency_key": key}))
        else:
            found = await self._asked(lambda: intents.cancel(intent_id, {}, {"idempotency_key": key}))
        return found if isinstance(found, Answer) else Answer(provider_id=intent_id, is_open=False)

    async def refund(self, key: str, capture_id: str, amount_cents: int) -> Answer:
        """Give back money of a payment intent."""
        params: Any = {"payment_intent": capture_id, "amount": amount_cents, "metadata": {"allot_key": key}}
        found = await self._asked(lambda: self._client.v1.refunds.create(params, {"idempotency_key": key}))
        if isinstance(found, Answer):
            return found
        if found.status in {"failed", "canceled"}:
            return Answer(reason=found.failure_reason or found.status)
        return Answer(provider_id=found.id, amount_cents=amount_cents)

    async def balances(self, since: datetime, until: datetime) -> list[ProviderBalance] | None:
        """Return what Stripe has on its books for payment intents of orders that were made in a period."""
        created = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        params: Any = {"created": created, "limit": 100, "expand": ["data.latest_charge"]}

        def all_pages() -> list[stripe.PaymentIntent]:
            return list(self._client.v1.payment_intents.list(params).auto_paging_iter())

        found = await self._asked(all_pages)
        if isinstance(found, Answer):
            raise Unavailable(f"Stripe does not list its payment intents: {found.reason}.")
        return [_balance(intent) for intent in found if "allot_key" in (intent.metadata or {}) and _was_granted(intent)]

    async def _asked(self, ask: Callable[[], T]) -> T | Answer:
        """Return what Stripe answers, or its refusal; raises Unavailable if it may answer otherwise later."""
        errors = self._stripe
        try:
            return await asyncio.to_thread(ask)
        except errors.CardError as error:
            return Answer(reason=_reason(error), is_open=False)
        except errors.InvalidRequestError as error:
            return Answer(reason=_reason(error), is_open=False, is_gone=error.code in _GONE)
        except errors.IdempotencyError:
            raise _OtherRequest from None
        except errors.StripeError as error:
            raise Unavailable(f"Stripe did not do it: {error.user_message or type(error).__name__}.") from None


def order_in(metadata: Any) -> str | None:
    """Return the order that metadata of a payment intent, or of its charge, name."""
    return str(metadata["allot_order"]) if metadata and "allot_order" in metadata else None


def _authorised(intent: stripe.PaymentIntent) -> Answer:
    if intent.status != "requires_capture":
        return Answer(reason=f"it is {intent.status}", is_open=False)
    card: Any = getattr(getattr(intent.latest_charge, "payment_method_details", None), "card", None)
    before = getattr(card, "capture_before", None)
    granted = getattr(getattr(card, "multicapture", None), "status", None) == "available"
    made_at = datetime.fromtimestamp(intent.created, UTC)
    return Answer(
        provider_id=f"{intent.id}{_MANY}" if granted else intent.id,
        amount_cents=intent.amount_capturable or 0,
        expires_at=made_at + _LASTS if before is None else datetime.fromtimestamp(before, UTC),
    )


def _was_granted(intent: stripe.PaymentIntent) -> bool:
    return intent.status in {"requires_capture", "succeeded"} or bool(intent.amount_received) or _is_voided(intent)


def _is_voided(intent: stripe.PaymentIntent) -> bool:
    return intent.status == "canceled" and intent.latest_charge is not None


def _balance(intent: stripe.PaymentIntent) -> ProviderBalance:
    charge: Any = intent.latest_charge
    return ProviderBalance(
        key=intent.metadata["allot_key"],
        order_id=intent.metadata["allot_order"],
        provider_id=intent.id,
        currency=intent.currency.upper(),
        at=datetime.fromtimestamp(intent.created, UTC),
        authorised_cents=intent.amount,
        captured_cents=intent.amount_received or 0,
        refunded_cents=getattr(charge, "amount_refunded", 0) if intent.amount_received else 0,
    )


def _reason(error: stripe.StripeError) -> str:
    if error.code == "charge_expired_for_capture":
        return "expired"
    declined = getattr(error.error, "decline_code", None)
    return str(declined or error.code or error.user_message or "declined")
