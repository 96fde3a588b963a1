"""By what an order is to be paid: tenders as they are asked for, checked against what the order comes to.

Pure. Not here: what is done with them (balancing.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import msgspec

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.orders.facts.money import Prices, Tender, TenderKind
from engine.orders.model import NewTender, Note, Order
from engine.orders.paying.balancing import aside_cents, is_settled, needed_cents
from engine.orders.paying.ledger import AUTHORISE, asked_cents
from engine.orders.paying.pricing import MOST_CENTS
from engine.orders.revising import Revision, refused, revision_of

SANDBOX, TERMS, STORE_CREDIT = "sandbox", "terms", "store_credit"
MOST_TENDERS = 20


class Tendering:
    """Checks tenders; cards go to `card_provider` where nothing else is said, and `known` are all there are."""

    def __init__(self, card_provider: str = SANDBOX, known: Collection[str] = (SANDBOX, TERMS, STORE_CREDIT)) -> None:
        self._usual = {
            TenderKind.CARD: card_provider,
            TenderKind.GIFT_CARD: SANDBOX,
            TenderKind.INVOICE: TERMS,
            TenderKind.STORE_CREDIT: STORE_CREDIT,
        }
        self._known = tuple(known)

    def tenders(self, new: Sequence[NewTender], prices: Prices | None, path: str = "$.tenders") -> tuple[Tender, ...]:
        """Return the tenders of a new order, in the order in which they are used; they have to cover its total.

        Raises InvalidInput with every fault.
        """
        if not new:
            return ()
        if prices is None:
            message = "cannot be used, as the order has no prices; give each line its unit_price_cents"
            raise InvalidInput(Fault(path=path, message=message))
        return self._checked(new, prices.total_cents, path)

    def added(self, order: Order, new: Sequence[NewTender], by: str) -> Revision:
        """Return an order with more tenders, for what nothing is set aside for. Raises InvalidInput with every fault.

        Refused for one without prices, or of which everything is paid.
        """
        note = Note(event="tender_added", by=by)
        if order.life.money.prices is None:
            return refused(order, note, f"Order {order.order_id!r} has no prices; there is nothing to be paid.")
        lacking = needed_cents(order) - aside_cents(order) - asked_cents(order, AUTHORISE)
        if lacking <= 0 or (is_settled(order) and needed_cents(order) == 0):
            return refused(order, note, f"Nothing of order {order.order_id!r} is left to be paid by another tender.")
        money = order.life.money
        tenders = self._checked(new, lacking, "$.tenders", len(money.tenders))
        money = msgspec.structs.replace(money, tenders=(*money.tenders, *tenders))
        to = replace(order, life=msgspec.structs.replace(order.life, money=money))
        note = replace(note, subject=tenders[0].tender_id, amount_cents=sum(each.amount_cents for each in tenders))
        return revision_of(order, to, note)

    def _checked(self, new: Sequence[NewTender], total_cents: int, path: str, before: int = 0) -> tuple[Tender, ...]:
        faults = list[Fault]()
        if before + len(new) > MOST_TENDERS:
            faults.append(
                Fault(path=path, message=f"are {before + len(new)} tenders; an order has {MOST_TENDERS} at most")
            )
        for index, tender in enumerate(new):
            faults += self._faults(f"{path}[{index}]", tender)
        open_ones = [index for index, tender in enumerate(new) if tender.amount_cents is None]
        if len(open_ones) > 1:
            message = f"is missing, as it is at {path}[{open_ones[0]}]; only one tender may take the rest"
            faults.append(Fault(path=f"{path}[{open_ones[1]}].amount_cents", message=message))
        stated = sum(tender.amount_cents or 0 for tender in new)
        if not faults and not open_ones and stated < total_cents:
            message = f"come to {stated} cents, and {total_cents} are to be paid; raise an amount, or leave one out"
            faults.append(Fault(path=path, message=message))
        if faults:
            raise InvalidInput(faults)
        return tuple(
            Tender(
                tender_id=f"tender_{before + number}",
                kind=tender.kind,
                provider=tender.provider or self._usual[tender.kind],
                amount_cents=max(0, total_cents - stated) if tender.amount_cents is None else tender.amount_cents,
                token=tender.token,
                takes_rest=tender.amount_cents is None,
            )
            for number, tender in enumerate(new, start=1)
        )

    def _faults(self, path: str, tender: NewTender) -> list[Fault]:
        faults = list[Fault]()
        if tender.provider is not None and tender.provider not in self._known:
            message = f"{tender.provider!r} is no payment provider here; {nearest(tender.provider, self._known)}"
            faults.append(Fault(path=f"{path}.provider", message=message))
        if tender.kind is not TenderKind.INVOICE and not tender.token:
            message = "is missing; give what the payment provider calls it, and never a card number"
            faults.append(Fault(path=f"{path}.token", message=message))
        if _looks_like_a_card_number(tender.token):
            message = "looks like a card number; give the payment provider's token for it instead"
            faults.append(Fault(path=f"{path}.token", message=message))
        amount = tender.amount_cents
        if amount is not None and not 1 <= amount <= MOST_CENTS:
            message = f"{amount} is no amount; give a whole number of cents from 1 to {MOST_CENTS}"
            faults.append(Fault(path=f"{path}.amount_cents", message=message))
        return faults


def _looks_like_a_card_number(token: str) -> bool:
    """Return whether a text is 12 to 19 digits whose check digit is right (ISO/IEC 7812, Luhn)."""
    digits = token.replace(" ", "").replace("-", "")
    if not (digits.isascii() and digits.isdigit() and 12 <= len(digits) <= 19):
        return False
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
