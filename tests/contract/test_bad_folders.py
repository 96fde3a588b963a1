"""Folders that break the contract: both readers refuse each of them, and name the place and the value."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import InvalidInput

Files = dict[str, str | bytes]
Reader = Callable[[Path], str]
Write = Callable[[Files], Path]

BAD_CELLS: dict[str, tuple[str, str, str, str]] = {
    # a sentence: (file, what is replaced, by what, the place that must be named)
    "a quantity is negative": ("order_lines.csv", "book,1", "book,-1", "order_lines.csv:3:quantity"),
    "a quantity is nothing": ("order_lines.csv", "book,1", "book,0", "order_lines.csv:3:quantity"),
    "a quantity is above a million": ("order_lines.csv", "book,1", "book,1000001", "order_lines.csv:3:quantity"),
    "a quantity has thirty digits": ("order_lines.csv", "book,1", f"book,{10**29}", "order_lines.csv:3:quantity"),
    "a quantity has ten thousand digits": (
        "order_lines.csv",
        "book,1",
        "book," + "9" * 10000,
        "order_lines.csv:3:quantity",
    ),
    "a quantity is a fraction": ("order_lines.csv", "book,1", "book,1.5", "order_lines.csv:3:quantity"),
    "a quantity is in words": ("order_lines.csv", "book,1", "book,one", "order_lines.csv:3:quantity"),
    "a quantity has an underscore": ("order_lines.csv", "book,1", "book,1_0", "order_lines.csv:3:quantity"),
    "a quantity has a plus sign": ("order_lines.csv", "book,1", "book,+1", "order_lines.csv:3:quantity"),
    "a quantity begins with a space": ("order_lines.csv", "book,1", "book, 1", "order_lines.csv:3:quantity"),
    "a quantity has twenty digits": ("order_lines.csv", "book,1", f"book,{1:020d}", "order_lines.csv:3:quantity"),
    "stock is minus nothing": ("stock.csv", "B,pen,5", "B,pen,-0", "stock.csv:3:available"),
    "a capacity is 2 to the 53": ("nodes.csv", "100,10,4,", f"100,10,{2**53},", "nodes.csv:2:capacity_units"),
    "a latitude ends in a space": ("nodes.csv", "A,dc,0,0", "A,dc,0 ,0", "nodes.csv:2:latitude"),
    "a longitude has a plus sign": ("nodes.csv", "A,dc,0,0", "A,dc,0,+5", "nodes.csv:2:longitude"),
    "a quantity is in Arabic digits": ("order_lines.csv", "book,1", "book,٣", "order_lines.csv:3:quantity"),
    "a quantity is not a number": ("order_lines.csv", "book,1", "book,NaN", "order_lines.csv:3:quantity"),
    "a quantity is blank": ("order_lines.csv", "book,1", "book,", "order_lines.csv:3:quantity"),
    "stock is negative": ("stock.csv", "B,pen,5", "B,pen,-5", "stock.csv:3:available"),
    "stock is blank": ("stock.csv", "B,pen,5", "B,pen,", "stock.csv:3:available"),
    "a weight is negative": ("products.csv", "pen,100", "pen,-100", "products.csv:2:weight_g"),
    "a weight is blank": ("products.csv", "pen,100", "pen,", "products.csv:2:weight_g"),
    "a weight is a fraction": ("products.csv", "pen,100", "pen,0.5", "products.csv:2:weight_g"),
    "handling costs less than nothing": ("nodes.csv", "100,10,4,", "-100,10,4,", "nodes.csv:2:parcel_cost_cents"),
    "a cost has cents of cents": ("nodes.csv", "100,10,4,", "100,10.5,4,", "nodes.csv:2:unit_cost_cents"),
    "a cost is blank": ("nodes.csv", "100,10,4,", "100,,4,", "nodes.csv:2:unit_cost_cents"),
    "a capacity is negative": ("nodes.csv", "100,10,4,", "100,10,-4,", "nodes.csv:2:capacity_units"),
    "a latitude is not a number": ("nodes.csv", "A,dc,0,0", "A,dc,NaN,0", "nodes.csv:2:latitude"),
    "a latitude is beyond the pole": ("nodes.csv", "A,dc,0,0", "A,dc,90.01,0", "nodes.csv:2:latitude"),
    "a longitude is infinite": ("nodes.csv", "A,dc,0,0", "A,dc,0,inf", "nodes.csv:2:longitude"),
    "a longitude is beyond the date line": ("orders.csv", "O1,0,0", "O1,0,180.5", "orders.csv:2:longitude"),
    "an order has no latitude": ("orders.csv", "O1,0,0", "O1,,0", "orders.csv:2:latitude"),
    "an order has no place at all": ("orders.csv", "O1,0,0", "O1,,", "orders.csv:2:latitude"),
    "a due date is before today": ("orders.csv", "O1,0,0,2", "O1,0,0,-2", "orders.csv:2:due_days"),
    "a due date is half a day": ("orders.csv", "O1,0,0,2", "O1,0,0,0.5", "orders.csv:2:due_days"),
    "an order may have fewer than no parcels": ("orders.csv", ",,1\n", ",,-1\n", "orders.csv:3:max_nodes"),
    "a zone ends before it begins": ("zones.csv", "near,50.5", "near,-1", "zones.csv:2:max_km"),
    "a zone ends where another ends": ("zones.csv", "near,50.5", "near,", "zones.csv:3:max_km"),
    "a zone ends at no number": ("zones.csv", "near,50.5", "near,nan", "zones.csv:2:max_km"),
    "a rate is negative": ("rates.csv", "1000,300,1", "1000,-300,1", "rates.csv:2:cost_cents"),
    "a rate has no last weight": ("rates.csv", "5000,500,2", ",500,2", "rates.csv:3:max_weight_g"),
    "a transit takes less than no time": ("rates.csv", "1000,300,1", "1000,300,-1", "rates.csv:2:transit_days"),
    "a node has no name": ("nodes.csv", "B,store", ",store", "nodes.csv:3:node_id"),
    "an order has no name": ("orders.csv", "O2,", ",", "orders.csv:3:order_id"),
    "a product has no name": ("products.csv", "pen,100", ",100", "products.csv:2:sku"),
    "a service has no name": ("rates.csv", "air,far", ",far", "rates.csv:4:service"),
    "stock lies at a node nobody knows": ("stock.csv", "B,book", "C,book", "stock.csv:4:node_id"),
    "stock is of a product nobody knows": ("stock.csv", "B,book", "B,cook", "stock.csv:4:sku"),
    "a line is of an order nobody placed": ("order_lines.csv", "O2,pen", "O9,pen", "order_lines.csv:4:order_id"),
    "a line is of a product nobody knows": ("order_lines.csv", "O2,pen", "O2,hen", "order_lines.csv:4:sku"),
    "a rate is for a zone nobody drew": ("rates.csv", "air,far", "air,moon", "rates.csv:4:zone"),
    "a node is there twice": ("nodes.csv", "B,store", "A,store", "nodes.csv:3:node_id"),
    "a product is there twice": ("products.csv", "book,800", "pen,800", "products.csv:3:sku"),
    "a stock pair is there twice": ("stock.csv", "B,pen,5", "A,pen,5", "stock.csv:3:"),
    "an order is there twice": ("orders.csv", "O2,0", "O1,0", "orders.csv:3:order_id"),
    "a line is there twice": ("order_lines.csv", "O1,book,1", "O1,pen,1", "order_lines.csv:3:"),
    "a zone is there twice": ("zones.csv", "far,", "near,", "zones.csv:3:zone"),
    "a step is there twice": ("rates.csv", "ground,near,5000", "ground,near,1000", "rates.csv:3:"),
    "a row has a cell too few": ("stock.csv", "B,pen,5", "B,pen", "stock.csv:3"),
    "a row has a cell too many": ("stock.csv", "B,pen,5", "B,pen,5,", "stock.csv:3"),
    "a quote is never closed": ("stock.csv", "B,pen,5", 'B,"pen,5', "stock.csv"),
    "a column is unknown": ("stock.csv", "available\n", "available,shelf\n", "stock.csv:1:shelf"),
    "a column is missing": ("products.csv", "weight_g", "weight", "products.csv:1:weight_g"),
    "a column is there twice": ("stock.csv", "node_id,sku,available\n", "node_id,sku,sku\n", "stock.csv:1:sku"),
    "a header begins with a blank": ("stock.csv", "sku,", " sku,", "stock.csv:1: sku"),
}

BAD_SETTINGS: dict[str, tuple[str, str, str]] = {
    # a sentence: (what is replaced, by what, what must be named)
    "a key is unknown": ('"line_split": "never"', '"line_splits": "never"', "line_splits"),
    "a required key is missing": ('"backorder_cost_cents_per_unit": 2000,', "", "backorder_cost_cents_per_unit"),
    "the version is missing": ('"version": 1,', "", "version"),
    "the version is of the future": ('"version": 1', '"version": 2', "version"),
    "the version is a text": ('"version": 1', '"version": "1"', "version"),
    "a cost is negative": ("2000", "-2000", "backorder_cost_cents_per_unit"),
    "a cost is a fraction": ("2000", "2000.5", "backorder_cost_cents_per_unit"),
    "a cost is a text": ("2000", '"2000"', "backorder_cost_cents_per_unit"),
    "a cost is true": ("2000", "true", "backorder_cost_cents_per_unit"),
    "a cost is not a number": ("2000", "NaN", "problem.json"),
    "a cost is null": ("2000", "null", "backorder_cost_cents_per_unit"),
    "lines are split sometimes": ('"never"', '"sometimes"', "line_split"),
    "lines are split if null": ('"never"', "null", "line_split"),
    "distances are negative": ('"version": 1', '"version": 1, "max_distance_km": -1', "max_distance_km"),
    "parcels are negative": ('"version": 1', '"version": 1, "max_nodes_per_order": -1', "max_nodes_per_order"),
    "a late day is a gain": ('"version": 1', '"version": 1, "late_day_cost_cents": -5', "late_day_cost_cents"),
    "a move is a gain": ('"version": 1', '"version": 1, "move_cost_cents": -5', "move_cost_cents"),
    "a move costs null": ('"version": 1', '"version": 1, "move_cost_cents": null', "move_cost_cents"),
    "the brace is never closed": ("}", "", "problem.json"),
}


def refused(read: Reader, folder: Path) -> str:
    """Return what the reader complains about, place by place."""
    with pytest.raises(InvalidInput) as caught:
        read(folder)
    return "\n".join(str(fault) for fault in caught.value.faults)


@pytest.mark.parametrize("sentence", BAD_CELLS)
def test_a_bad_cell_is_refused_at_its_place(read: Reader, files: Files, write: Write, sentence: str) -> None:
    file, old, new, place = BAD_CELLS[sentence]
    text = files[file]
    assert isinstance(text, str)
    assert old in text
    files[file] = text.replace(old, new, 1)
    assert any(line.startswith(place) for line in refused(read, write(files)).splitlines())


@pytest.mark.parametrize("sentence", BAD_SETTINGS)
def test_a_bad_setting_is_refused_by_its_key(read: Reader, files: Files, write: Write, sentence: str) -> None:
    old, new, named = BAD_SETTINGS[sentence]
    text = files["problem.json"]
    assert isinstance(text, str)
    assert old in text
    files["problem.json"] = text.replace(old, new, 1)
    complaint = refused(read, write(files))
    assert "problem.json" in complaint
    assert named in complaint


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"null", b"\xff\xfe", b"[" * 100_000])
def test_settings_that_are_no_object_are_refused(read: Reader, files: Files, write: Write, body: bytes) -> None:
    files["problem.json"] = body
    assert "problem.json" in refused(read, write(files))


def test_a_key_that_stands_twice_is_refused(read: Reader, files: Files, write: Write) -> None:
    files["problem.json"] = '{"version": 1, "backorder_cost_cents_per_unit": 1, "backorder_cost_cents_per_unit": 2}'
    assert "backorder_cost_cents_per_unit" in refused(read, write(files))


@pytest.mark.parametrize(
    "missing",
    ["problem.json", *(f"{t}.csv" for t in ("nodes", "products", "stock", "orders", "order_lines", "zones", "rates"))],
)
def test_a_folder_without_one_of_its_files_is_refused(read: Reader, files: Files, write: Write, missing: str) -> None:
    del files[missing]
    assert missing in refused(read, write(files))


def test_an_empty_folder_is_refused(read: Reader, tmp_path: Path) -> None:
    assert "problem.json" in refused(read, tmp_path)


def test_a_folder_that_is_not_there_is_refused(read: Reader, tmp_path: Path) -> None:
    assert "nowhere" in refused(read, tmp_path / "nowhere")


def test_a_file_in_place_of_a_folder_is_refused(read: Reader, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert "file" in refused(read, tmp_path / "file")


def test_a_table_both_plain_and_gzipped_is_refused(read: Reader, files: Files, write: Write) -> None:
    body = files["stock.csv"]
    assert isinstance(body, str)
    files["stock.csv.gz"] = gzip.compress(body.encode())
    complaint = refused(read, write(files))
    assert "stock.csv.gz" in complaint


@pytest.mark.parametrize(
    "spoil",
    [lambda body: body[:-9], lambda body: body[:12], lambda _: b"node_id,sku,available\n", lambda _: b"\x1f\x8b"],
    ids=["cut at the end", "cut in the middle", "not gzip", "two bytes"],
)
def test_a_gzip_file_that_is_cut_or_none_is_refused(
    read: Reader, files: Files, write: Write, spoil: Callable[[bytes], bytes]
) -> None:
    body = files.pop("stock.csv")
    assert isinstance(body, str)
    files["stock.csv.gz"] = spoil(gzip.compress(body.encode()))
    assert "stock.csv.gz" in refused(read, write(files))


def test_a_gzip_file_with_a_flipped_bit_is_refused(read: Reader, files: Files, write: Write) -> None:
    body = files.pop("stock.csv")
    assert isinstance(body, str)
    packed = bytearray(gzip.compress(body.encode()))
    packed[-6] ^= 1  # in the checksum
    files["stock.csv.gz"] = bytes(packed)
    assert "stock.csv.gz" in refused(read, write(files))


def test_beside_lanes_half_a_place_is_refused(read: Reader, lane_files: Files, write: Write) -> None:
    lane_files["orders.csv"] = "order_id,latitude,longitude\nO1,5,\nO2,0,0\n"
    assert refused(read, write(lane_files)).startswith("orders.csv:2:")


@pytest.mark.parametrize("table", ["nodes", "stock", "orders", "order_lines", "products", "zones", "rates"])
def test_a_table_without_even_a_header_is_refused(read: Reader, files: Files, write: Write, table: str) -> None:
    files[f"{table}.csv"] = b""
    assert f"{table}.csv" in refused(read, write(files))


def test_text_that_is_not_utf8_is_refused_with_its_line(read: Reader, files: Files, write: Write) -> None:
    files["stock.csv"] = b"node_id,sku,available\nA,pen,3\nB,caf\xe9,1\n"
    assert refused(read, write(files)).startswith("stock.csv:3")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("A,O1,", "C,O1,", "lanes.csv:2:node_id"),
        ("A,O2,", "A,O9,", "lanes.csv:3:order_id"),
        ("A,O2,", "A,O1,", "lanes.csv:3:"),
        ("air,100,1", "air,-100,1", "lanes.csv:2:cost_cents"),
        ("air,100,1", ",100,1", "lanes.csv:2:service"),
        ("transit_days", "days", "lanes.csv:1:days"),
    ],
)
def test_a_bad_lane_is_refused_at_its_place(
    read: Reader, lane_files: Files, write: Write, old: str, new: str, place: str
) -> None:
    lanes = lane_files["lanes.csv"]
    assert isinstance(lanes, str)
    lane_files["lanes.csv"] = lanes.replace(old, new, 1)
    assert any(line.startswith(place) for line in refused(read, write(lane_files)).splitlines())


BAD_EARLIER: dict[str, tuple[str, str, str]] = {
    # a sentence: (file, what it holds, the place that must be named)
    "a pin is of an order nobody placed": ("pins", "O1,pen,A\nO9,pen,A", "pins.csv:3:order_id"),
    "a pin is of a product nobody knows": ("pins", "O1,pen,A\nO1,hen,A", "pins.csv:3:sku"),
    "a pin is of a product that the order has not": ("pins", "O1,pen,A\nO2,book,A", "pins.csv:3:sku"),
    "a pin is to a node nobody knows": ("pins", "O1,pen,C", "pins.csv:2:node_id"),
    "a pin is to no node": ("pins", "O1,pen,", "pins.csv:2:node_id"),
    "a pin is of no order": ("pins", ",pen,A", "pins.csv:2:order_id"),
    "a pin is of no product": ("pins", "O1,,A", "pins.csv:2:sku"),
    "a line is pinned twice": ("pins", "O1,pen,A\nO2,pen,A\nO1,pen,B", "pins.csv:4:sku"),
    "an earlier plan has a row twice": ("current_plan", "O1,pen,A\nO1,pen,B\nO1,pen,A", "current_plan.csv:4:node_id"),
    "an earlier plan has a stale row twice": ("current_plan", "O9,hen,C\nO9,hen,C", "current_plan.csv:3:node_id"),
    "an earlier plan has a backorder twice": ("current_plan", "O1,pen,\nO1,pen,", "current_plan.csv:3:node_id"),
    "an earlier plan has a row of no order": ("current_plan", ",pen,A", "current_plan.csv:2:order_id"),
    "an earlier plan has a row of no product": ("current_plan", "O1,,A", "current_plan.csv:2:sku"),
}


@pytest.mark.parametrize("sentence", BAD_EARLIER)
def test_a_bad_row_of_earlier_decisions_is_refused_at_its_place(
    read: Reader, files: Files, lane_files: Files, write: Write, sentence: str
) -> None:
    table, rows, place = BAD_EARLIER[sentence]
    for folder in (files, lane_files):
        folder[f"{table}.csv"] = f"order_id,sku,node_id\n{rows}\n"
        assert any(line.startswith(place) for line in refused(read, write(folder)).splitlines())


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("order_id,sku,node_id,shelf\n", "current_plan.csv:1:shelf"),
        ("order_id,sku\n", "current_plan.csv:1:node_id"),
        ("", "current_plan.csv"),
        ("order_id,sku,quantity,node_id\nO1,pen,0,A\n", "current_plan.csv:2:quantity"),
        ("order_id,sku,quantity,node_id\nO1,pen,some,A\n", "current_plan.csv:2:quantity"),
    ],
)
def test_a_bad_form_of_an_earlier_plan_is_refused(
    read: Reader, files: Files, write: Write, text: str, place: str
) -> None:
    files["current_plan.csv"] = text
    assert any(line.startswith(place) for line in refused(read, write(files)).splitlines())


def test_moves_whose_costs_pass_2_to_the_64_are_refused(read: Reader, lane_files: Files, write: Write) -> None:
    """Seeded bug this catches: the sum taken in 64 bits, where it comes out as −2,048."""
    skus = [f"s{number}" for number in range(2048)]
    lane_files["problem.json"] = f'{{"version": 1, "backorder_cost_cents_per_unit": 1, "move_cost_cents": {2**53 - 1}}}'
    lane_files["order_lines.csv"] = "order_id,sku,quantity\n" + "".join(f"O1,{sku},1\n" for sku in skus)
    lane_files["current_plan.csv"] = "order_id,sku,node_id\n" + "".join(f"O1,{sku},A\n" for sku in skus)
    assert refused(read, write(lane_files)).startswith("problem.json")


def test_costs_that_could_pass_2_to_the_53_are_refused(read: Reader, files: Files, write: Write) -> None:
    """A million units at 10^12 cents each make 10^18, where sums in floating point are no longer exact."""
    files["problem.json"] = f'{{"version": 1, "backorder_cost_cents_per_unit": {10**12}}}'
    files["order_lines.csv"] = "order_id,sku,quantity\nO1,pen,1000000\n"
    complaint = refused(read, write(files))
    assert complaint.startswith("problem.json")
    assert "cost" in complaint


def test_several_faults_are_told_at_once(read: Reader, files: Files, write: Write) -> None:
    files["stock.csv"] = "node_id,sku,available\nA,pen,-3\nB,pen,x\nB,book,1\n"
    complaint = refused(read, write(files))
    assert "stock.csv:2:available" in complaint
    assert "stock.csv:3:available" in complaint
