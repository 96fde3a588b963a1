"""Order tables as plain values, to compare them by key."""

from __future__ import annotations

from engine.scenarios.orders import OrderTable


def described(table: OrderTable) -> dict[int, tuple[object, ...]]:
    """Return everything that is said of each order, by key; its lines are the last."""
    facts = zip(
        *(column.tolist() for column in (table.placed_s, table.latitude, table.longitude, table.place)),
        *(column.tolist() for column in (table.channel, table.need_by_days)),
        strict=True,
    )
    lines = [
        (table.skus[sku], quantity) for sku, quantity in zip(table.sku.tolist(), table.quantity.tolist(), strict=True)
    ]
    bounds = table.first_line.tolist()
    found = {
        key: (*of_order, sorted(lines[first:last]))
        for key, of_order, first, last in zip(table.key.tolist(), facts, bounds, bounds[1:], strict=False)
    }
    assert len(found) == len(table), "a key stands twice"
    return found
