"""The generated business of the benchmark of orders: a small network, a catalog with stock, orders, a long index.

Not here: what is measured (orders.py).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from engine.bootstrap import Engine
from engine.catalog.document import CatalogDocument
from engine.inventory.model import HoldLine, PositionCount
from engine.network.document import NetworkDocument
from engine.orders.checking.document import OrderPolicyDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.search.model import Entry, FoundOrder
from engine.search.terms import Kind, Terms

NODES, SKUS, LINES = 20, 1000, 3
ALWAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
POLICY = {
    "prices": {"total_tolerance_cents": 2, "max_discount_percent": 60},
    "fraud": {
        "hold_from": 90,
        "rules": [
            {"rule": "dear, and nobody known", "score": 40, "when": {"is_guest": True, "total_cents_from": 500000}}
        ],
    },
    "approvals": [{"rule": "large discount", "when": {"discount_percent_from": 50}}],
}
"""Checks that every order passes."""
YEAR = timedelta(days=365)
BEGAN = datetime(2025, 11, 1, tzinfo=UTC)
STATES = {
    "delivered": 0.86,
    "cancelled": 0.05,
    "returned": 0.04,
    "shipped": 0.03,
    "sourced": 0.012,
    "backordered": 0.005,
    "captured": 0.002,
    "on_hold": 0.001,
}
"""Shares of the states of a year's orders."""
INDEX_SKUS = 20_000


async def open_shop(engine: Engine) -> None:
    """Put a network, a catalog, an order policy, and more stock than is ever ordered."""
    nodes = [
        {"node_id": f"node-{number}", "kind": "dc", "time_zone": "UTC", "calendar": "daily"}
        | {"latitude": 30.0 + number, "longitude": -120.0 + 2 * number}
        for number in range(NODES)
    ]
    rate = {"zone": "all", "max_weight_g": 30_000, "cost_cents": 500, "transit_days": 2}
    ground = {"service": "ground", "carrier": "acme", "service_level": "standard", "calendar": "daily", "rates": [rate]}
    document = {
        "nodes": nodes,
        "calendars": [{"calendar": "daily", "working_days": ALWAYS}],
        "zones": [{"zone": "all", "max_km": None}],
        "services": [ground],
    }
    await engine.network.put(NetworkDocument.model_validate(document))
    products = [{"sku": f"sku-{sku}", "weight_g": 300} for sku in range(SKUS)]
    await engine.catalog.put(CatalogDocument.model_validate({"products": products}))
    await engine.order_policies.put(OrderPolicyDocument.model_validate(POLICY))
    for first in range(0, SKUS, 50):
        counts = [
            PositionCount(node_id=f"node-{node}", sku=f"sku-{sku}", on_hand=10**6)
            for sku in range(first, first + 50)
            for node in range(NODES)
        ]
        await engine.inventory.put_positions(counts)


def new_order(luck: random.Random, number: int, *, is_told_who: bool) -> tuple[list[HoldLine], NewOrder]:
    """Return what to hold for an order of three lines, and the order; with its customer's data, or without."""
    node_id = f"node-{luck.randrange(NODES)}"
    skus = [f"sku-{sku}" for sku in luck.sample(range(SKUS), LINES)]
    customer = {
        "name": "Ada Lovelace",
        "email": f"ada{number}@example.com",
        "phone": f"+1212{number:07d}",
        "street": "12 St James's Square",
        "city": "New York",
        "postal_code": "10001",
        "country": "US",
    }
    order = NewOrder(
        channel="web",
        channel_order_id=f"W{number}",
        destination=Destination(latitude=40.7, longitude=-74.0, postal_code="10001", country="US"),
        lines=tuple(NewLine(sku=sku, quantity=1, unit_price_cents=1999) for sku in skus),
        customer=customer if is_told_who else None,
        currency="USD",
        shipping_cents=490,
        total_cents=LINES * 1999 + 490,
    )
    return [HoldLine(sku=sku, node_id=node_id, quantity=1) for sku in skus], order


class Year:
    """Orders of a year as the index has them: common and rare products and states, customers with three orders each."""

    def __init__(self, orders: int, terms: Terms, seed: int = 1) -> None:
        self.orders, self._terms, self._luck = orders, terms, random.Random(seed)
        self._popular = list(itertools.accumulate(1 / (rank + 10) for rank in range(INDEX_SKUS)))
        self._skus = range(INDEX_SKUS)

    def entries(self, first: int, last: int) -> Iterator[Entry]:
        """Yield orders by their numbers."""
        for number in range(first, last):
            yield self._entry(number)

    def customer(self) -> int:
        """Return the number of some customer."""
        return self._luck.randrange(max(1, self.orders // 3))

    def sku(self) -> str:
        """Return some product, popular ones more often."""
        return f"sku-{self._luck.choices(self._skus, cum_weights=self._popular)[0]}"

    def _entry(self, number: int) -> Entry:
        terms, luck = self._terms, self._luck
        at = BEGAN + YEAR * (number / self.orders)
        state = luck.choices([*STATES], [*STATES.values()])[0]
        skus = {self.sku() for _ in range(luck.choice((1, 1, 2, 3, 4)))}
        customer = self.customer()
        order = FoundOrder(
            order_id=f"ord_{number:016x}",
            channel=luck.choice(("web", "store", "marketplace")),
            state=state,
            captured_at=at,
            changed_at=at,
            lines=len(skus),
            units=2 * len(skus),
            skus=tuple(skus)[:3],
            channel_order_id=f"W{number:08d}",
            total_cents=luck.randrange(500, 90_000),
            currency="USD",
        )
        personal = {
            terms.of(Kind.CUSTOMER, f"cus_{customer}"),
            terms.of(Kind.PHONE, phone_of(customer)),
            terms.of(Kind.EMAIL, email_of(customer)),
        }
        number_term = terms.of(Kind.NUMBER, order.order_id)
        public = terms.of_many(Kind.SKU, skus) | {
            number_term,
            terms.of(Kind.NUMBER, order.channel_order_id),
            terms.of(Kind.CHANNEL, order.channel),
            terms.of(Kind.STATE, state),
        }
        return Entry(
            order=order,
            number=number_term,
            terms=frozenset(public | personal),
            personal_terms=frozenset(personal),
            is_over=state in {"delivered", "cancelled", "returned"},
            changed_ms=round(at.timestamp() * 1000),
        )


def phone_of(customer: int) -> str:
    """Return the phone number of a customer."""
    return f"+1 212 {customer:07d}"


def email_of(customer: int) -> str:
    """Return the e-mail address of a customer."""
    return f"c{customer}@example.com"
