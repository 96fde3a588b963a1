"""The reader by arrays and a plain one, row by row, hold the same tables and refuse the same files in the same words.

Seeded once, and caught: a plus sign, a space or an underscore read as a plain number; a lone carriage return and a zero
byte taken for plain text; a sixteenth digit; a row one cell short before one that has one too many.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.routing.csv_cells import Split, split_plain, split_records
from engine.routing.csv_numbers import MOST_DIGITS, plain_decimals
from engine.routing.csv_table import MOST_FAULTS, Column, read_table

COLUMNS = (
    Column(name="id"),
    Column(name="note", blank=0),
    Column(name="units", kind=int, least=1, most=2**53 - 1),
    Column(name="days", kind=int, least=-5, blank=-77, optional=True),
    Column(name="degrees", kind=float, least=-180, most=180, blank=float("nan"), optional=True),
)
NUMBERS = [
    *("0", "1", "7", "42", "1000000", "9007199254740991", "9007199254740992", "999999999999999", "1000000000000000"),
    *("", " ", "-1", "-5", "-6", "-0", "+5", " 5", "5 ", "5\t", "007", "0x10", "1_000", "1e3", "1E2", "٣", "½", "1,5"),
    *("1.5", "-1.5", ".5", "5.", ".", "-", "-.", "--1", "1.2.3", "1-2", "179.99999999999999", "180.00000000000003"),
    *("0.1", "123.456789012345", "123.4567890123456789", "-0.0", "5e-324", "1e400", "nan", "NaN", "inf", "-inf"),
    *(
        "NULL",
        "NA",
        "true",
        "9" * 30,
        "0" * 20 + "7",
        "0" * 15 + "7",
        "-12.5\n",
        "3\n",
        "-5\n",
        "0.000000000000001",
        "0.0000000000000001",
    ),
]
IDS = ["a", "B", "é", "", " a", "a ", "10", "9", "日本", "x" * 70, 'say "so"', "a,b", "two\nlines", "c\rd", "nul\0", "﻿"]
WRITTEN = {int: "[0-9]{1,16}|-[1-9][0-9]{0,15}", float: "-?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?"}
Outcome = tuple[str, Any]


def by_arrays(folder: Path, body: bytes) -> Outcome:
    path = folder / "table.csv"
    path.write_bytes(body)
    try:
        table = read_table(path, COLUMNS)
    except InvalidInput as refusal:
        return "refused", [str(fault) for fault in refusal.faults]
    numbers = {name: [struct.pack("<d", v) for v in values.tolist()] for name, values in table.number.items()}
    lines = [table.line(row) for row in range(table.rows)]
    return "read", (dict(table.text), numbers, table.rows, lines, table.sha256)


def by_rows(body: bytes) -> Outcome:
    """Read the table as plainly as it can be said; headers are right here (test_bad_folders.py has the wrong ones)."""
    try:
        text = body.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        return "refused", [f"table.csv:{line}: byte {body[error.start]:#x} is not UTF-8; save the file as UTF-8"]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        numbered = [(reader.line_num, record) for record in reader if record]
    except csv.Error as error:
        return "refused", [f"table.csv: is not CSV: {error}; check its quotes"]
    (_, header), *records = numbered
    ragged = [
        f"table.csv:{line}: has {len(record)} values; the header names {len(header)} columns"
        for line, record in records
        if len(record) != len(header)
    ]
    if ragged:
        return "refused", ragged[:MOST_FAULTS]
    faults: list[str] = []
    texts: dict[str, list[str]] = {}
    numbers: dict[str, list[bytes]] = {}
    for column in COLUMNS:
        wrong, values = [], []
        for line, record in records if column.name in header else [(0, None)] * len(records):
            cell = record[header.index(column.name)] if record else ""
            value = cell_value(column, cell)
            if value is None:
                remedy = "is blank; give an id" if column.kind is str else not_valid(column, cell)
                wrong.append(f"table.csv:{line}:{column.name}: {remedy}")
            values.append(value)
        faults += wrong[:MOST_FAULTS]
        if column.kind is str:
            texts[column.name] = values
        elif not wrong:
            numbers[column.name] = [struct.pack("<d", value) for value in values]
    if faults:
        return "refused", faults
    return "read", (texts, numbers, len(records), [line for line, _ in records], hashlib.sha256(body).hexdigest())


def cell_value(column: Column, cell: str) -> Any:
    if column.kind is str:
        return cell if cell or column.blank is not None else None
    if not cell:
        return column.blank
    if not re.fullmatch(WRITTEN[column.kind], cell):
        return None
    value = column.kind(cell)
    return value if column.least <= value <= column.most else None


def not_valid(column: Column, cell: str) -> str:
    what = "a whole number" if column.kind is int else "a finite number"
    blank = ", or leave it blank" if column.blank is not None else ""
    return f"{cell!r} is not valid; give {what} from {column.least:.15g} to {column.most:.15g}{blank}"


def written(cell: str, quoted: bool) -> str:
    return '"' + cell.replace('"', '""') + '"' if quoted else cell


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Draw a table that is nearly right: the columns in some order, odd cells among good ones, a row out of shape."""
    header = list(draw(st.permutations([column.name for column in COLUMNS])))
    for optional in draw(st.sets(st.sampled_from(["days", "degrees"]))):
        header.remove(optional)
    good = {"id": "a", "note": "", "units": "3", "days": "2", "degrees": "-12.5"}
    odd = st.sampled_from(NUMBERS) | st.sampled_from(IDS) | st.text(max_size=5) | st.floats().map(repr)
    ends = draw(st.sampled_from([["\n"], ["\r\n"], ["\n", "\r\n"], ["\n", "\r\n", "\r", "\n\n"]]))
    quotes = st.just(False) if draw(st.booleans()) else st.booleans()
    shapes = st.just(0) if draw(st.booleans()) else st.sampled_from([0, 0, 0, 0, 1, -1])
    lines = [",".join(header)]
    for _ in range(draw(st.integers(0, 6))):
        cells = [draw(odd) if draw(st.integers(0, 7)) == 0 else good[name] for name in header]
        shape = draw(shapes)
        cells = cells[:shape] if shape < 0 else [*cells, *["1"] * shape]
        lines.append(",".join(written(cell, draw(quotes)) for cell in cells))
    body = "".join(line + draw(st.sampled_from(ends)) for line in lines)
    if draw(st.booleans()):
        body = body.rstrip("\r\n")
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + body.encode(errors="replace")


@pytest.mark.parametrize("text", [*NUMBERS, *IDS])
def test_every_odd_cell_is_judged_alike_in_every_column(tmp_path: Path, text: str) -> None:
    good = {"id": "a", "note": "", "units": "3", "days": "2", "degrees": "-12.5"}
    for name in good:
        for quoted in (False, True):
            cells = [written(cell, quoted) for cell in {**good, name: text}.values()]
            body = f"{','.join(good)}\n{','.join(good.values())}\n{','.join(cells)}\n".encode()
            assert by_arrays(tmp_path, body) == by_rows(body)


noise = st.lists(
    st.sampled_from([b"a", b"1", b",", b",", b"\n", b"\n", b"\r", b'"', b'"', b"\0", b" ", b"-", b".", b"\xff"])
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=files())
@example(body=b"id,note,units\na,,1\n\nb,,2")
@example(body=b"id,note,units\na,1\nb,,2,3\n")
@example(body=b"id,note,units\r\na,,1\r\n\r\n")
@example(body=b"id,note,units\na,,1\rb,,2\n")
@example(body=b"id,note,units\na\0,,1\n")
@example(body=b'id,note,units\n"a","",1\n"b,c","d""e",2\n')
@example(body=b'id,note,units\n"a"x,,1\n')
@example(body=b'id,note,units\na,"b"",""c",1\n')
@example(body=b'"id","note","units"\r\n"a","x\r\ny","1"\r\n')
@example(body=b"id,note,units\na\nb\nc\n")
@example(body=b"\n\nid,note,units\n\n\na,,0\n")
def test_two_readers_hold_the_same_table_or_refuse_it_in_the_same_words(tmp_path: Path, body: bytes) -> None:
    assert by_arrays(tmp_path, body) == by_rows(body)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=noise)
def test_they_agree_on_any_bytes_below_a_good_header(tmp_path: Path, pieces: list[bytes]) -> None:
    body = b"id,note,units\n" + b"".join(pieces)
    assert by_arrays(tmp_path, body) == by_rows(body)


def cells_of(split: Split) -> tuple[Any, ...]:
    lines = [split.line(row) for row in range(split.rows)]
    return split.header, split.rows, [column.texts() for column in split.columns], split.ragged, lines


@settings(max_examples=400, deadline=None)
@given(body=files() | noise.map(b"".join))
def test_plain_text_splits_into_the_cells_that_the_csv_module_finds(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError:
        return
    plain = split_plain(body)
    if plain is not None:
        assert cells_of(plain) == cells_of(split_records("table.csv", body))


@pytest.mark.parametrize(
    "body",
    [
        b'"a""b"\n',
        b'"a\nb"\n',
        b'a"b\n',
        b'"a"b\n',
        b'a,"b\n',
        b"a\rb\n",
        b"a\0\n",
        b"a,b\nc\n",
        b"a\nb,c\n",
        b"a,b\nc\nd\n",
        b"",
        b"\n\n",
        b"a" * 131_073,
    ],
)
def test_text_that_could_be_meant_otherwise_is_not_plain(body: bytes) -> None:
    assert split_plain(body) is None


def test_clean_text_is_plain_whatever_its_line_ends_and_quotes() -> None:
    """Otherwise all this would pass with a reader that never takes the short way."""
    for end in (b"\n", b"\r\n"):
        split = split_plain(
            b'\xef\xbb\xbfid,"units"' + end + '"日,本",1'.encode() + end + end + b'b,"2"' + end + b'"",""'
        )
        assert split is not None
        assert cells_of(split) == (["id", "units"], 3, [["日,本", "b", ""], ["1", "2", ""]], {}, [2, 4, 5])


@settings(max_examples=500, deadline=None)
@given(text=st.from_regex(r"-?[0-9]{0,18}\.?[0-9]{0,18}", fullmatch=True).filter(bool) | st.floats(-180, 180).map(repr))
def test_a_fraction_is_the_float_that_python_makes_of_it(text: str) -> None:
    split = split_plain(f"value\n{text}\n".encode())
    assert split is not None
    (value,), (plain,) = plain_decimals(split.columns[0])
    digits = sum(map(str.isdigit, text))
    assert plain == (0 < digits <= MOST_DIGITS and "e" not in text)
    if plain:
        assert struct.pack("<d", value) == struct.pack("<d", float(text))


@pytest.mark.parametrize("quote", ["", '"'])
def test_tables_longer_than_a_block_are_read_whole(tmp_path: Path, quote: str) -> None:
    """Blocks are 2^15 rows for numbers, 2^18 bytes for stops; one cell in the last block is odd, and right."""
    rows = 110_000
    path = tmp_path / "table.csv.gz"
    degrees = [f"{row % 180}.{row:06d}" for row in range(rows - 1)] + ["1e1"]
    body = "".join(f"{quote}é{row}{quote},,{row + 1},{degrees[row]}\n" for row in range(rows))
    text = f"id,note,units,degrees\n{body}".encode()
    path.write_bytes(gzip.compress(text, compresslevel=1))
    table = read_table(path, COLUMNS)
    assert split_plain(text) is not None
    assert table.text["id"] == split_records(path.name, text).columns[0].texts()
    assert table.text["id"] == [f"é{row}" for row in range(rows)]
    assert table.number["units"].tolist() == list(range(1, rows + 1))
    assert table.number["degrees"].tolist() == [float(text) for text in degrees]
    assert (table.number["days"] == -77).all()
    assert table.number["units"].dtype == np.int64
    assert table.fault(rows - 1, "units", "x").path == f"table.csv.gz:{rows + 1}:units"


def test_only_the_first_faults_of_a_column_are_told(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"id,note,units\n" + b",,x\n" * 100)
    with pytest.raises(InvalidInput) as caught:
        read_table(path, COLUMNS)
    assert [fault.path for fault in caught.value.faults] == [
        f"table.csv:{line}:{name}" for name in ("id", "units") for line in range(2, 2 + MOST_FAULTS)
    ]
