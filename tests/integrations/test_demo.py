"""The main job in one command, on the real store."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.cli.main import main


def test_the_demo_promises_reserves_and_routes_a_day(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "deep" / "demo.html"
    assert main(["demo", "--data", str(data_dir), "--report", str(report)]) == 0
    told = capsys.readouterr().out
    for word in ("10 DCs, 50 stores", "cheapest", "945 orders", "committed 945", "proven lower bound", str(report)):
        assert word in told, word
    assert "nearest" in report.read_text(encoding="utf-8")
