"""`allot calibrate` as contracts.md states it: columns, blanks, predictions, figures, refusals and exit codes."""

from __future__ import annotations

import csv
import gzip
import json
import random
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from api.cli.main import main as allot
from engine.calibration.lead_times import LeadTimes
from engine.calibration.learning import calibrate
from engine.calibration.shipments import COLUMNS, read_history

Row = dict[str, str]


def rows_of(count: int, *, first: str = "a", start: date = date(2026, 1, 1), seed: int = 1) -> list[Row]:
    """Return shipments of three nodes, two services and four zones, six a day."""
    dice = random.Random(seed)
    rows = []
    for at in range(count):
        node, service, zone = dice.randrange(3), dice.randrange(2), dice.randrange(4)
        ordered = start + timedelta(days=at // 6)
        days = 2 + node + 2 * service + zone + dice.choice((0, 0, 1, 1, 2, 4))
        rows.append(
            {
                "shipment_id": f"{first}{at}",
                "ordered_at": f"{ordered}T{dice.randrange(24):02}:30:00+02:00",
                "delivered_at": f"{ordered + timedelta(days=days)}T12:00:00+02:00",
                "node_id": f"node {node}",
                "service": ("ground", "express")[service],
                "zone": f"z{zone}",
                "distance_km": str(100 * zone + 5),
                "weight_g": str(dice.randrange(100, 5000)),
                "promised_on": str(ordered + timedelta(days=10)),
            }
        )
    return rows


def write(path: Path, rows: list[Row], columns: tuple[str, ...] = COLUMNS) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def predicted(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def train(tmp_path: Path) -> str:
    return write(tmp_path / "train.csv", rows_of(480))


def after(count: int = 60) -> list[Row]:
    return rows_of(count, first="t", start=date(2026, 4, 15), seed=2)


def test_a_score_is_json_and_predictions_are_a_date_per_shipment_in_the_order_of_the_file(
    train: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = after()
    random.Random(3).shuffle(rows)
    test, out = write(tmp_path / "test.csv", rows), tmp_path / "new" / "p.csv"
    assert allot(["calibrate", train, "--score", test, "--quantile", "0.8", "--predictions", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert out.read_bytes().startswith(b"shipment_id,promised_on\n")
    found = predicted(out)
    assert [row["shipment_id"] for row in found] == [row["shipment_id"] for row in rows]
    days = {row["shipment_id"]: date.fromisoformat(row["promised_on"]) for row in found}
    ordered = {row["shipment_id"]: datetime.fromisoformat(row["ordered_at"]).date() for row in rows}
    arrived = {row["shipment_id"]: datetime.fromisoformat(row["delivered_at"]).date() for row in rows}
    late = [(arrived[at] - days[at]).days for at in days]
    assert said["quantile"] == 0.8
    assert said["scored"] == said["shipments"] == said["recorded"]["scored"] == 60
    assert said["on_time_rate"] == pytest.approx(sum(day <= 0 for day in late) / 60, abs=1e-6)
    assert said["mean_promised_days"] == pytest.approx(sum((days[at] - ordered[at]).days for at in days) / 60, abs=1e-6)
    assert said["pinball_loss"] == pytest.approx(sum(max(0.8 * day, -0.2 * day) for day in late) / 60, abs=1e-6)
    assert said["recorded"]["mean_promised_days"] == 10
    assert said["same_shipments"]["pinball_loss"] == said["pinball_loss"]


@pytest.mark.parametrize("seed", [1])
def test_changing_what_happened_to_test_shipments_changes_no_prediction(seed: int, train: str, tmp_path: Path) -> None:
    """Seeded bug: learning from both files. Half of the tests are ordered while the history goes on."""
    rows = after(90) + rows_of(90, first="u", start=date(2026, 2, 1), seed=4)
    dice = random.Random(seed)
    changed = [
        {**row, "delivered_at": f"2026-{dice.randrange(2, 10):02}-11" if dice.random() < 0.8 else ""} for row in rows
    ]
    dates = []
    for name, some in (("as_it_was", rows), ("changed", changed)):
        out = tmp_path / f"{name}.predicted"
        test = write(tmp_path / f"{name}.csv", some)
        assert allot(["calibrate", train, "--score", test, "--predictions", str(out)]) == 0
        dates.append(out.read_bytes())
    assert dates[0] == dates[1]


def test_a_shipment_that_is_in_both_files_is_not_learned_from(tmp_path: Path) -> None:
    """Seeded bug: learning from it, which gives each lane of one shipment its own date."""
    rows = [{**row, "zone": f"own {at}"} for at, row in enumerate(rows_of(200))]
    slow = [{**row, "delivered_at": "2027-01-01"} for row in rows[100:]]
    dates = []
    for name, history in (("fast", rows), ("slow", rows[:100] + slow)):
        out = tmp_path / f"{name}.predicted"
        files = [write(tmp_path / f"{name}.csv", history), "--score", write(tmp_path / "test.csv", rows[100:])]
        assert allot(["calibrate", *files, "--predictions", str(out)]) == 0
        dates.append(out.read_bytes())
    assert dates[0] == dates[1]


def test_a_history_scored_on_itself_is_refused(train: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert allot(["calibrate", train, "--score", train]) == 2
    assert "divide them by time" in capsys.readouterr().err


@pytest.mark.parametrize(
    "columns",
    [COLUMNS[:3], (*COLUMNS[:3], "service"), (*COLUMNS[:3], "distance_km"), COLUMNS[::-1]],
    ids=["three columns", "no node", "distance only", "backwards"],
)
def test_all_but_three_columns_may_be_missing(columns: tuple[str, ...], tmp_path: Path) -> None:
    train = write(tmp_path / "train.csv", rows_of(300), columns)
    test = write(tmp_path / "test.csv", after(), tuple(name for name in columns if name != "delivered_at"))
    out = tmp_path / "p.csv"
    assert allot(["calibrate", train, "--score", test, "--predictions", str(out)]) == 0
    assert len(predicted(out)) == 60


def test_all_but_three_columns_may_be_blank(tmp_path: Path) -> None:
    dice = random.Random(5)
    rows = [
        {name: row[name] if name in COLUMNS[:3] or dice.random() < 0.5 else "" for name in row} for row in rows_of(300)
    ]
    train, test = write(tmp_path / "train.csv", rows), write(tmp_path / "test.csv", after())
    assert allot(["calibrate", train, "--score", test]) == 0


def test_rows_that_stand_twice_count_once_and_a_note_says_so(
    train: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seeded bug: counting them all, by which lanes seem to be known better than they are."""
    rows = rows_of(480)
    parcels = [{**row, "zone": "another", "promised_on": ""} for row in rows[:3]]
    dates = []
    for name, history in (("once", rows + parcels), ("thrice", rows + parcels + rows + rows)):
        out = tmp_path / f"{name}.predicted"
        files = [write(tmp_path / f"{name}.csv", history), "--score", write(tmp_path / "test.csv", after())]
        assert allot(["calibrate", *files, "--predictions", str(out)]) == 0
        dates.append(out.read_bytes())
    said = capsys.readouterr().err
    assert "thrice.csv: 960 rows say of a shipment what another row says" in said
    assert "once.csv" not in said
    assert dates[0] == dates[1]


def test_one_shipment_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = write(tmp_path / "train.csv", rows_of(1))
    out = tmp_path / "p.csv"
    assert allot(["calibrate", train, "--score", write(tmp_path / "t.csv", after(2)), "--predictions", str(out)]) == 0
    assert json.loads(capsys.readouterr().out)["scored"] == 2
    assert allot(["calibrate", train, "--out", str(tmp_path / "l.json")]) == 0
    assert "Lead times of 1 shipments" in capsys.readouterr().out


def test_what_was_learned_is_printed_as_json(train: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert allot(["calibrate", train, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["shipments"], said["lanes"], said["version"]) == (480, 24, 1)
    assert [row["service"] for row in said["services"]] == ["express", "ground"]


def test_a_gzip_file_with_dates_alone_reads_as_well(tmp_path: Path) -> None:
    path = tmp_path / "train.csv.gz"
    text = "shipment_id,ordered_at,delivered_at\n\n1,2026-01-01,2026-01-04\n2,2026-01-01 10:00,2026-01-03T23:59:59Z\n"
    path.write_bytes(gzip.compress(text.encode()))
    shipments = read_history(path)
    assert shipments.days.tolist() == [3, 2]
    assert shipments.has_time.tolist() == [False, True]


def test_days_are_calendar_days_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text("shipment_id,ordered_at,delivered_at\n1,2026-03-01T23:59:00-08:00,2026-03-02T00:01:00+09:00\n")
    assert read_history(path).days.tolist() == [1]


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("", "bad.csv", "is empty"),
        ("shipment_id,ordered_at,delivered_at\n", "bad.csv", "has no shipment"),
        ("shipment_id,ordered_at\n1,2026-01-01\n", "bad.csv:1:delivered_at", "missing"),
        ("shipment_id,ordered_at,ordered_at,delivered_at\n", "bad.csv:1:ordered_at", "twice"),
        (
            "shipment_id,ordered_at,delivered_at\n1,2026-01-01,2026-01-02\n2,2026-02-30,2026-03-04\n",
            "bad.csv:3:ordered_at",
            "no date",
        ),
        ("shipment_id,ordered_at,delivered_at\n\n1,2026-01-01,\n", "bad.csv:3:delivered_at", "is blank"),
        ("shipment_id,ordered_at,delivered_at\n,2026-01-01,2026-01-02\n", "bad.csv:2:shipment_id", "is blank"),
        ("shipment_id,ordered_at,delivered_at,weight_g\n1,2026-01-01,2026-01-02,-4\n", "bad.csv:2:weight_g", "'-4'"),
        (
            "shipment_id,ordered_at,delivered_at,distance_km\n1,2026-01-01,2026-01-02,nan\n",
            "bad.csv:2:distance_km",
            "'nan'",
        ),
        ("shipment_id,ordered_at,delivered_at\n1,2026-01-01,2026-01-02,x\n", "bad.csv:2", "has 4 values"),
        ('shipment_id,ordered_at,delivered_at\n"1,2026-01-01,2026-01-02\n', "bad.csv:2", "quotes"),
        (
            'shipment_id,zone,ordered_at,delivered_at\n1,"a\nb",2026-01-01,2026-01-02\n2,z,x,2026-01-02\n',
            "bad.csv:4:ordered_at",
            "'x'",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_place_and_the_remedy(
    text: str, place: str, remedy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    assert allot(["calibrate", str(path)]) == 2
    said = capsys.readouterr().err
    assert f"{place}: " in said
    assert remedy in said


def test_bytes_that_are_no_text_and_files_that_are_not_there_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(b"shipment_id,ordered_at,delivered_at\n\xff,2026-01-01,2026-01-02\n")
    assert allot(["calibrate", str(path)]) == 2
    assert "bad.csv:2: byte 0xff" in capsys.readouterr().err
    assert allot(["calibrate", str(tmp_path / "none.csv")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_shipment_that_arrived_before_its_order_is_told_and_counts_as_the_same_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "train.csv"
    path.write_text("shipment_id,ordered_at,delivered_at\n1,2026-01-05,2026-01-06\n2,2026-01-05,2026-01-01\n")
    assert read_history(path).days.tolist() == [1, 0]
    assert allot(["calibrate", str(path)]) == 0
    assert "train.csv:3:delivered_at: delivered before it was ordered" in capsys.readouterr().err


def test_an_id_that_stands_twice_is_refused_in_tests_only(
    train: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = after(3)
    twice = write(tmp_path / "twice.csv", [*rows, rows[0]])
    assert allot(["calibrate", twice]) == 0
    capsys.readouterr()
    assert allot(["calibrate", train, "--score", twice]) == 2
    assert "twice.csv:5:shipment_id: 't0' stands on line 2 too" in capsys.readouterr().err


def test_a_column_that_is_not_known_is_named_and_not_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "train.csv"
    path.write_text("shipment_id,ordered_at,delivered_at,zones\n1,2026-01-05,2026-01-06,x\n")
    assert allot(["calibrate", str(path)]) == 0
    assert "train.csv:1:zones: this column is not used; did you mean 'zone'?" in capsys.readouterr().err


def test_the_horizon_says_for_how_many_days_of_orders_it_is_learned(tmp_path: Path) -> None:
    """Days rise by one a week at the end; a short horizon follows that, a long one does not. Seeded bug: 30 always."""
    rows = rows_of(720)
    for at, row in enumerate(rows):
        late = timedelta(days=max(0, at // 6 - 92) // 4)
        row["delivered_at"] = str(datetime.fromisoformat(row["delivered_at"]).date() + late)
    train, promised = write(tmp_path / "train.csv", rows), {}
    for horizon in ("2", "30", None):
        out = tmp_path / f"lead-times-{horizon}.json"
        assert allot(["calibrate", train, "--out", str(out), *(["--horizon", horizon] if horizon else [])]) == 0
        lead_times = LeadTimes.read(out)
        promised[horizon] = lead_times.days(lead_times.lane("node 1", "ground", "z2", datetime(2026, 5, 1)), 0.5)
    assert promised["2"] > promised["30"] == promised[None]
    test = write(tmp_path / "test.csv", rows_of(40, first="t", start=date(2026, 5, 1), seed=2))
    dates = []
    for horizon in ("2", "200"):
        out = tmp_path / f"p-{horizon}.csv"
        assert allot(["calibrate", train, "--score", test, "--horizon", horizon, "--predictions", str(out)]) == 0
        dates.append(out.read_bytes())
    assert dates[0] != dates[1]


@pytest.mark.parametrize(
    "options",
    [
        ["--quantile", "1"],
        ["--quantile", "0"],
        ["--predictions", "p.csv"],
        ["--horizon", "0"],
        ["--horizon", "731"],
        ["--horizon", "nan"],
    ],
)
def test_options_that_make_no_sense_are_refused(options: list[str], train: str) -> None:
    assert allot(["calibrate", train, *options]) == 2


def test_the_learned_file_answers_as_the_model_does(train: str, tmp_path: Path) -> None:
    path = tmp_path / "lead-times.json"
    assert allot(["calibrate", train, "--out", str(path)]) == 0
    history = read_history(Path(train))
    learned, kept = calibrate(history), LeadTimes.read(path)
    for quantile in (0.1, 0.5, 0.9, 0.99):
        expected = learned.model.days(learned.vocabulary.ordered(history), quantile).tolist()
        found = []
        for at, row in enumerate(rows_of(480)):
            lane = kept.lane(
                row["node_id"],
                row["service"],
                row["zone"],
                datetime.fromisoformat(row["ordered_at"]),
                distance_km=float(history.distance_km[at]),
                weight_g=float(history.weight_g[at]),
            )
            found.append(kept.days(lane, quantile))
        assert found == expected
    assert kept.days(kept.lane("new", "", "nowhere", datetime(2026, 5, 1)), 0.9) > 0


@pytest.mark.parametrize("body", ["[]", "{", '{"version": 2}', '{"version": 1}'])
def test_a_file_that_was_not_learned_is_refused(body: str, tmp_path: Path) -> None:
    from engine.errors import InvalidInput

    path = tmp_path / "l.json"
    path.write_text(body)
    with pytest.raises(InvalidInput, match="allot calibrate"):
        LeadTimes.read(path)
