"""What an option costs, worked by hand: volume, cartons, surcharges, margins; the components sum to the total.

The world is described in conftest.py: ground costs 500 up to 1 kg and 800 up to 5 kg near by, a parcel 100 at the node,
a unit 10.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.promising.model import Destination, Option, Promise

HOME = Destination(latitude=40.0, longitude=-75.0, postal_code="99501", country="US", residential=True)


def cheapest(promise: Promise) -> Option:
    return promise.options[0]


def paid(option: Option) -> dict[str, int]:
    """What was paid for, without what was free."""
    found: dict[str, int] = msgspec.to_builtins(option.cost)
    assert sum(found.values()) == option.total_cost_cents
    per_parcel = [msgspec.to_builtins(parcel.cost) for parcel in option.shipments]
    for name, cents in found.items():
        assert name == "split_cents" or cents == sum(parcel.get(name, 0) for parcel in per_parcel)
    return {name.removesuffix("_cents"): cents for name, cents in found.items() if cents}


def cartons(option: Option) -> list[tuple[str | None, int, int]]:
    return [(c.carton, c.quantity, c.weight_g) for parcel in option.shipments for c in parcel.cartons]


@pytest.fixture
def sized(catalog: Any) -> Any:
    """Cups are cubes of 10 cm, saucers flat, trays 60 cm long, spoons of unknown size; each weighs 400 g."""
    for sku, edges in (("cup", (100, 100, 100)), ("saucer", (200, 20, 200)), ("tray", (20, 400, 600))):
        product = next(p for p in catalog["products"] if p["sku"] == sku)
        product |= dict(zip(("length_mm", "width_mm", "height_mm"), edges, strict=True))
    return catalog


@pytest.fixture
def boxed(network: Any) -> Any:
    """A small carton for one cup, a large one for eight; each holds 4 kg at most."""
    network["cartons"] = [
        {"carton": "L", "length_mm": 200, "width_mm": 200, "height_mm": 200, "max_weight_g": 4000, "tare_weight_g": 200}
        | {"cost_cents": 70},
        {"carton": "S", "length_mm": 110, "width_mm": 100, "height_mm": 100, "max_weight_g": 4000, "tare_weight_g": 50}
        | {"cost_cents": 30},
    ]
    return network


async def test_a_large_light_parcel_is_charged_by_its_volume(world: Any, network: Any, sized: Any) -> None:
    """A cup is 1,000 cm³: at 800 cm³ a kilogram that is 1,250 g, so the step up to 5 kg; its weight is 400 g."""
    await world.put_catalog(sized)
    await world.stock(("a", "cup", 9), ("a", "spoon", 9))
    assert paid(cheapest(await world.promise(("cup", 1)))) == {"shipping": 500, "handling": 100, "units": 10}
    network["services"][0]["dim_divisor"] = 800
    await world.put_network(network)
    assert paid(cheapest(await world.promise(("cup", 1)))) == {"shipping": 800, "handling": 100, "units": 10}
    assert paid(cheapest(await world.promise(("spoon", 1))))["shipping"] == 500
    network["services"][0]["dim_divisor"] = 1000  # exactly a kilogram
    await world.put_network(network)
    assert paid(cheapest(await world.promise(("cup", 1))))["shipping"] == 500
    assert paid(cheapest(await world.promise(("cup", 1), ("spoon", 1))))["shipping"] == 500


async def test_the_volume_is_that_of_the_carton(world: Any, boxed: Any, sized: Any) -> None:
    """The small carton has 1,100 cm³, a tenth more than the cup in it."""
    boxed["services"][0]["dim_divisor"] = 1000
    await world.put_catalog(sized)
    await world.put_network(boxed)
    await world.stock(("a", "cup", 9))
    option = cheapest(await world.promise(("cup", 1)))
    assert paid(option) == {"shipping": 800, "handling": 100, "units": 10, "packaging": 30}
    assert cartons(option) == [("S", 1, 450)]


async def test_each_carton_is_charged_its_own_rate(world: Any, boxed: Any, sized: Any) -> None:
    """Nine cups: eight in the large carton, 3,400 g with it, and one in a small one."""
    await world.put_catalog(sized)
    await world.put_network(boxed)
    await world.stock(("a", "cup", 99))
    option = cheapest(await world.promise(("cup", 9)))
    assert cartons(option) == [("L", 1, 3400), ("S", 1, 450)]
    assert paid(option) == {"shipping": 800 + 500, "handling": 100, "units": 90, "packaging": 100}
    many = cheapest(await world.promise(("cup", 35)))
    assert sorted(cartons(many)) == [("L", 1, 1400), ("L", 4, 3400)]
    assert paid(many)["shipping"] == 5 * 800


async def test_weight_opens_cartons_too_and_unknown_sizes_take_no_room(world: Any, boxed: Any, sized: Any) -> None:
    await world.put_catalog(sized)
    await world.put_network(boxed)
    await world.stock(("a", "spoon", 99))
    option = cheapest(await world.promise(("spoon", 11)))
    assert cartons(option) == [("S", 1, 4050), ("S", 1, 450)]


async def test_what_fits_no_carton_or_ships_alone_travels_as_it_is(world: Any, boxed: Any, sized: Any) -> None:
    sized["products"][0]["ship_alone"] = True
    await world.put_catalog(sized)
    await world.put_network(boxed)
    await world.stock(("a", "cup", 9), ("a", "tray", 9))
    option = cheapest(await world.promise(("cup", 2), ("tray", 1)))
    assert cartons(option) == [(None, 3, 400)]
    assert paid(option) == {"shipping": 1500, "handling": 100, "units": 30}


async def test_what_ships_alone_is_charged_alone_without_any_carton_too(world: Any, catalog: Any) -> None:
    catalog["products"][0]["ship_alone"] = True
    await world.put_catalog(catalog)
    await world.stock(("a", "cup", 9), ("a", "spoon", 9))
    option = cheapest(await world.promise(("cup", 2), ("spoon", 2)))
    assert paid(option) == {"shipping": 500 * 3, "handling": 100, "units": 40}


async def test_a_carton_that_no_service_carries_cannot_be_promised(world: Any, boxed: Any, sized: Any) -> None:
    boxed["services"][0]["dim_divisor"] = boxed["services"][1]["dim_divisor"] = 200  # 1,100 cm³ count as 5.5 kg
    await world.put_catalog(sized)
    await world.put_network(boxed)
    await world.stock(("a", "cup", 9))
    promise = await world.promise(("cup", 1))
    assert [line.reason for line in promise.unavailable] == ["no_service"]


async def test_surcharges_by_component(world: Any, boxed: Any, sized: Any) -> None:
    """Two cartons home to Alaska, one of them oversize; fuel is 12.5 % of rates and surcharges, rounded half up.

    rates 800 + 500, residential 2 × 99, remote 2 × 400, oversize 1 × 75, together 2,373; fuel 296.625.
    """
    boxed["services"][0] |= {
        "fuel_basis_points": 1250,
        "residential_cents": 99,
        "oversize": {"longest_mm": 199, "cents": 75},
        "remote_areas": [
            {"country": "US", "postal_prefixes": ["9", "99"], "cents": 300},
            {"country": "US", "postal_prefixes": ["995"], "cents": 400},
            {"country": "CA", "postal_prefixes": ["99501"], "cents": 9000},
        ],
    }
    await world.put_catalog(sized)
    await world.put_network(boxed)
    await world.stock(("a", "cup", 9))
    option = cheapest(await world.promise(("cup", 9), to=HOME))
    expected = {"shipping": 1300, "residential": 198, "remote_area": 800, "oversize": 75, "fuel": 297, "packaging": 100}
    assert paid(option) == expected | {"handling": 100, "units": 90}
    office = Destination(latitude=40.0, longitude=-75.0)
    assert paid(cheapest(await world.promise(("cup", 1), to=office))) == {
        "shipping": 500, "fuel": 63, "packaging": 30, "handling": 100, "units": 10
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "is_charged"),
    [
        ({"longest_mm": 600}, False),
        ({"longest_mm": 599}, True),
        ({"length_and_girth_mm": 600 + 2 * (400 + 20)}, False),
        ({"length_and_girth_mm": 600 + 2 * (400 + 20) - 1}, True),
        ({"weight_g": 400}, False),
        ({"weight_g": 399}, True),
        ({"longest_mm": 9999, "weight_g": 399}, True),
    ],
)
async def test_what_is_oversize(world: Any, network: Any, sized: Any, rule: dict[str, int], is_charged: bool) -> None:
    network["services"][0]["oversize"] = {**rule, "cents": 900}
    network["services"] = network["services"][:1]
    await world.put_catalog(sized)
    await world.put_network(network)
    await world.stock(("a", "tray", 9))
    assert paid(cheapest(await world.promise(("tray", 1)))).get("oversize", 0) == (900 if is_charged else 0)


async def test_the_cheapest_service_is_found_with_everything_that_is_added(world: Any, network: Any) -> None:
    """Ground costs 500 and 2,000 for a residence, air 2,000 and nothing more."""
    network["services"][0]["residential_cents"] = 2000
    await world.put_network(network)
    await world.stock(("a", "cup", 9))
    assert [p.service for p in cheapest(await world.promise(("cup", 1), to=HOME)).shipments] == ["air"]
    assert [p.service for p in cheapest(await world.promise(("cup", 1))).shipments] == ["ground"]


async def test_a_pick_up_pays_no_carrier_and_no_carton(world: Any, boxed: Any, sized: Any) -> None:
    boxed["services"][0]["fuel_basis_points"] = 1000
    await world.put_catalog(sized)
    await world.put_network(boxed)
    await world.stock(("shop", "cup", 9))
    option = cheapest(await world.promise(("cup", 2), to=None, pickup_node_id="shop"))
    assert paid(option) == {"units": 20}
    assert option.shipments[0].cartons is msgspec.UNSET


async def test_long_orders_are_packed_too(world: Any, boxed: Any) -> None:
    await world.put_network(boxed)
    await world.stock(*(("a", f"part-{i:02d}", 5) for i in range(14)))
    option = cheapest(await world.promise(*((f"part-{i:02d}", 1) for i in range(14))))
    assert cartons(option) == [("S", 1, 14 * 20 + 50)]
    assert paid(option) == {"shipping": 500, "handling": 100, "units": 140, "packaging": 30}


@pytest.fixture
def priced(catalog: Any) -> Any:
    catalog["products"][0] |= {"price_cents": 2000, "cost_cents": 900}
    catalog["products"][1] |= {"price_cents": 500, "cost_cents": 100}
    return catalog


def margins(promise: Promise) -> list[tuple[int, int, int, bool]]:
    return [
        (m.price_cents, m.cost_cents, m.margin_cents, m.is_unprofitable)
        for m in (option.margin for option in promise.options)
        if not isinstance(m, msgspec.UnsetType)
    ]


async def test_the_margin_is_price_less_cost_less_fulfillment(world: Any, priced: Any) -> None:
    """Ground for two cups costs 500 + 100 + 20, air 2,000 + 100 + 20."""
    await world.put_catalog(priced)
    await world.stock(("a", "cup", 9), ("a", "saucer", 9), ("a", "spoon", 9))
    assert margins(await world.promise(("cup", 2))) == [(4000, 1800, 1580, False), (4000, 1800, 80, False)]
    assert margins(await world.promise(("cup", 1), ("spoon", 1))) == []  # nobody knows what a spoon costs
    own = await world.promise(("cup", 2), each={"cup": {"price_cents": 1500}})
    assert margins(own)[0] == (3000, 1800, 580, False)
    assert margins(await world.promise(("set", 1)))[0] == (4500, 1900, 4500 - 1900 - 800 - 100 - 30, False)


async def test_a_kit_has_its_own_price_and_the_cost_of_its_products(world: Any, priced: Any) -> None:
    priced["kits"][0] |= {"price_cents": 4000, "ships_split": True}
    await world.put_catalog(priced)
    await world.stock(("a", "cup", 9), ("shop", "saucer", 9))
    promise = await world.promise(("set", 2))
    assert margins(promise)[0][:2] == (8000, 3800)


async def test_unprofitable_options_are_flagged_or_refused_as_the_policy_says(
    world: Any, network: Any, priced: Any
) -> None:
    """1,580 cents and 80 cents of 4,000 are left: 39.5 % and 2 %."""
    await world.put_catalog(priced)
    await world.stock(("a", "cup", 9))
    for limit, flags in (
        ({"min_margin_cents": 81}, [False, True]),
        ({"min_margin_cents": 80}, [False, False]),
        ({"min_margin_basis_points": 200}, [False, False]),
        ({"min_margin_basis_points": 201}, [False, True]),
        ({"min_margin_cents": 0, "min_margin_basis_points": 3951}, [True, True]),
    ):
        network["policy"] = {"split_cost_cents": 50, "unprofitable": "flag", **limit}
        await world.put_network(network)
        assert [margin[3] for margin in margins(await world.promise(("cup", 2)))] == flags, limit
        network["policy"]["unprofitable"] = "refuse"
        await world.put_network(network)
        promise = await world.promise(("cup", 2))
        assert len(promise.options) == flags.count(False)
        assert [line.reason for line in promise.unavailable] == (["unprofitable"] if all(flags) else [])


async def test_what_has_no_price_is_never_refused(world: Any, network: Any, priced: Any) -> None:
    network["policy"] = {"unprofitable": "refuse", "min_margin_cents": 10**9}
    await world.put_network(network)
    await world.put_catalog(priced)
    await world.stock(("a", "spoon", 9))
    assert (await world.promise(("spoon", 1))).options
