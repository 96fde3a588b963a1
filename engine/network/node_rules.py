"""Which nodes ship which lines of which orders, and at what extra price, as a policy has it: rules in compiled form.

Here: what a rule says of every node, and which orders and products it is for. Not here: the document (engine/policies),
what a routing run makes of rules (engine/routing/node_terms.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """What rules look at in an order; None is not known."""

    country: str | None = None
    postal_code: str | None = None
    customer_class: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NodeRule:
    """One rule: nodes by their number in the network. An order or product fits if each condition that is there holds.

    `name` is what people call it, `barred` (nodes,) are nodes that get no new orders, as do those beyond `max_km`;
    `price_cents` (nodes,) is what each unit from a node counts more, None if nothing. `relaxed_cents` is what a unit
    counts that ships against it where its order would wait, None if it never does.
    """

    name: str
    barred: NDArray[np.bool_]
    max_km: float = float("inf")
    price_cents: NDArray[np.int64] | None = None
    countries: frozenset[str] | None = None
    postal_prefixes: tuple[str, ...] | None = None
    customer_classes: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    sku_classes: frozenset[str] | None = None
    relaxed_cents: int | None = None

    @property
    def closes(self) -> bool:
        """Whether it closes any node."""
        return bool(self.barred.any()) or self.max_km < float("inf")

    def fits(self, order: OrderFacts) -> bool:
        """Return whether it is for an order; what is not known of the order fits no condition."""
        asked = (
            (self.countries, order.country),
            (self.customer_classes, order.customer_class),
            (self.channels, order.channel),
        )
        if any(wanted is not None and value not in wanted for wanted, value in asked):
            return False
        code = (order.postal_code or "").strip().upper()
        return self.postal_prefixes is None or code.startswith(self.postal_prefixes)

    def fits_product(self, sku_class: str | None) -> bool:
        """Return whether it is for products of a class."""
        return self.sku_classes is None or sku_class in self.sku_classes
