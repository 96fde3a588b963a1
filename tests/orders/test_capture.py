from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from engine.catalog.model import Catalog
from engine.errors import InvalidInput
from engine.network.model import Network
from engine.orders.capture import capture
from engine.orders.destination import Destination
from engine.orders.model import Captured, NewLine, NewOrder
from engine.orders.records import fingerprint
from engine.routing.model import OrderLine

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOME = Destination(latitude=44.0, longitude=-93.0)
ORDER = NewOrder(channel="web", destination=HOME, lines=(NewLine(sku="MUG", quantity=2),))


@pytest.fixture
def kept(network: Network, catalog: Catalog):  # type: ignore[no-untyped-def]
    def keep(**changes: object) -> Captured:
        return capture(replace(ORDER, **changes), "ord_1", NOON, network, catalog)  # type: ignore[arg-type]

    return keep


def faults(kept, **changes: object) -> list[tuple[str, str]]:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInput) as caught:
        kept(**changes)
    return [(fault.path, fault.message) for fault in caught.value.faults]


def lines(*wanted: tuple[str, int]) -> tuple[NewLine, ...]:
    return tuple(NewLine(sku=sku, quantity=quantity) for sku, quantity in wanted)


def test_lines_without_an_id_get_their_number(kept) -> None:
    captured = kept(lines=(NewLine(sku="TEA", quantity=1), NewLine(sku="MUG", quantity=2, line_id="b")))
    expected = (OrderLine(line_id="1", sku="TEA", quantity=1), OrderLine(line_id="b", sku="MUG", quantity=2))
    assert captured.lines == captured.demand == expected


def test_a_kit_comes_down_to_its_products_summed_with_the_other_lines(kept) -> None:
    captured = kept(lines=lines(("SET", 3), ("TEA", 1)))
    assert [line.sku for line in captured.lines] == ["SET", "TEA"]
    assert captured.demand == (
        OrderLine(line_id="1/MUG", sku="MUG", quantity=6),
        OrderLine(line_id="2", sku="TEA", quantity=4),
    )


def test_a_postal_code_gives_the_coordinates(kept) -> None:
    captured = kept(destination=Destination(postal_code="55414", country="US"))
    assert captured.destination == Destination(latitude=44.9, longitude=-93.2, postal_code="55414", country="US")


def test_every_fault_is_named_at_once(kept) -> None:
    wrong = lines(("MUG", 0), ("CUP", 10**6 + 1), ("MUG", 1))
    found = faults(kept, lines=wrong, service_level="standart", destination=Destination(latitude=91.0, longitude=0.0))
    assert [path for path, _ in found] == [
        "$.service_level",
        "$.destination.latitude",
        "$.lines[0].quantity",
        "$.lines[1].sku",
        "$.lines[1].quantity",
        "$.lines[2].sku",
    ]
    messages = [message for _, message in found]
    assert "did you mean 'standard'?" in messages[0]
    assert "0 is not a quantity; give a whole number from 1 to 1000000" in messages[2]
    assert "unknown SKU 'CUP'" in messages[3]
    assert "repeats $.lines[0].sku" in messages[5]


@pytest.mark.parametrize(
    ("destination", "path"),
    [
        (Destination(), "$.destination"),
        (Destination(latitude=44.0), "$.destination"),
        (Destination(postal_code="55414"), "$.destination"),
        (Destination(postal_code="99999", country="US"), "$.destination.postal_code"),
        (Destination(latitude=float("nan"), longitude=0.0), "$.destination.latitude"),
        (Destination(latitude=0.0, longitude=float("inf")), "$.destination.longitude"),
    ],
)
def test_a_destination_that_is_nowhere_is_refused(kept, destination: Destination, path: str) -> None:
    assert [found for found, _ in faults(kept, destination=destination)] == [path]


@pytest.mark.parametrize("count", [0, 1001])
def test_an_order_has_one_to_a_thousand_lines(kept, count: int) -> None:
    (fault,) = faults(kept, lines=lines(*[("MUG", 1)] * count))
    assert fault == ("$.lines", f"has {count} lines; give 1 to 1000")


def test_two_lines_with_one_id_are_refused(kept) -> None:
    wrong = (NewLine(sku="MUG", quantity=1, line_id="2"), NewLine(sku="TEA", quantity=1))
    assert [path for path, _ in faults(kept, lines=wrong)] == ["$.lines[1].line_id"]


def test_kits_that_come_to_more_units_than_any_line_may_have_are_refused(kept) -> None:
    (fault,) = faults(kept, lines=lines(("PALLET", 501)))
    assert fault == ("$.lines", "comes to 1002000 units of 'MUG' with its kits; the most is 1000000")


@pytest.mark.parametrize("name", ["order_id", "reservation_id", "channel"])
@pytest.mark.parametrize("value", ["", "a\nb", "x" * 129])
def test_ids_are_one_to_128_printable_characters(kept, name: str, value: str) -> None:
    assert [path for path, _ in faults(kept, **{name: value})] == [f"$.{name}"]


def test_an_order_captured_before_there_were_priorities_has_the_fingerprint_that_it_had_then() -> None:
    """Catches fields that are added to what is fingerprinted: orders sent again after an upgrade would be refused."""
    lines = (OrderLine(line_id="1", sku="MUG", quantity=2),)
    captured = Captured(
        order_id="ord_1",
        channel="web",
        destination=Destination(latitude=44.0, longitude=-93.0, country="US"),
        lines=lines,
        demand=lines,
        captured_at=NOON,
        reservation_id="res_1",
        need_by=date(2026, 11, 25),
        payment={"method": "card"},
    )
    then = "f1ede7ed939a7693f3930e608923e8e6afb792e163fbd3ee2607be86a9a4ccfb"
    assert fingerprint(captured) == then
    others = {
        fingerprint(replace(captured, priority=1)),
        fingerprint(replace(captured, customer_class="gold")),
        fingerprint(replace(captured, customer_class="silver")),
    }
    assert len(others | {then}) == 4
