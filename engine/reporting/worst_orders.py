"""Why an order was late or dear, in words, from its own facts and those of its parcels.

Not here: which orders are kept (engine/simulation/worst.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from engine.scenarios.story import DAY_SECONDS
from engine.simulation.facts import Ending
from engine.simulation.results import StoryTold
from engine.simulation.worst import WorstOrder, WorstParcel


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """An order that went badly: what happened, and each reason that its facts give."""

    title: str
    what: str
    reasons: Sequence[str]


def explain_late(order: WorstOrder, story: StoryTold) -> Explained:
    """Return why an order came late, or is late and open."""
    arrived = (
        "was still open when the story ended"
        if order.ending == Ending.OPEN
        else f"arrived {_on(order.delivered_day, story)}"
    )
    what = (
        f"Placed {_at(order.placed_s, story)}, promised for {_on(order.promised_day, story)}, "
        f"{arrived}: {_days(order.excess)} late."
    )
    reasons = [*_trouble(order)]
    if not order.parcels and order.routed_s < 0:
        reasons.append("No routing run gave it a node.")
    for parcel in order.parcels:
        reasons += _delays(parcel, order, story)
    return Explained(
        title=_title(order), what=what, reasons=reasons or ["Its parcels kept to the days of their rates."]
    )


def explain_dear(order: WorstOrder, story: StoryTold) -> Explained:
    """Return why an order cost more than its promise said."""
    what = (
        f"Placed {_at(order.placed_s, story)}, {_units(order.units)}: cost {_money(order.cost_cents)}, "
        f"{_money(order.excess)} above the {_money(order.promised_cost_cents)} of its promise."
    )
    reasons = [*_trouble(order)]
    if len(order.parcels) > order.promised_parcels >= 0:
        reasons.append(f"It left in {len(order.parcels)} parcels; {order.promised_parcels} had been promised.")
    dearest = sorted(order.parcels, key=lambda one: -one.cost_cents)[:3]
    reasons += [_bill(parcel, story) for parcel in dearest]
    return Explained(title=_title(order), what=what, reasons=reasons)


def _bill(parcel: WorstParcel, story: StoryTold) -> str:
    return (
        f"{_units(parcel.units)} from {_name(parcel.node, story.node_ids)} by {_name(parcel.service, story.services)} "
        f"over {parcel.distance_m / 1000:,.0f} km{_zone(parcel.zone, story)}: {_money(parcel.cost_cents)}, "
        f"of which shipping {_money(parcel.shipping_cents)}."
    )


def _trouble(order: WorstOrder) -> list[str]:
    found = []
    if order.units_backordered > 0:
        found.append(f"{_units(order.units_backordered)} waited for stock.")
    if order.rejections > 0:
        found.append(f"Nodes refused or did not find what they were to ship, {_times(order.rejections)}.")
    if order.reroutes > 0:
        found.append(f"It was routed anew {_times(order.reroutes)}.")
    return found


def _delays(parcel: WorstParcel, order: WorstOrder, story: StoryTold) -> list[str]:
    """Return where a parcel lost its days: until it was routed, at its node, on the road."""
    node = _name(parcel.node, story.node_ids)
    found = []
    routed_day, placed_day = parcel.routed_s // DAY_SECONDS, order.placed_s // DAY_SECONDS
    if parcel.promised_day > order.promised_day >= 0:
        found.append(
            f"When {node} got it, {_after(routed_day - placed_day)}, "
            f"{_on(parcel.promised_day, story)} was the best it could do."
        )
    left = parcel.shipped_s // DAY_SECONDS
    if parcel.due_day >= 0 and left > parcel.due_day:
        found.append(f"{node} sent it {_days(left - parcel.due_day)} later than it was to, {_on(left, story)}.")
    slack = parcel.delivered_day - parcel.promised_day - max(0, left - parcel.due_day)
    if parcel.delivered_day >= 0 and slack > 0:
        service = _name(parcel.service, story.services)
        found.append(f"{service} took {_days(slack)} longer than its rate says, from {node}.")
    return found


def _title(order: WorstOrder) -> str:
    return f"Order {order.order_id or order.key} of replication {order.replication + 1}"


def _name(number: int, names: Sequence[str]) -> str:
    return names[number] if 0 <= number < len(names) else "?"


def _on(day: int, story: StoryTold) -> str:
    return f"{date.fromisoformat(story.first_day) + timedelta(days=day):%a %-d %b} (day {day})"


def _at(instant_s: int, story: StoryTold) -> str:
    day, seconds = divmod(instant_s, DAY_SECONDS)
    return f"{_on(day, story)} at {seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


def _money(cents: int) -> str:
    return f"{cents / 100:,.2f}"


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _after(days: int) -> str:
    return f"{_days(days)} after the order" if days else "on the day of the order"


def _zone(number: int, story: StoryTold) -> str:
    """Return the name of a zone behind a comma; names that are numbers are told what they are."""
    if number < 0:
        return ""
    name = _name(number, story.zones)
    return f", {name}" if name.lower().startswith("zone") else f", zone {name}"


def _units(count: int) -> str:
    return f"{count} unit{'' if count == 1 else 's'}"


def _times(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count} times"
