"""The packaged demo day is sound, says what its README says, and is the same day as a problem folder."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from engine.catalog.model import compile_catalog
from engine.integrations.demo_data import DemoDay, demo_folder, demo_problem_folder, load_demo_day
from engine.network.model import compile_network
from engine.orders.capture import capture
from engine.routing.folder import read_problem
from solvers.params import Method, Params
from solvers.problem import NO_DUE_DATE, RoutingProblem
from solvers.solve import solve
from solvers.stopping import Stopping

MOST_FILE_BYTES = 300_000


@pytest.fixture(scope="module")
def day() -> DemoDay:
    return load_demo_day()


@pytest.fixture(scope="module")
def problem() -> RoutingProblem:
    return read_problem(demo_problem_folder()).problem


def test_the_day_has_the_counts_its_readme_states(day: DemoDay) -> None:
    assert Counter(node.kind for node in day.network.nodes) == {"dc": 10, "store": 50}
    assert len(day.catalog.products) == 1196
    assert len(day.orders) == 945
    assert sum(len(order.lines) for order in day.orders) == 3466
    assert sum(line.quantity for order in day.orders for line in order.lines) == 134_485
    assert len(day.positions) == 9644
    assert max(len(order.lines) for order in day.orders) == 8
    stated = (demo_folder() / "README.md").read_text()
    assert all(count in stated for count in ("945", "956", "1,919", "3,466", "134,485", "1,196", "9,644", "257"))


def test_every_order_can_be_captured_in_this_network_and_catalog(day: DemoDay) -> None:
    network = compile_network(day.network, 1)
    catalog = compile_catalog(day.catalog, 1)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    captured = [capture(order, order.order_id or "", now, network, catalog) for order in day.orders]
    assert len({order.order_id for order in captured}) == 945


def test_every_destination_is_a_real_zip_code_near_the_centroid_of_its_prefix(day: DemoDay) -> None:
    network = compile_network(day.network, 1)
    for order in day.orders:
        to = order.destination
        place = network.place_of("US", to.postal_code or "")
        assert place is not None
        assert to.latitude == pytest.approx(place.latitude, abs=3)
        assert to.longitude == pytest.approx(place.longitude, abs=5)


def test_stock_for_the_whole_day_exists_and_stores_hold_few_units(day: DemoDay) -> None:
    kinds = {node.node_id: node.kind for node in day.network.nodes}
    available: Counter[str] = Counter()
    for position in day.positions:
        available[position.sku] += position.on_hand - position.safety_stock
    demanded: Counter[str] = Counter()
    for order in day.orders:
        demanded.update({line.sku: line.quantity for line in order.lines})
    assert all(available[sku] >= units for sku, units in demanded.items())
    assert max(p.on_hand for p in day.positions if kinds[p.node_id] == "store") <= 13


def test_freight_costs_more_than_any_parcel_and_reaches_the_heaviest_order(day: DemoDay) -> None:
    services = {service.service: service for service in day.network.services}
    ground, freight = services["ground_advantage_retail"], services["freight"]
    for zone in (entry.zone for entry in day.network.zones):
        dearest = max(rate.cost_cents for rate in ground.rates if rate.zone == zone)
        assert min(rate.cost_cents for rate in freight.rates if rate.zone == zone) > dearest
    weights = {product.sku: product.weight_g for product in day.catalog.products}
    heaviest = max(sum(weights[line.sku] * line.quantity for line in order.lines) for order in day.orders)
    assert max(rate.max_weight_g for rate in freight.rates) >= heaviest


def test_usps_prices_are_the_published_ones(day: DemoDay) -> None:
    prices = {
        (service.service, rate.zone, rate.max_weight_g): rate.cost_cents
        for service in day.network.services
        for rate in service.rates
    }
    assert prices["ground_advantage_retail", "1", 113] == 720
    assert prices["ground_advantage_retail", "8", 31_751] == 17_780
    assert prices["priority_mail_retail", "5", 9071] == 4490
    assert prices["priority_mail_express", "8", 31_751] == 59_580
    assert day.network.zones[0].max_km == pytest.approx(50 * 1.609344)


def test_the_documents_files_are_bodies_the_api_takes_and_stay_small() -> None:
    folder = demo_folder()
    assert all(path.stat().st_size <= MOST_FILE_BYTES for path in folder.rglob("*") if path.is_file())
    positions = json.loads(gzip.decompress((folder / "positions.json.gz").read_bytes()))
    assert set(positions) == {"positions"}
    assert len(positions["positions"]) <= 10_000
    orders = json.loads(gzip.decompress((folder / "orders.json.gz").read_bytes()))
    assert set(orders) == {"orders"}


def test_the_problem_folder_is_the_same_day_as_the_documents(day: DemoDay, problem: RoutingProblem) -> None:
    nodes = sorted(day.network.nodes, key=lambda node: node.node_id)
    assert problem.nodes.node_ids == tuple(node.node_id for node in nodes)
    for name in ("latitude", "longitude", "parcel_cost_cents", "unit_cost_cents", "capacity_parcels", "priority"):
        assert getattr(problem.nodes, name).tolist() == [getattr(node, name) for node in nodes]
    products = sorted(day.catalog.products, key=lambda product: product.sku)
    assert problem.skus == tuple(product.sku for product in products)
    assert problem.weight_g.tolist() == [product.weight_g for product in products]
    stocked = {(position.sku, position.node_id): position.on_hand - position.safety_stock for position in day.positions}
    sku = np.repeat(np.arange(len(problem.skus)), np.diff(problem.stock.start))
    assert stocked == {
        (problem.skus[s], problem.nodes.node_ids[n]): units
        for s, n, units in zip(sku.tolist(), problem.stock.node.tolist(), problem.stock.available.tolist(), strict=True)
    }
    assert problem.terms.split_cost_cents == day.network.policy.split_cost_cents
    assert problem.terms.backorder_cost_cents_per_unit == day.network.policy.backorder_cost_cents_per_unit
    assert problem.rates.zones == tuple(zone.zone for zone in day.network.zones)
    assert set(problem.services) == {service.service for service in day.network.services}
    assert len(problem.rates.cost_cents) == sum(len(service.rates) for service in day.network.services)
    assert int(problem.rates.cost_cents.sum()) == sum(r.cost_cents for s in day.network.services for r in s.rates)


def test_the_problem_folder_holds_the_same_orders(day: DemoDay, problem: RoutingProblem) -> None:
    orders = sorted(day.orders, key=lambda order: order.order_id or "")
    assert problem.orders.order_ids == tuple(order.order_id for order in orders)
    assert problem.orders.latitude.tolist() == [order.destination.latitude for order in orders]
    assert problem.orders.longitude.tolist() == [order.destination.longitude for order in orders]
    due = [3 if order.service_level == "expedited" else NO_DUE_DATE for order in orders]
    assert problem.orders.due_days.tolist() == due
    row = np.repeat(np.arange(len(orders)), np.diff(problem.orders.line_start))
    assert [
        (orders[o].order_id, problem.skus[s], q)
        for o, s, q in zip(
            row.tolist(), problem.orders.line_sku.tolist(), problem.orders.line_quantity.tolist(), strict=True
        )
    ] == sorted((order.order_id, line.sku, line.quantity) for order in orders for line in order.lines)


def test_routing_matters_on_this_day(problem: RoutingProblem) -> None:
    """The rules of today's systems end well above exact routing, which serves nearly every unit."""
    stopping = Stopping(stopwatch=lambda: 0.0)
    exact = solve(problem, Params(method=Method.ONE_BY_ONE), stopping)
    assert exact.plan.backordered_units <= 0.001 * 134_485
    for method in (Method.NEAREST, Method.FEWEST_SPLITS):
        assert solve(problem, Params(method=method), stopping).total_cost_cents > 1.05 * exact.total_cost_cents


def test_the_demo_folder_is_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert (demo_folder() / "network.json").is_file()
