"""What customers pay: prices, tax by place and code, rounded by line, and what parts of an order are worth."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from order_shop import HOME, NOON, TODAY

from engine.errors import InvalidInput
from engine.orders.destination import Destination
from engine.orders.facts.money import Money
from engine.orders.facts.shipments import Shipment, ShipmentLine, ShipmentState
from engine.orders.life import CancelledUnits, Life
from engine.orders.model import Captured, Order, OrderState
from engine.orders.paying.pricing import StatedPrice, priced, tax_total_cents
from engine.orders.paying.taxes import TaxCountry, Taxes, TaxRate, TaxRegion, TaxTable, tax_faults
from engine.orders.paying.values import charged_for_cents, demand_values, wanted_cents
from engine.routing.model import OrderLine

NEW_YORK = TaxRegion(
    region="NY", postal_code_prefixes=("10", "100"), rates=(TaxRate(tax_code="standard", rate_ppm=88_750),)
)
TABLE = TaxTable(
    countries=(
        TaxCountry(
            country="DE",
            is_tax_included=True,
            rates=(TaxRate(tax_code="standard", rate_ppm=190_000), TaxRate(tax_code="reduced", rate_ppm=70_000)),
        ),
        TaxCountry(country="US", rates=(TaxRate(tax_code="standard", rate_ppm=0),), regions=(NEW_YORK,)),
    ),
    default_country="DE",
)
TAXES = Taxes(TABLE)
MUG, TEA = (
    OrderLine(line_id="1", sku="MUG", quantity=3),
    OrderLine(line_id="2", sku="TEA", quantity=1),
)


def test_tax_that_is_included_is_a_part_of_the_total_and_rounded_by_line() -> None:
    prices = priced(
        (MUG, TEA),
        (StatedPrice(unit_price_cents=333, discount_cents=1), StatedPrice(unit_price_cents=250, tax_code="reduced")),
        currency="EUR",
        destination=Destination(country="DE"),
        taxes=TAXES,
        shipping_cents=490,
    )
    assert prices.total_cents == 998 + 250 + 490
    assert [line.tax_cents for line in prices.lines] == [159, 16]  # 998 × 19/119 = 159.34, 250 × 7/107 = 16.36
    assert (prices.shipping_tax_cents, prices.is_tax_included) == (78, True)
    assert tax_total_cents(prices) == 159 + 16 + 78


def test_tax_of_the_region_with_the_longest_postal_code_is_added() -> None:
    prices = priced(
        (MUG,),
        (StatedPrice(unit_price_cents=1000),),
        currency="USD",
        destination=Destination(country="US", postal_code="10001"),
        taxes=TAXES,
        shipping_cents=400,
    )
    assert (prices.lines[0].total_cents, prices.lines[0].tax_cents) == (3266, 266)  # 3000 × 8.875 % = 266.25
    assert (prices.shipping_tax_cents, prices.total_cents) == (36, 3266 + 436)


def test_an_order_without_a_country_is_taxed_as_of_the_default_and_elsewhere_not_at_all() -> None:
    stated = (StatedPrice(unit_price_cents=119),)
    at_home = priced((TEA,), stated, currency="EUR", destination=HOME, taxes=TAXES)
    abroad = priced((TEA,), stated, currency="EUR", destination=Destination(country="CH"), taxes=TAXES)
    assert (at_home.lines[0].tax_cents, abroad.lines[0].tax_cents) == (19, 0)


def test_every_fault_of_prices_is_named_with_its_place_and_remedy() -> None:
    stated = (
        StatedPrice(unit_price_cents=100, discount_cents=301),
        StatedPrice(unit_price_cents=-1, tax_code="reducd"),
    )
    with pytest.raises(InvalidInput) as caught:
        priced(
            (MUG, TEA), stated, currency="eur", destination=Destination(country="DE"), taxes=TAXES, shipping_cents=-5
        )
    said = {fault.path: fault.message for fault in caught.value.faults}
    assert said == {
        "$.currency": "'eur' is no currency; give three capital letters of ISO 4217, such as EUR",
        "$.shipping_cents": "-5 is no amount; give a whole number of cents from 0 to 9007199254740991",
        "$.lines[0].discount_cents": "301 is more than the 300 cents of the line; give at most that",
        "$.lines[1].unit_price_cents": "-1 is no amount; give a whole number of cents from 0 to 9007199254740991",
        "$.lines[1].tax_code": "'reducd' has no rate in DE; "
        "add one to the tax rates, or correct it: did you mean 'reduced'?",
    }


def test_a_table_that_contradicts_itself_is_told_where() -> None:
    germany = TaxCountry(
        country="DE",
        shipping_tax_code="standrd",
        rates=(TaxRate(tax_code="standard", rate_ppm=1), TaxRate(tax_code="standard", rate_ppm=2)),
        regions=(NEW_YORK, NEW_YORK),
    )
    faults = [str(fault) for fault in tax_faults(TaxTable(countries=(germany, germany), default_country="FR"))]
    assert faults[0] == "$.countries[1].country: 'DE' repeats $.countries[0].country; give each once"
    assert "$.countries[0].shipping_tax_code: 'standrd' has no rate here; did you mean 'standard'?" in faults
    assert "$.countries[0].regions[1].region: 'NY' repeats $.countries[0].regions[0].region; give each once" in faults
    assert faults[-1] == "$.default_country: 'FR' is no country of the table; use one of: DE"


def order_of(lines: tuple[OrderLine, ...], demand: tuple[OrderLine, ...], cents: int, shipping_cents: int = 0) -> Order:
    captured = Captured(order_id="ord_1", channel="web", destination=HOME, lines=lines, demand=demand, captured_at=NOON)
    stated = tuple(StatedPrice(unit_price_cents=cents, discount_cents=min(cents, 1)) for _ in lines)
    prices = priced(lines, stated, currency="EUR", destination=HOME, shipping_cents=shipping_cents)
    return Order(captured=captured, state=OrderState.CAPTURED, life=Life(money=Money(prices=prices)))


def with_shipped(order: Order, *units: tuple[str, int], state: ShipmentState = ShipmentState.SHIPPED) -> Order:
    shipment = Shipment(
        shipment_id=f"shp_{len(order.life.shipments)}",
        node_id="north",
        service="ground",
        ship_on=TODAY,
        lines=tuple(ShipmentLine(line_id=line_id, sku="MUG", quantity=count) for line_id, count in units),
        state=state,
        released_at=NOON,
    )
    shipments = (*order.life.shipments, shipment)
    return replace(order, life=Life(money=order.life.money, shipments=shipments, cancelled=order.life.cancelled))


def test_a_kit_is_worth_its_price_spread_over_its_products() -> None:
    kit = OrderLine(line_id="k", sku="KIT", quantity=1)
    parts = (OrderLine(line_id="k/A", sku="A", quantity=1), OrderLine(line_id="k/B", sku="B", quantity=2))
    assert demand_values(order_of((kit, MUG), (*parts, MUG), 101)) == {"k/A": 33, "k/B": 67, "1": 302}


def test_a_kit_whose_products_are_counted_with_other_lines_is_spread_over_all() -> None:
    kit = OrderLine(line_id="k", sku="KIT", quantity=1)
    demand = (OrderLine(line_id="1", sku="MUG", quantity=4),)
    assert demand_values(order_of((kit, MUG), demand, 100)) == {"1": 99 + 299}


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 7), st.integers(0, 999)), min_size=1, max_size=4),
    st.integers(0, 500),
    st.randoms(use_true_random=False),
)
def test_what_ships_and_what_is_cancelled_comes_to_the_total_however_it_is_divided(
    lines: list[tuple[int, int]], shipping_cents: int, luck: object
) -> None:
    """Catches a share that is rounded by itself: a third of 100 three times is 99."""
    asked = tuple(OrderLine(line_id=str(at), sku=f"S{at}", quantity=count) for at, (count, _) in enumerate(lines))
    order = order_of(asked, asked, lines[0][1], shipping_cents)
    prices = order.life.money.prices
    assert prices is not None
    units = [line.line_id for line in asked for _ in range(line.quantity)]
    luck.shuffle(units)  # type: ignore[attr-defined]
    paid = 0
    for line_id in units:
        before = charged_for_cents(order)
        order = with_shipped(order, (line_id, 1))
        paid += charged_for_cents(order) - before
        assert charged_for_cents(order) <= wanted_cents(order)
    assert paid == prices.total_cents == wanted_cents(order)


def test_lost_units_are_not_charged_for_and_cancelled_ones_are_not_wanted() -> None:
    order = with_shipped(order_of((MUG,), (MUG,), 100, 50), ("1", 2), state=ShipmentState.LOST)
    assert (charged_for_cents(order), wanted_cents(order)) == (0, 349)
    shipped = with_shipped(order, ("1", 1))
    assert charged_for_cents(shipped) == 99 + 50
    life = Life(money=shipped.life.money, cancelled=(CancelledUnits(line_id="1", quantity=2),))
    assert wanted_cents(replace(shipped, life=life)) == 99 + 50
