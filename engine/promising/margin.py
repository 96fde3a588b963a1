"""What is left of an option: the price of its goods less their cost and what the option costs to fulfill.

Here: margins, and what the policy does with options below its minimum. Options are found first and judged after: for
the same lines the cheapest has the best margin, so a refusal of all of them is no accident of the search.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.availability.reference import View
from engine.network.document import PolicyDocument
from engine.promising.model import Margin, Option
from engine.promising.request import Asked

_WHOLE = 10_000
"""Basis points of the whole."""


def judge(options: Sequence[Option], asked: Asked, view: View) -> tuple[Option, ...]:
    """Return the options with their margins; without those that the policy refuses."""
    catalog, policy = view.catalog, view.network.policy
    if not catalog.costs or not (catalog.prices or asked.terms.prices):
        return tuple(options)
    judged = [_with_margin(option, asked, view) for option in options]
    if policy.unprofitable != "refuse":
        return tuple(judged)
    return tuple(o for o in judged if not (isinstance(o.margin, Margin) and o.margin.is_unprofitable))


def _with_margin(option: Option, asked: Asked, view: View) -> Option:
    catalog, price_cents, cost_cents = view.catalog, 0, 0
    priced_kits: set[str] = set()
    asked_prices = {asked.lines[i].line_id: price for i, price in asked.terms.prices.items()}
    for line in (line for shipment in option.shipments for line in shipment.lines):
        cost = catalog.costs.get(line.sku)
        each = asked_prices.get(line.line_id, catalog.prices.get(line.kit or line.sku))
        if cost is None or each is None:
            return option
        cost_cents += cost * line.quantity
        if line.kit is None:
            price_cents += each * line.quantity
        elif line.line_id not in priced_kits:
            priced_kits.add(line.line_id)
            units = dict(catalog.content[line.kit].components)[line.sku]
            price_cents += each * (line.quantity // units)
    left = price_cents - cost_cents - option.total_cost_cents
    return msgspec.structs.replace(
        option,
        margin=Margin(
            price_cents=price_cents,
            cost_cents=cost_cents,
            margin_cents=left,
            is_unprofitable=_is_below(left, price_cents, view.network.policy),
        ),
    )


def _is_below(margin_cents: int, price_cents: int, policy: PolicyDocument) -> bool:
    """Say whether a margin is below a minimum that the policy has."""
    if policy.unprofitable == "allow":
        return False
    least, share = policy.min_margin_cents, policy.min_margin_basis_points
    if least is not None and margin_cents < least:
        return True
    return share is not None and margin_cents * _WHOLE < share * price_cents
