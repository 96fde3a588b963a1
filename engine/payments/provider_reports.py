"""What payment providers tell of their own accord: written into the order, and kept by day for the report.

A provider tells again what was not taken, late and in any order: what is known changes nothing. What it has done by
itself goes into the order's ledger, so that what follows from it is asked for in the same step. Not here: who tells
(stripe_events.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from engine.orders.changing import OrderChanges
from engine.orders.facts.money import EntryKind, LedgerEntry, Money, ProviderReport, ReportKind
from engine.orders.model import Note, Order
from engine.orders.paying.ledger import REFUND, VOID, asked_of, authorisations, open_cents, refundable_cents
from engine.orders.revising import Revision, revision_of
from engine.storage.documents import DocumentStore

COLLECTION = "provider_reports"
MOST_REPORTS = 50
"""An order keeps the newest so many."""


class ToldReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider told of an order's money, as the reconciliation report shows it."""

    order_id: str
    provider: str
    report: ProviderReport


_encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(ToldReport).decode


class ProviderReports:
    """Takes what providers tell, and finds it again."""

    def __init__(self, changes: OrderChanges, documents: DocumentStore) -> None:
        self._changes, self._documents = changes, documents

    async def take(self, told: ToldReport) -> bool:
        """Write down what was told, once; return whether it was new. Raises NotFound for an order that is not there."""
        new = told.report
        is_known = _has(await self._changes.get(told.order_id), new)
        changed = await self._changes.change(told.order_id, lambda order, at: heard(order, told, at))
        kept = next(each for each in changed.value.life.money.reports if each.event_id == new.event_id)
        name = f"{kept.at:%Y-%m-%d}:{kept.event_id}"
        if kept.is_unasked and not await self._documents.find(COLLECTION, name):
            await self._documents.add(COLLECTION, name, _encode(msgspec.structs.replace(told, report=kept)))
        return not is_known

    async def between(self, since: datetime, until: datetime) -> Sequence[ToldReport]:
        """Return what providers have done by themselves in a period, and what is disputed; the oldest first."""
        first, last = f"{since - timedelta(days=1):%Y-%m-%d}", f"{until + timedelta(days=1):%Y-%m-%d}~"
        names = sorted(each for each in await self._documents.names(COLLECTION) if first <= each <= last)
        kept = [await self._documents.find(COLLECTION, name) for name in names]
        found = [_decode(each.body) for each in kept if each is not None]
        return sorted((each for each in found if since <= each.report.at < until), key=lambda each: each.report.at)


def heard(order: Order, told: ToldReport, at: datetime) -> Revision | None:
    """Return an order that knows what its provider has told; None if it does already."""
    new, money = told.report, order.life.money
    if _has(order, new):
        return None
    entries = _ENTRIES[new.kind](order, new, at) if new.kind in _ENTRIES else []
    is_unasked = bool(entries) or new.kind not in _ENTRIES
    new = msgspec.structs.replace(new, is_unasked=is_unasked)
    money = msgspec.structs.replace(
        money, ledger=(*money.ledger, *entries), reports=(*money.reports, new)[-MOST_REPORTS:]
    )
    note = Note(
        event="payment_reported",
        by=told.provider,
        subject=new.provider_id,
        reason=new.kind.value,
        amount_cents=new.amount_cents,
    )
    return revision_of(order, replace(order, life=msgspec.structs.replace(order.life, money=money)), note)


def _has(order: Order, new: ProviderReport) -> bool:
    return any(each.event_id == new.event_id for each in order.life.money.reports)


def _let_go(order: Order, new: ProviderReport, at: datetime) -> list[LedgerEntry]:
    """Return what was set aside, is not any more, and nobody has asked to let go."""
    money = order.life.money
    asked = {effect.target for effect in asked_of(order, VOID)}
    return [
        _entry(new, EntryKind.VOIDED, entry, open_cents(money, entry), number, at)
        for number, entry in enumerate(authorisations(money))
        if _is_of(entry, new) and entry.entry_id not in asked
    ]


def _given_back(order: Order, new: ProviderReport, at: datetime) -> list[LedgerEntry]:
    """Return what was given back beyond what was asked for, of the captures of the provider's payment."""
    money = order.life.money
    captures = [each for each in money.ledger if each.kind is EntryKind.CAPTURED and _is_of(each, new)]
    more = new.amount_cents - _known_back(order, money, {each.entry_id for each in captures})
    found = []
    for number, capture in enumerate(captures):
        part = min(more, refundable_cents(order, capture))
        if part > 0:
            found.append(_entry(new, EntryKind.REFUNDED, capture, part, number, at))
            more -= part
    return found


def _known_back(order: Order, money: Money, captures: set[str]) -> int:
    done = (each for each in money.ledger if each.kind is EntryKind.REFUNDED and each.authorisation_id in captures)
    asked = (each for each in asked_of(order, REFUND) if each.target in captures)
    return sum(each.amount_cents for each in done) + sum(each.amount_cents for each in asked)


_ENTRIES = {ReportKind.CANCELLED: _let_go, ReportKind.REFUNDED: _given_back}


def _is_of(entry: LedgerEntry, new: ProviderReport) -> bool:
    return entry.provider_id.rstrip("+") == new.provider_id


def _entry(
    new: ProviderReport, kind: EntryKind, about: LedgerEntry, cents: int, number: int, at: datetime
) -> LedgerEntry:
    return LedgerEntry(
        entry_id=f"{new.event_id}/{number}",
        kind=kind,
        tender_id=about.tender_id,
        amount_cents=cents,
        at=at,
        provider_id=new.provider_id,
        authorisation_id=about.entry_id,
        reason=f"done at the provider{': ' if new.reason else ''}{new.reason}",
    )
