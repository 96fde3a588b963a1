"""KPIs of facts worked by hand, one by one, and the page that tells their formulas."""

from __future__ import annotations

import pytest

from engine.simulation.facts import Ending
from engine.simulation.kpi import margin_share
from engine.simulation.kpis import BY_NAME, HEADLINES, KPIS, kpis_of
from engine.simulation.tally import Tally
from tests.worked_facts import DAY, HOUR, LEDGER, LOST, day, node_day, orders, parcels, story


@pytest.fixture(scope="module")
def kpis() -> dict[str, float | None]:
    """Return those of ten orders; the figures below are worked out from these rows."""
    told = story()
    tally = Tally.of(told, 0)
    tally.orders(
        orders(
            {"requested_day": 1},
            {"parcels": 2, "cost_cents": 1_800, "delivered_day": 4, "requested_day": 4, "reroutes": 1, "rejections": 1},
            {"promised_day": 9, "delivered_day": 3, "delivered_s": 3 * DAY, "shipped_s": 34 * HOUR,
             "units_returned": 1},
            {"ending": Ending.CANCELLED, "units_shipped": 0, "lines_shipped": 0, "units_cancelled": 2, "parcels": 0,
             "lost_cents": 5_000, "revenue_cents": 0, "shipped_s": -1, "delivered_s": -1, "delivered_day": -1,
             "routed_s": -1, "cost_cents": 0},
            {"ending": Ending.OPEN, "units_shipped": 0, "lines_shipped": 0, "units_backordered": 2, "parcels": 0,
             "revenue_cents": 0, "shipped_s": -1, "delivered_s": -1, "delivered_day": -1, "routed_s": -1},
            {**LOST, "ending": Ending.NO_OFFER, "lost_cents": 4_000},
            {**LOST, "ending": Ending.TOO_LATE, "lost_cents": 3_000},
            {**LOST, "ending": Ending.TOO_DEAR, "lost_cents": 2_000},
        ),
        parcels({}, {"order": 1}, {"order": 1, "node": 1, "zone": 1, "units": 0, "distance_m": 500_000}, {"order": 2}),
    )  # fmt: skip
    nodes = [node_day(0, 0, units=5, capacity_units=10, backlog_units=4), node_day(0, 1, backlog_units=2)]
    windows = [{"at_s": HOUR, "orders": 3, "cost_cents": 1_050, "bound_cents": 1_000}, {"at_s": DAY, "orders": 1}]
    tally.day(*day(0, nodes, windows))
    tally.day(*day(1, [node_day(1, 0, units=10, capacity_units=10)]))
    return kpis_of(tally, LEDGER, told)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("orders_asked", 8),
        ("orders_accepted", 5),
        ("cost_per_order_cents", 4 * 900 / 3),
        ("shipping_per_order_cents", 4 * 600 / 3),
        ("cost_per_unit_cents", 3_600 / 6),
        ("cost_per_parcel_cents", 900),
        ("cost_above_promise_share", (900 + 1_800 + 900 - 2_700) / 2_700),
        ("contribution_per_order_cents", (0.6 * 15_000 + 5 * 300 - 3_600) / 8),
        ("split_rate", 1 / 3),
        ("parcels_per_order", 4 / 3),
        ("units_per_parcel", 6 / 4),
        ("distance_km_per_parcel", (100 + 100 + 500 + 100) / 4),
        ("distance_km_per_unit", 100),
        ("nearest_zone_share", 3 / 4),
        ("on_time_promise_share", 1 / 3),
        ("on_time_request_share", 1 / 2),
        ("promise_accuracy_share", 1 / 2),
        ("promise_error_days", (0 + 2) / 2),
        ("promised_days", (3 + 3 + 9 + 3 + 3) / 5),
        ("click_to_ship_p50_hours", 6),
        ("click_to_ship_p95_hours", 24),
        ("click_to_deliver_p50_hours", 50),
        ("click_to_deliver_p95_hours", 62),
        ("fill_rate_orders", 3 / 7),
        ("fill_rate_lines", 3 / 7),
        ("fill_rate_units", 6 / 14),
        ("backordered_units", 2),
        ("backorder_rate", 1 / 5),
        ("cancellation_rate", 1 / 5),
        ("open_orders_share", 1 / 5),
        ("stock_out_rate", 2 / 20),
        ("lost_orders_share", 3 / 8),
        ("lost_no_offer_share", 1 / 8),
        ("lost_sales_share", 14_000 / (14_000 + 15_000)),
        ("stock_out_cost_per_order_cents", 0.6 * (5_000 + 4_000 + 3_000) / 8),
        ("markdown_cost_cents", 0.3 * (490 - 30 * 10 / 5) * 200),
        ("node_utilisation_mean", 0.75),
        ("node_utilisation_p95", 1.0),
        ("backlog_units_mean", 6 / 2),
        ("backlog_units_peak", 6),
        ("reroute_rate", 1 / 3),
        ("rejection_rate", 1 / 5),
        ("return_rate", 1 / 6),
        ("orders_per_run", 2),
        ("bound_gap_share", 0.05),
    ],
)
def test_a_kpi_is_what_its_formula_says(kpis: dict[str, float | None], name: str, value: float) -> None:
    assert kpis[name] == pytest.approx(value)


def test_a_story_without_orders_has_no_quotients_and_fails_nowhere() -> None:
    told = story()
    kpis = kpis_of(Tally.of(told, 0), LEDGER, told)
    assert kpis["on_time_promise_share"] is None
    assert kpis["orders_asked"] == 0
    assert set(kpis) == {kpi.name for kpi in KPIS}


def test_names_are_said_once_and_headlines_are_kpis() -> None:
    assert len(BY_NAME) == len(KPIS)
    assert set(HEADLINES) <= set(BY_NAME)


def test_without_prices_all_of_a_price_is_margin() -> None:
    assert margin_share(story()) == pytest.approx(0.6)
