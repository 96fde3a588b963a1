"""What a customer makes of a promise: which option is bought, or why none is.

Not here: the draws (checkout.py), how options come about (engine/promising).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from engine.promising.model import Option, Promise
from engine.scenarios.story import Customers
from engine.simulation.facts import Ending


class Draws(NamedTuple):
    """The luck of one customer: numbers in [0, 1)."""

    fast: float
    leaves: float
    pays: float


class Choice(NamedTuple):
    """The option that is bought, or why the customer leaves; and what is charged for delivery."""

    option: Option | None
    ending: Ending
    charged_cents: int


def choose(promise: Promise, today: int, customers: Customers, draws: Draws) -> Choice:
    """Return what a customer does with a promise on a day (an ordinal).

    Of the options, the cheapest first, they look at the first that is not too late for them, else at the first.
    """
    if not promise.options or promise.unavailable:
        return Choice(None, Ending.NO_OFFER, 0)
    if draws.fast < customers.fast_share:
        option = min(promise.options, key=lambda each: (each.promised_on, each.total_cost_cents))
    else:
        soon = (each for each in promise.options if each.promised_on.toordinal() - today <= customers.patience_days)
        option = next(soon, promise.options[0])
    too_long = option.promised_on.toordinal() - today - customers.patience_days
    if too_long > 0 and draws.leaves < customers.leave_share_per_day * too_long:
        return Choice(None, Ending.TOO_LATE, 0)
    charged = round(option.total_cost_cents * customers.charge_share)
    if customers.pays_cents is not None and charged > -math.log1p(-draws.pays) * customers.pays_cents:
        return Choice(None, Ending.TOO_DEAR, 0)
    return Choice(option, Ending.OPEN, charged)
