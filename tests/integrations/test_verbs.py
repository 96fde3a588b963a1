"""`allot generate` and `allot import` from the command line: what they print, and exit code 2 for bad input."""

import json
from pathlib import Path

import pytest

from api.cli.main import main


def test_generate_writes_a_folder_and_says_what_is_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--orders", "50", "--nodes", "6", "--skus", "20", "--seed", "3"]
    assert main(["generate", *sizes, "--json", str(tmp_path / "problem")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["orders"] == 50
    lines = (tmp_path / "problem" / "order_lines.csv").read_text().splitlines()
    assert said["order_lines"] == len(lines) - 1


def test_generate_refuses_what_it_cannot_make(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--orders", "0", "--nodes", "6", "--skus", "20", str(tmp_path / "problem")]) == 2
    assert "--orders: 0 is not in 1 …" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_import_brunel_writes_the_day(real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "brunel", str(real_data / "brunel"), str(tmp_path / "day"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["orders"], said["lanes"]) == (9215, 10934)
    assert (tmp_path / "day" / "lanes.csv").is_file()


def test_import_refuses_a_folder_without_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["import", "brunel", str(tmp_path / "empty"), str(tmp_path / "day")]) == 2
    assert "has no orders.csv or orders.csv.gz; copy it there" in capsys.readouterr().err
    assert main(["import", "brunel", str(tmp_path / "nowhere"), str(tmp_path / "day")]) == 2
    assert "is not a folder" in capsys.readouterr().err


def test_import_knows_its_data_sets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "sap", str(tmp_path), str(tmp_path / "day")]) == 2
    assert "brunel" in capsys.readouterr().err
