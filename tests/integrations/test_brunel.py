"""The microchip maker's day becomes a problem folder whose optimum is the known one."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ortools.graph.python import min_cost_flow

from engine.errors import InvalidInput
from engine.integrations.brunel import Lane, build_tables, eligible_lanes, import_brunel
from engine.integrations.brunel_files import DataSet, read_data_set
from engine.routing.folder import read_problem


@pytest.fixture(scope="session")
def data_set(real_data: Path) -> DataSet:
    return read_data_set(real_data / "brunel")


@pytest.fixture(scope="session")
def lanes(data_set: DataSet) -> list[Lane]:
    return list(eligible_lanes(data_set))


@pytest.fixture
def copy(real_data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(real_data / "brunel", tmp_path / "source"))


def optimum(data: DataSet, lanes: list[Lane], days: int) -> list[Lane]:
    """Solve the transportation problem exactly, by min-cost flow, and return the lanes it uses."""
    orders = {order_id: place for place, order_id in enumerate(data.order_ids)}
    plants = {plant: len(orders) + place for place, plant in enumerate(data.orders_per_day)}
    sink = len(orders) + len(plants)
    backorder = build_tables(data, lanes, days).settings.backorder_cost_cents_per_unit
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = [
        flow.add_arc_with_capacity_and_unit_cost(orders[lane.order_id], plants[lane.plant], 1, lane.cost_cents)
        for lane in lanes
    ]
    for order in orders.values():
        flow.add_arc_with_capacity_and_unit_cost(order, sink, 1, backorder)
        flow.set_node_supply(order, 1)
    for plant, node in plants.items():
        flow.add_arc_with_capacity_and_unit_cost(node, sink, days * data.orders_per_day[plant], 0)
    flow.set_node_supply(sink, -len(orders))
    assert flow.solve() == flow.OPTIMAL
    return [lane for lane, arc in zip(lanes, arcs, strict=True) if flow.flow(arc)]


@pytest.mark.parametrize(
    ("days", "served", "cents", "dollars"),
    [
        (7, 9215, 1_552_357_707, "15523578.46"),
        (1, 2444, 119_080_673, "1190807.57"),
        (10_000, 9215, 1_552_199_595, "15521997.64"),
    ],
)
def test_the_exact_optimum_is_the_published_one(
    data_set: DataSet, lanes: list[Lane], days: int, served: int, cents: int, dollars: str
) -> None:
    used = optimum(data_set, lanes, days)
    assert len(used) == served
    assert sum(lane.cost_cents for lane in used) == cents
    assert f"{sum(lane.cost for lane in used):.2f}" == dollars


def test_the_folder_reads_back_as_one_unit_per_order_and_seven_days_of_capacity(
    real_data: Path, data_set: DataSet, lanes: list[Lane], tmp_path: Path
) -> None:
    import_brunel(real_data / "brunel", tmp_path / "day", days=7)
    problem = read_problem(tmp_path / "day").problem
    assert len(problem.orders.order_ids) == len(problem.orders.line_sku) == 9215
    assert set(problem.orders.line_quantity.tolist()) == {1}
    assert problem.lanes is not None
    assert len(problem.lanes.cost_cents) == len(lanes)
    assert int(problem.lanes.cost_cents.sum()) == sum(lane.cost_cents for lane in lanes)
    capacity = dict(zip(problem.nodes.node_ids, problem.nodes.capacity_parcels.tolist(), strict=True))
    assert capacity == {plant: 7 * limit for plant, limit in data_set.orders_per_day.items()}


def test_no_lane_leaves_a_plant_that_does_not_stock_the_product_or_serve_the_customer(
    data_set: DataSet, lanes: list[Lane]
) -> None:
    product = dict(zip(data_set.order_ids, data_set.products, strict=True))
    customer = dict(zip(data_set.order_ids, data_set.customers, strict=True))
    reserved = {plant for plant, _ in data_set.customers_of}
    assert {lane.plant for lane in lanes}.isdisjoint({"CND9"})
    assert all((lane.plant, product[lane.order_id]) in set(data_set.stocked) for lane in lanes[::50])
    assert all(
        (lane.plant, customer[lane.order_id]) in set(data_set.customers_of) for lane in lanes if lane.plant in reserved
    )


def replaced(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / file
        body = gzip.decompress(path.read_bytes()) if file.endswith(".gz") else path.read_bytes()
        assert old.encode() in body
        body = body.replace(old.encode(), new.encode(), 1)
        path.write_bytes(gzip.compress(body) if file.endswith(".gz") else body)

    return change


def truncated(folder: Path) -> None:
    path = folder / "orders.csv.gz"
    path.write_bytes(path.read_bytes()[:20_000])


def emptied(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (emptied, "has no orders.csv or orders.csv.gz"),
        (truncated, "orders.csv.gz: is not a whole gzip file"),
        (lambda folder: (folder / "plant_ports.csv").unlink(), "has no plant_ports.csv"),
        (lambda folder: (folder / "plant_ports.csv").write_text("plant,port\n"), "plant_ports.csv:2: holds no rows"),
        (replaced("plant_costs.csv", "cost_per_unit", "cost"), "plant_costs.csv:1:cost: unknown column 'cost'"),
        (replaced("plant_costs.csv", "0.5669761849295618", "NaN"), "plant_costs.csv:2:cost_per_unit: 'NaN'"),
        (replaced("plant_capacity.csv", ",1070", ",-1070"), "plant_capacity.csv:2:orders_per_day: '-1070'"),
        (replaced("plant_capacity.csv", "PLANT02", "PLANT01"), "plant_capacity.csv:3:plant: 'PLANT01' stands twice"),
        (replaced("plant_products.csv", "PLANT15", "PLANT99"), "plant_products.csv:2:plant: 'PLANT99' is not in"),
        (replaced("orders.csv.gz", ",CRF,", ",DTX,"), "orders.csv.gz:2:service_level: 'DTX' is not known"),
        (replaced("orders.csv.gz", ",808,14.3", ",808,heavy"), "orders.csv.gz:2:weight_kg: 'heavy'"),
        (replaced("orders.csv.gz", ",808,14.3", ",808.5,14.3"), "orders.csv.gz:2:qty: '808.5'"),
        (replaced("freight_rates.csv", ",AIR,", ",SEA,"), "freight_rates.csv:2:mode: 'SEA' is not known"),
        (replaced("freight_rates.csv", ",499.99,", ",1.99,"), "freight_rates.csv:2:max_kg: 1.99 is below min_kg"),
    ],
)
def test_a_damaged_data_set_is_refused_by_file_line_and_column_and_nothing_is_written(
    copy: Path, tmp_path: Path, damage: Callable[[Path], None], says: str
) -> None:
    damage(copy)
    with pytest.raises(InvalidInput) as refusal:
        import_brunel(copy, tmp_path / "out", days=7)
    assert says in str(refusal.value)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("days", [0, -1, 100_000])
def test_a_number_of_days_out_of_range_is_refused(real_data: Path, tmp_path: Path, days: int) -> None:
    with pytest.raises(InvalidInput, match="--days"):
        import_brunel(real_data / "brunel", tmp_path / "out", days=days)
