"""The windows of tests of slots: what `shop` offers, ways to take places of them, and to ask for promises.

`van` brings from `shop` (111 km from the place) and `a` on the day after, for 300 cents, every day but Sunday 8 March.
Its windows: from `shop` mornings (8:00 to 10:00, two orders, to be booked by 18:00 on the day before) and evenings
(18:00 to 20:00, one order, 300 cents). It is Wednesday 4 March 2026, noon.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.inventory.slots import BookedSlot, WantedSlot
from engine.promising.model import Destination

NEW_YORK = ZoneInfo("America/New_York")
HERE = Destination(latitude=40.0, longitude=-75.0, country="US", postal_code="19104")
PICKUP: dict[str, Any] = {"to": None, "pickup_node_id": "shop"}
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def slot(name: str, opens: str, closes: str, capacity: int = 1, **more: Any) -> dict[str, Any]:
    return {"slot": name, "node_id": "shop", "from": opens, "to": closes, "capacity": capacity, **more}


MORNING = slot("morning", "08:00", "10:00", 2, service="van", cut_off="18:00", cut_off_days=1, open_days=5)
EVENING = slot("evening", "18:00", "20:00", 1, service="van", fee_cents=300, open_days=5)


async def opened_shop(world: Any, network: Any) -> Any:
    """Put the network with its windows and 50 cups, and return the world."""
    rates = [{"zone": "near", "max_weight_g": 5000, "cost_cents": 300, "transit_days": 1}]
    network["calendars"].append({"calendar": "van", "working_days": WEEK, "holidays": ["2026-03-08"]})
    van = {"service": "van", "carrier": "own", "service_level": "expedited", "calendar": "van", "rates": rates}
    network["services"].append(van)
    network["slots"] = [dict(MORNING), dict(EVENING)]
    await world.put_network(network)
    await world.stock(("shop", "cup", 50))
    return world


async def opened_counter(shop: Any, network: Any) -> Any:
    """Open from 10:00 to 18:00, picking takes 90 minutes; windows of an hour from 10:00, 13:00 and 16:00."""
    hours = [{"from": "10:00", "to": "18:00"}]
    network["nodes"][2]["store_pickup"] = {"hours": hours, "picking_minutes": 90}
    network["slots"] = [slot(f"at-{hour}", f"{hour}:00", f"{hour + 1}:00", open_days=3) for hour in (10, 13, 16)]
    rates = [{"zone": "near", "max_weight_g": 5000, "cost_cents": 200, "transit_days": 1}]
    shuttle = {"service": "shuttle", "carrier": "own", "service_level": "ship_to_store", "calendar": "daily"}
    network["services"].append(shuttle | {"rates": rates})
    await shop.put_network(network)
    return shop


async def book(world: Any, name: str, day: int, times: int = 1, capacity: int = 99) -> None:
    """Take places of a window in March."""
    begins = datetime(2026, 3, day, 8, tzinfo=NEW_YORK)
    booked = BookedSlot(slot_id=f"{name}@2026-03-{day:02d}", begins=begins, ends=begins)
    wanted = WantedSlot(booked=booked, slot=name, day=date(2026, 3, day).toordinal(), capacity=capacity)
    for number in range(times):
        assert await world.slots.take(f"{name}-{day}-{number}", wanted, 3600) == "taken"


def ids(option: Any) -> list[str]:
    return [f"{found.slot_id.split('@')[0]} {found.day.day}" for found in option.slots]


async def promised(world: Any, **more: Any) -> Any:
    more = {"to": HERE, "service_levels": ("expedited",), **more}
    return await world.promise(("cup", 1), **more)
