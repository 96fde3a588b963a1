"""Customers take the cheapest option that is not too late for them; if all are, they may leave."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from engine.promising.model import Delivery, Option, OptionCost, Promise
from engine.scenarios.story import Customers
from engine.simulation.customers import Draws, choose
from engine.simulation.facts import Ending

MONDAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PATIENT = Customers(patience_days=3, leave_share_per_day=0.1)


def promise(*options: tuple[int, int]) -> Promise:
    """Return a promise of (days, cents), the cheapest first."""
    made = []
    for days, cents in options:
        day = MONDAY + timedelta(days=days)
        cost = OptionCost(shipping_cents=cents, handling_cents=0, units_cents=0, split_cents=0)
        made.append(
            Option(
                option_id=str(days),
                labels=(),
                service_level="standard",
                promised_on=day,
                confidence=0.9,
                delivery=Delivery(p50=day, p90=day),
                total_cost_cents=cents,
                cost=cost,
                shipments=(),
            )
        )
    return Promise(promise_id="p", as_of=NOON, binding=False, expires_at=NOON, options=tuple(made), unavailable=())


def bought(made: Promise, leaves: float) -> str | Ending:
    choice = choose(made, MONDAY.toordinal(), PATIENT, Draws(fast=0.5, leaves=leaves, pays=0.5))
    return choice.ending if choice.option is None else choice.option.option_id


def test_an_option_of_next_year_is_not_taken_for_being_the_cheapest() -> None:
    assert bought(promise((365, 500), (3, 700), (1, 2000)), leaves=0.0) == "3"


def test_if_all_options_are_too_late_the_first_is_looked_at() -> None:
    made = promise((5, 500), (4, 700))
    assert bought(made, leaves=0.19) == Ending.TOO_LATE  # two days too late, 0.1 for each
    assert bought(made, leaves=0.21) == "5"
