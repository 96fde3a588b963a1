"""Every wrong request is refused with the JSON path, the value and the remedy, all faults at once."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import InvalidInput
from engine.promising.model import Destination, PromiseRequest, WantedLine

NEAR = Destination(latitude=40.0, longitude=-75.0)
CUP = WantedLine(sku="cup", quantity=1)

WRONG = [
    ({"lines": (WantedLine(sku="cupp", quantity=1),)}, "$.lines[0].sku", "did you mean 'cup'?"),
    ({"lines": (WantedLine(sku="cup", quantity=0),)}, "$.lines[0].quantity", "0 is not a quantity"),
    ({"lines": (WantedLine(sku="cup", quantity=-3),)}, "$.lines[0].quantity", "-3"),
    ({"lines": (WantedLine(sku="cup", quantity=10**6 + 1),)}, "$.lines[0].quantity", "1000000"),
    ({"lines": (WantedLine(sku="set", quantity=10**6),)}, "$.lines[0].quantity", "3000000 units"),
    ({"lines": ()}, "$.lines", "at least one"),
    ({"lines": (CUP,) * 41}, "$.lines", "at most 40"),
    (
        {"lines": (WantedLine(sku="cup", quantity=1, line_id="2"), CUP)},
        "$.lines[1].line_id",
        "already the id of $.lines[0]",
    ),
    ({"destination": None}, "$.destination", "pickup_node_id"),
    ({"destination": Destination()}, "$.destination", "latitude and longitude, or postal_code and country"),
    ({"destination": Destination(latitude=1.0)}, "$.destination", "incomplete"),
    ({"destination": Destination(postal_code="190")}, "$.destination", "incomplete"),
    (
        {"destination": Destination(latitude=float("nan"), longitude=0.0)},
        "$.destination.latitude",
        "nan is not a latitude",
    ),
    (
        {"destination": Destination(latitude=0.0, longitude=181.0)},
        "$.destination.longitude",
        "from -180 to 180",
    ),
    (
        {"destination": Destination(postal_code="555", country="US")},
        "$.destination.postal_code",
        "not in the network",
    ),
    (
        {"destination": Destination(latitude=0.0, longitude=0.0, time_zone="Europe/Belrin")},
        "$.destination.time_zone",
        "did you mean 'Europe/Berlin'?",
    ),
    (
        {"destination": Destination(latitude=0.0, longitude=0.0, time_zone="../etc/passwd")},
        "$.destination.time_zone",
        "unknown time zone",
    ),
    ({"group": "warehouse"}, "$.group", "did you mean 'warehouses'?"),
    ({"pickup_node_id": "shp"}, "$.pickup_node_id", "did you mean 'shop'?"),
    ({"service_levels": ("nextday",)}, "$.service_levels[0]", "did you mean 'next_day'?"),
    ({"service_levels": ("pickup",)}, "$.pickup_node_id", "add it"),
    ({"service_levels": ("standard",), "pickup_node_id": "shop"}, "$.service_levels", "'pickup'"),
    ({"max_shipments": 0}, "$.max_shipments", "at least 1"),
]


@pytest.mark.parametrize(("changes", "path", "words"), WRONG)
async def test_a_wrong_request_names_path_value_and_remedy(
    world: Any, changes: dict[str, Any], path: str, words: str
) -> None:
    request = PromiseRequest(**({"lines": (CUP,), "destination": NEAR} | changes))
    with pytest.raises(InvalidInput) as refusal:
        await world.service.promise(request)
    messages = {fault.path: fault.message for fault in refusal.value.faults}
    assert path in messages
    assert words in messages[path]


async def test_all_faults_are_reported_at_once(world: Any) -> None:
    request = PromiseRequest(
        lines=(WantedLine(sku="cupp", quantity=0), WantedLine(sku="mug", quantity=1)),
        destination=Destination(latitude=99.0, longitude=999.0),
        group="x",
    )
    with pytest.raises(InvalidInput) as refusal:
        await world.service.promise(request)
    assert len(refusal.value.faults) == 6
