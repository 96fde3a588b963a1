"""The ids of orders: one that a channel's own id stands for is named by that, so that it is there once.

Not here: what an id may look like (capture.py).
"""

from __future__ import annotations

from hashlib import sha256
from uuid import uuid4

from engine.inventory.model import Replay
from engine.orders.model import NewOrder


def channel_name(channel: str, channel_order_id: str) -> str:
    """Return the id of the order that a channel knows by an id of its own."""
    named = "\0".join((channel, channel_order_id))
    return f"ord_{sha256(named.encode()).hexdigest()[:32]}"


def order_id_of(order: NewOrder, replay: Replay | None = None) -> str:
    """Return the id of a new order: its own, or by its channel's id, its idempotency key, or a new one."""
    if order.channel_order_id is not None:
        return channel_name(order.channel, order.channel_order_id)
    if order.order_id is not None:
        return order.order_id
    return f"ord_{uuid4().hex}" if replay is None else f"ord_{replay.digest[:32]}"
