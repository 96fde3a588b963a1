"""A problem folder is written whole, sorted and the same every time, or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.routing.folder import read_problem
from engine.routing.folder_writer import Columns, ProblemTables, write_problem_folder
from engine.routing.settings import ProblemSettings


def tables(**changes: Columns) -> ProblemTables:
    parts: dict[str, Columns] = {
        "nodes": {
            "node_id": ["b", "a"],
            "kind": ["store", "dc"],
            "latitude": [41.5, 40.0],
            "longitude": [-87.0, -74.25],
            "parcel_cost_cents": [300, 100],
            "unit_cost_cents": [50, 20],
            "capacity_units": [None, 7],
            "capacity_parcels": [3, None],
        },
        "products": {"sku": ["red, large", "blue"], "weight_g": [100, 250]},
        "stock": {"node_id": ["b", "a", "a"], "sku": ["blue", "red, large", "blue"], "available": [1, 2, 3]},
        "orders": {"order_id": ["2", "10"], "latitude": [40.0, 41.0], "longitude": [-75.0, -80.0]},
        "order_lines": {"order_id": ["2", "10"], "sku": ["blue", "red, large"], "quantity": [1, 2]},
        "zones": {"zone": ["far", "near"], "max_km": [None, 100]},
        "rates": {
            "service": ["ground", "ground"],
            "zone": ["near", "far"],
            "max_weight_g": [1000, 1000],
            "cost_cents": [500, 900],
            "transit_days": [1, 3],
        },
    }
    return ProblemTables(settings=ProblemSettings(version=1, backorder_cost_cents_per_unit=6000), **(parts | changes))


def test_rows_are_sorted_by_code_point_lines_end_in_lf_and_only_what_must_be_is_quoted(tmp_path: Path) -> None:
    write_problem_folder(tmp_path / "out", tables())
    assert (tmp_path / "out" / "stock.csv").read_bytes() == (
        b'node_id,sku,available\na,blue,3\na,"red, large",2\nb,blue,1\n'
    )
    assert (tmp_path / "out" / "orders.csv").read_text().splitlines()[1].startswith("10,")
    assert (tmp_path / "out" / "nodes.csv").read_text().splitlines()[1] == "a,dc,40.0,-74.25,100,20,7,"
    assert (tmp_path / "out" / "zones.csv").read_text() == "zone,max_km\nnear,100\nfar,\n"
    assert not (tmp_path / "out" / "lanes.csv").exists()


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    write_problem_folder(tmp_path / "out", tables())
    problem = read_problem(tmp_path / "out").problem
    assert problem.nodes.node_ids == ("a", "b")
    assert problem.skus == ("blue", "red, large")
    assert problem.orders.order_ids == ("10", "2")
    assert problem.rates.zones == ("near", "far")


def test_pins_and_an_earlier_plan_read_back(tmp_path: Path) -> None:
    lines = {"order_id": ["2", "10"], "sku": ["blue", "red, large"]}
    before = {**lines, "node_id": [None, "a"], "quantity": [1, 2], "service": [None, "ground"]}
    settings = ProblemSettings(version=1, backorder_cost_cents_per_unit=6000, move_cost_cents=150)
    made = tables(pins={**lines, "node_id": ["b", "a"]}, current_plan=before)
    write_problem_folder(tmp_path / "out", replace(made, settings=settings))
    assert (tmp_path / "out" / "current_plan.csv").read_text() == (
        'order_id,sku,node_id,quantity,service\n10,"red, large",a,2,ground\n2,blue,,1,\n'
    )
    problem = read_problem(tmp_path / "out").problem
    assert problem.terms.move_cost_cents == 150
    assert problem.orders.line_pinned_node is not None
    assert problem.orders.line_pinned_node.tolist() == [0, 1]
    assert problem.orders.line_current_node is not None
    assert problem.orders.line_current_node.tolist() == [0, -1]


def test_a_folder_without_moves_keeps_the_bytes_it_had_before_there_were_any(tmp_path: Path) -> None:
    """The hashes of generated instances are committed."""
    write_problem_folder(tmp_path / "out", tables())
    assert "move" not in (tmp_path / "out" / "problem.json").read_text()


@pytest.mark.parametrize("sku", ['say "so"', "a,b", "two\nlines", "c\rd", "c\r\nd", " a ", "é", "#", "a'b"])
def test_ids_of_any_characters_read_back(tmp_path: Path, sku: str) -> None:
    changes: dict[str, Columns] = {
        "products": {"sku": [sku], "weight_g": [1]},
        "stock": {"node_id": ["a"], "sku": [sku], "available": [1]},
        "order_lines": {"order_id": ["2"], "sku": [sku], "quantity": [1]},
    }
    write_problem_folder(tmp_path / "out", tables(**changes))
    assert read_problem(tmp_path / "out").problem.skus == (sku,)


def test_large_tables_are_compressed_to_the_same_bytes_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_problem_folder(tmp_path / name, tables(), compress_above_bytes=60)
    packed = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    assert packed == {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}
    assert {"nodes.csv.gz", "zones.csv"} <= set(packed)
    assert len(read_problem(tmp_path / "one").problem.orders.order_ids) == 2


def test_a_table_that_breaks_the_contract_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown columns"):
        write_problem_folder(tmp_path / "out", tables(products={"sku": ["blue"], "weight_kg": [1]}))
    assert list(tmp_path.iterdir()) == []
