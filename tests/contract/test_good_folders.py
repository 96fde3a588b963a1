"""Folders that keep the contract in unusual ways: both readers accept them, and name them by the same hash."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

Files = dict[str, str | bytes]
Reader = Callable[[Path], str]
Write = Callable[[Files], Path]


def expected_sha256(files: Files) -> str:
    """Hash the sorted lines `file name, NUL, sha256 of its uncompressed bytes`, as contracts.md says it."""
    lines = []
    for name, body in files.items():
        content = body.encode() if isinstance(body, str) else body
        content = gzip.decompress(content) if name.endswith(".gz") else content
        lines.append(f"{name.removesuffix('.gz')}\0{hashlib.sha256(content).hexdigest()}\n")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def test_a_plain_folder_is_accepted(read: Reader, files: Files, write: Write) -> None:
    assert read(write(files)) == expected_sha256(files)


def test_a_folder_with_lanes_needs_no_weights_zones_rates_or_coordinates(
    read: Reader, lane_files: Files, write: Write
) -> None:
    assert read(write(lane_files)) == expected_sha256(lane_files)


def test_gzipped_tables_are_the_same_problem_by_the_same_hash(read: Reader, files: Files, write: Write) -> None:
    plain = expected_sha256(files)
    for name in ("stock.csv", "orders.csv", "rates.csv"):
        body = files.pop(name)
        assert isinstance(body, str)
        files[f"{name}.gz"] = gzip.compress(body.encode())
    assert read(write(files)) == plain


def test_other_files_in_the_folder_do_not_matter(read: Reader, files: Files, write: Write) -> None:
    named = expected_sha256(files)
    assert read(write({**files, "README.md": "# A note"})) == named


UNUSUAL: dict[str, tuple[str, str, str]] = {
    # a sentence: (file, what is replaced, by what)
    "columns stand in another order": (
        "products.csv",
        "sku,weight_g\npen,100\nbook,800",
        "weight_g,sku\n100,pen\n800,book",
    ),
    "rows stand in another order": ("zones.csv", "near,50.5\nfar,\n", "far,\nnear,50.5\n"),
    "lines end as on Windows": ("stock.csv", "\n", "\r\n"),
    "the last line does not end": ("stock.csv", "B,book,1\n", "B,book,1"),
    "a name holds a comma, quotes and a line end": ("nodes.csv", "A,dc", 'A,"d, ""c""\nx"'),
    "optional columns are left out": (
        "orders.csv",
        ",due_days,max_nodes\nO1,0,0,2,\nO2,0,-1e-3,,1",
        "\nO1,0,0\nO2,0,0",
    ),
    "nodes have priorities, some of them blank": (
        "nodes.csv",
        "capacity_parcels\nA,dc,0,0,100,10,4,\nB,store,0,1.5,200,0,,2",
        "capacity_parcels,priority\nA,dc,0,0,100,10,4,,1\nB,store,0,1.5,200,0,,2,",
    ),
    "a table begins with a byte order mark": ("stock.csv", "node_id,", "\ufeffnode_id,"),
    "a line is blank": ("stock.csv", "B,book,1\n", "\nB,book,1\n\n"),
    "distances are limited": (
        "problem.json",
        '"version": 1,',
        '"version": 1, "currency": "USD", "max_distance_km": 12.5,',
    ),
    "a quantity is a million": ("order_lines.csv", "book,1", "book,1000000"),
    "stock is nothing": ("stock.csv", "B,book,1", "B,book,0"),
    "an order may have no parcel": ("orders.csv", ",,1\n", ",,0\n"),
    "nobody ordered anything": (
        "order_lines.csv",
        "order_id,sku,quantity\nO1,pen,2\nO1,book,1\nO2,pen,1\n",
        "order_id,sku,quantity\n",
    ),
    "the settings are all there": (
        "problem.json",
        '"version": 1,',
        '"version": 1, "name": "x", "split_cost_cents": 5, "late_day_cost_cents": null, "max_nodes_per_order": 0,',
    ),
    "lines may be split": ("problem.json", "never", "allowed"),
}


@pytest.mark.parametrize("sentence", UNUSUAL)
def test_an_unusual_folder_is_accepted(read: Reader, files: Files, write: Write, sentence: str) -> None:
    file, old, new = UNUSUAL[sentence]
    text = files[file]
    assert isinstance(text, str)
    assert old in text
    files[file] = text.replace(old, new)
    assert read(write(files)) == expected_sha256(files)


EARLIER: dict[str, tuple[str, str]] = {
    # a sentence: (file, what it holds)
    "lines are pinned": ("pins.csv", "node_id,sku,order_id\nA,pen,O1\nA,book,O1\nB,pen,O2\n"),
    "nothing is pinned": ("pins.csv", "order_id,sku,node_id\n"),
    "an earlier plan names nodes only": ("current_plan.csv", "order_id,sku,node_id\nO1,pen,A\nO1,book,\n"),
    "an earlier plan is a plan.csv": (
        "current_plan.csv",
        "order_id,sku,quantity,node_id,service\nO1,book,1,,\nO1,pen,1,A,air\nO1,pen,1,B,van\n",
    ),
    "an earlier plan is older than the batch": (
        "current_plan.csv",
        "order_id,sku,node_id\nO0,pen,A\nO1,hat,A\nO2,book,A\nO2,pen,C\n",
    ),
    "an earlier plan has quantities of nothing": ("current_plan.csv", "order_id,sku,quantity,node_id\nO1,pen,,A\n"),
}


@pytest.mark.parametrize("sentence", EARLIER)
def test_earlier_decisions_are_accepted(
    read: Reader, files: Files, lane_files: Files, write: Write, sentence: str
) -> None:
    file, text = EARLIER[sentence]
    for folder in (files, lane_files):
        folder[file] = text
        assert read(write(folder)) == expected_sha256(folder)
    lane_files[f"{file}.gz"] = gzip.compress(lane_files.pop(file).encode())  # type: ignore[union-attr]
    (write({}) / file).unlink()
    assert read(write(lane_files)) == expected_sha256(lane_files)


@pytest.mark.parametrize("header_only", [True, False], ids=["header only", "no byte at all"])
def test_beside_lanes_the_tables_they_replace_may_be_blank(
    read: Reader, lane_files: Files, write: Write, header_only: bool
) -> None:
    headers = {"products.csv": "sku,weight_g\n", "zones.csv": "zone,max_km\n"}
    headers["rates.csv"] = "service,zone,max_weight_g,cost_cents,transit_days\n"
    lane_files |= headers if header_only else dict.fromkeys(headers, "")
    assert read(write(lane_files)) == expected_sha256(lane_files)


def test_beside_lanes_coordinates_may_be_blank(read: Reader, lane_files: Files, write: Write) -> None:
    lane_files["orders.csv"] = "order_id,latitude,longitude\nO1,,\nO2,0,0\n"
    assert read(write(lane_files)) == expected_sha256(lane_files)


def test_a_day_without_orders_is_a_problem_like_any_other(read: Reader, files: Files, write: Write) -> None:
    files["orders.csv"] = "order_id,latitude,longitude\n"
    files["order_lines.csv"] = "order_id,sku,quantity\n"
    assert read(write(files)) == expected_sha256(files)
