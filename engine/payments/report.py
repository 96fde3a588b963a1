"""The reconciliation report: what orders and payment providers have on their books, and where they do not agree.

Authorisations of a period are compared one by one, with all that was captured and given back of them since. Pure. Not
here: reading the books (service.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property

import msgspec

from engine.orders.facts.money import EntryKind, LedgerEntry
from engine.orders.model import Order
from engine.orders.paying.balancing import aside_cents, is_covered, is_settled, needed_cents
from engine.orders.paying.ledger import AUTHORISE, CAPTURE, REFUND, asked_of, net_charged_cents, tender_of
from engine.orders.paying.values import charged_for_cents
from engine.payments.provider import ProviderBalance
from engine.payments.provider_reports import ToldReport

MOST_ROWS = 1000


class Totals(msgspec.Struct, kw_only=True):
    """What went through one provider in one currency, as orders have it."""

    provider: str
    currency: str
    authorised_cents: int = 0
    captured_cents: int = 0
    refunded_cents: int = 0
    authorisations: int = 0


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """Where books differ: `what` is authorised, captured or refunded, by the order's ledger and by the provider."""

    order_id: str
    provider: str
    provider_id: str
    what: str
    ledger_cents: int
    provider_cents: int
    reason: str


class OpenMatter(msgspec.Struct, frozen=True, kw_only=True):
    """Money that an order waits for, or owes, and why it has not moved."""

    order_id: str
    what: str
    amount_cents: int
    reason: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The report of a period; `agrees` if no books differ. It names the first 1000 rows of a kind, and counts all."""

    since: datetime
    until: datetime
    orders: int
    agrees: bool
    totals: tuple[Totals, ...]
    disagreements: tuple[Disagreement, ...]
    disagreement_count: int
    open_matters: tuple[OpenMatter, ...]
    open_matter_count: int
    provider_reports: tuple[ToldReport, ...] = ()


class _Row(msgspec.Struct, kw_only=True):
    """One authorisation as an order has it; `pending` names what is being asked of the provider just now."""

    order_id: str
    provider: str
    entry: LedgerEntry
    captured_cents: int
    refunded_cents: int
    pending: frozenset[str]


class Reconciling:
    """Makes the report of a period from orders as they come: of each it keeps only what the report says of it.

    A provider whose books are None keeps none that could differ.
    """

    def __init__(
        self, balances: Mapping[str, Sequence[ProviderBalance] | None], since: datetime, until: datetime
    ) -> None:
        self._balances, self._since, self._until = balances, since, until
        self._known = {(provider, each.key): each for provider, found in balances.items() for each in found or ()}
        self._met = set[str]()
        self._orders = self._disagreements = self._open = 0
        self._totals: dict[tuple[str, str], Totals] = {}
        self._found: list[Disagreement] = []
        self._matters: list[OpenMatter] = []

    def add(self, order: Order) -> None:
        """Look at one order, once; one without tenders has nothing to say."""
        if not order.life.money.tenders:
            return
        self._orders += 1
        mine = {entry.entry_id for entry in order.life.money.ledger}
        mine |= {effect.effect_id for effect in asked_of(order, AUTHORISE)}
        self._met |= mine & self._keys
        for row in _rows(order):
            if self._since <= row.entry.at < self._until:
                _count(self._totals, order, row)
                if self._balances.get(row.provider) is not None:
                    self._differ(_compared(row, self._known))
        for matter in _open_matters(order):
            self._open += 1
            if len(self._matters) < MOST_ROWS:
                self._matters.append(matter)

    def report(self, told: Sequence[ToldReport] = ()) -> Report:
        """Return the report, once all orders were added, with what providers have `told` of their own accord."""
        for (provider, key), balance in self._known.items():
            if key not in self._met:
                self._differ([_unknown(provider, balance)])
        return Report(
            since=self._since,
            until=self._until,
            orders=self._orders,
            agrees=not self._disagreements,
            totals=tuple(self._totals[key] for key in sorted(self._totals)),
            disagreements=tuple(self._found),
            disagreement_count=self._disagreements,
            open_matters=tuple(self._matters),
            open_matter_count=self._open,
            provider_reports=tuple(told[-MOST_ROWS:]),
        )

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(key for _, key in self._known)

    def _differ(self, found: Iterable[Disagreement]) -> None:
        for each in found:
            self._disagreements += 1
            if len(self._found) < MOST_ROWS:
                self._found.append(each)


def report_of(
    orders: Iterable[Order], balances: Mapping[str, Sequence[ProviderBalance] | None], since: datetime, until: datetime
) -> Report:
    """Return the report of a period on some orders."""
    made = Reconciling(balances, since, until)
    for order in orders:
        made.add(order)
    return made.report()


def _rows(order: Order) -> Iterable[_Row]:
    money = order.life.money
    for entry in money.ledger:
        tender = tender_of(money, entry.tender_id)
        if entry.kind is not EntryKind.AUTHORISED or tender is None:
            continue
        captures = {
            each.entry_id: each.amount_cents
            for each in money.ledger
            if each.kind is EntryKind.CAPTURED and each.authorisation_id == entry.entry_id
        }
        back = sum(
            each.amount_cents
            for each in money.ledger
            if each.kind is EntryKind.REFUNDED and each.authorisation_id in captures
        )
        mine = {entry.entry_id, *captures}
        pending = frozenset(
            effect.kind for effect in order.life.effects if effect.target in mine and effect.kind in {CAPTURE, REFUND}
        )
        yield _Row(
            order_id=order.order_id,
            provider=tender.provider,
            entry=entry,
            captured_cents=sum(captures.values()),
            refunded_cents=back,
            pending=pending,
        )


def _compared(row: _Row, known: Mapping[tuple[str, str], ProviderBalance]) -> Iterable[Disagreement]:
    theirs = known.get((row.provider, row.entry.entry_id))
    pairs = [
        ("authorised", row.entry.amount_cents, 0 if theirs is None else theirs.authorised_cents, ""),
        ("captured", row.captured_cents, 0 if theirs is None else theirs.captured_cents, CAPTURE),
        ("refunded", row.refunded_cents, 0 if theirs is None else theirs.refunded_cents, REFUND),
    ]
    for what, ours, other, kind in pairs:
        if ours != other and kind not in row.pending:
            yield Disagreement(
                order_id=row.order_id,
                provider=row.provider,
                provider_id=row.entry.provider_id,
                what=what,
                ledger_cents=ours,
                provider_cents=other,
                reason="the provider does not know it" if theirs is None else "the amounts differ",
            )


def _unknown(provider: str, balance: ProviderBalance) -> Disagreement:
    return Disagreement(
        order_id=balance.order_id,
        provider=provider,
        provider_id=balance.provider_id,
        what="authorised",
        ledger_cents=0,
        provider_cents=balance.authorised_cents,
        reason="no order knows it",
    )


def _count(totals: dict[tuple[str, str], Totals], order: Order, row: _Row) -> None:
    prices = order.life.money.prices
    key = (row.provider, "" if prices is None else prices.currency)
    found = totals.setdefault(key, Totals(provider=key[0], currency=key[1]))
    found.authorised_cents += row.entry.amount_cents
    found.captured_cents += row.captured_cents
    found.refunded_cents += row.refunded_cents
    found.authorisations += 1


def _open_matters(order: Order) -> Iterable[OpenMatter]:
    money, order_id = order.life.money, order.order_id
    if not money.tenders:
        return
    due = charged_for_cents(order) - net_charged_cents(order)
    if due > 0:
        why = "what has left is not captured, and no tender is left"
        yield OpenMatter(order_id=order_id, what="not_captured", amount_cents=due, reason=why)
    elif not is_settled(order) and not is_covered(order):
        lacking, why = needed_cents(order) - aside_cents(order), "the order waits for a tender, or for the provider"
        yield OpenMatter(order_id=order_id, what="not_paid", amount_cents=lacking, reason=why)
    captures = {entry.entry_id for entry in money.ledger if entry.kind is EntryKind.CAPTURED}
    for entry in money.ledger:
        if entry.kind is EntryKind.DECLINED and entry.authorisation_id in captures:
            cents, why = entry.amount_cents, entry.reason
            yield OpenMatter(order_id=order_id, what="refund_declined", amount_cents=cents, reason=why)
    for effect in order.life.effects:
        if effect.tries and effect.kind.startswith("payment."):
            cents, why = effect.amount_cents, effect.last_error
            yield OpenMatter(order_id=order_id, what=f"{effect.kind} put off", amount_cents=cents, reason=why)
