"""The web shop's rows become orders, returns and totals by day; small data by hand, and the real three weeks."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest

from api.cli.main import main
from engine.errors import InvalidInput
from engine.integrations.online_retail import import_online_retail

SKUS = """\
sku_no,stock_code,description,median_price,lines
1,85123A,WHITE  HANGING HEART,2.55,9
2,POST,POSTAGE,18.0,3
3,21730,GLASS STAR,4.25,5
4,M,Manual,-1.0,1
"""
LINES = """\
invoice,ts,sku_no,qty,unit_price,customer_no,country
1002,2011-03-02 09:00,1,6,2.55,7,France
1001,2011-03-01 10:05,3,2,4.25,5,United Kingdom
1001,2011-03-01 10:04,1,6,2.55,5,United Kingdom
1001,2011-03-01 10:05,1,4,2.10,5,United Kingdom
1001,2011-03-01 10:05,2,1,18.0,5,United Kingdom
C1003,2011-03-02 12:00,1,-3,2.55,5,United Kingdom
C1003,2011-03-02 12:00,4,-1,9.00,5,United Kingdom
C1004,2011-03-03 12:00,3,-1,4.25,,Unspecified
1005,2011-03-02 13:00,1,-50,0.0,,United Kingdom
A1006,2011-03-02 14:00,3,1,99.0,,United Kingdom
1007,2011-03-02 15:00,2,1,18.0,9,Germany
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "skus.csv").write_text(SKUS)
    (folder / "order_lines.csv").write_text(LINES)
    return folder


def rows(path: Path) -> list[list[str]]:
    body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.reader(body.decode().splitlines()))[1:]


def test_goods_are_ordered_and_returned_and_all_else_is_dropped(source: Path, tmp_path: Path) -> None:
    written = import_online_retail(source, tmp_path / "shop", None, None)
    assert (written.orders, written.returns, written.days) == (2, 2, 3)
    orders = rows(tmp_path / "shop" / "orders.csv.gz")
    assert [(row[0], row[1], row[5], row[6]) for row in orders] == [
        ("1001", "2011-03-01T10:04", "21730", "2"),
        ("1001", "2011-03-01T10:04", "85123A", "10"),  # 6 and 4, from the first instant on
        ("1002", "2011-03-02T09:00", "85123A", "6"),
    ]
    assert orders[2][3:5] == ["48.86", "2.35"]  # Paris
    assert rows(tmp_path / "shop" / "returns.csv") == [
        ["2011-03-02T12:00", "85123A", "3"],
        ["2011-03-03T12:00", "21730", "1"],
    ]
    assert rows(tmp_path / "shop" / "daily.csv") == [
        ["2011-03-01", "1", "12", "0"],
        ["2011-03-02", "1", "6", "3"],
        ["2011-03-03", "0", "0", "1"],
    ]
    (product, other) = json.loads((tmp_path / "shop" / "catalog.json").read_text())["products"]
    assert other == {"sku": "85123A", "name": "WHITE HANGING HEART", "weight_g": 280, "price_cents": 255}
    assert product["sku"] == "21730"


def test_days_are_cut_out(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "shop"
    command = ["import", "online-retail", str(source), str(folder), "--from", "2011-03-02", "--days", "1", "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out) == {
        "source": "online-retail",
        "folder": str(folder),
        "orders": 1,
        "returns": 1,
        "days": 1,
    }
    assert "start: 2011-03-02\ndays: 1\n" in (folder / "story.yaml").read_text()


def test_the_same_data_in_another_order_give_the_same_bytes(source: Path, tmp_path: Path) -> None:
    import_online_retail(source, tmp_path / "one", None, None)
    header, *lines = LINES.splitlines()
    (source / "order_lines.csv").write_text("\n".join([header, *lines[::-1]]) + "\n")
    import_online_retail(source, tmp_path / "two", None, None)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


@pytest.mark.parametrize(
    ("file", "replaced", "by", "told"),
    [
        (
            "order_lines",
            "2011-03-02 09:00",
            "2.3.2011",
            "order_lines.csv:2:ts: '2.3.2011' is not valid; give YYYY-MM-DD HH:MM",
        ),
        (
            "order_lines",
            "10:05,3,2",
            "10:05,33,2",
            "order_lines.csv:3:sku_no: '33' is not in skus.csv; did you mean '3'?",
        ),
        ("order_lines", ",6,2.55,7", ",six,2.55,7", "order_lines.csv:2:qty: 'six' is not valid; give a whole number"),
        ("skus", "median_price", "price", "skus.csv:1:price: unknown column 'price'"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(
    file: str, replaced: str, by: str, told: str, source: Path, tmp_path: Path
) -> None:
    path = source / f"{file}.csv"
    path.write_text(path.read_text().replace(replaced, by, 1))
    with pytest.raises(InvalidInput) as error:
        import_online_retail(source, tmp_path / "shop", None, None)
    assert str(error.value).startswith(told)
    assert not (tmp_path / "shop").exists()


def test_what_is_asked_for_in_vain_is_told(
    source: Path, tmp_path: Path, real_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = str(tmp_path / "shop")
    for arguments, told in (
        ([str(source), shop, "--days", "0"], "--days: 0 is not valid"),
        ([str(source), shop, "--from", "2012-01-01"], "--from: no order is of these days"),
        ([str(tmp_path), shop], "has no order_lines.csv"),
    ):
        assert main(["import", "online-retail", *arguments]) == 2
        assert told in capsys.readouterr().err
    assert main(["import", "brunel", str(real_data / "brunel"), shop, "--from", "2011-03-01"]) == 2
    assert "--from: goes with online-retail only" in capsys.readouterr().err
