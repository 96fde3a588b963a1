"""docs/reference/kpis.md has every KPI with its unit, direction and formula, as the table in the code has them."""

from __future__ import annotations

import re
from pathlib import Path

from engine.simulation.kpis import KPIS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "kpis.md"


def test_the_page_says_of_each_kpi_what_the_code_says() -> None:
    cells = (re.split(r" *\| *", row)[1:-1] for row in PAGE.read_text(encoding="utf-8").splitlines() if "| `" in row)
    rows = {row[0].strip("`"): tuple(row[1:]) for row in cells}
    assert rows == {kpi.name: (kpi.unit.value, kpi.better.value, kpi.formula) for kpi in KPIS}
