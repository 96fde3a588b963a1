"""What a soak has reached, as a table: printed at its end, and written to `.soak/report.md`.

`reached`  per test: `reached("promise", holds=…)` puts a row into the table, with the seconds since the test began
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from faults.scale import SHARE

REPORT = Path(".soak") / "report.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one test has reached."""

    promise: str
    figures: dict[str, int | float]
    seconds: float


_rows: list[Row] = []


@pytest.fixture
def reached() -> Callable[..., None]:
    began = time.monotonic()

    def note(promise: str, **figures: int | float) -> None:
        _rows.append(Row(promise=promise, figures=figures, seconds=time.monotonic() - began))

    return note


def report() -> str:
    """Return the rows as a table in Markdown."""
    table = [("promise", "reached", "seconds")]
    for row in _rows:
        figures = ", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in row.figures.items())
        table.append((row.promise, figures, f"{row.seconds:,.1f}"))
    widths = [max(len(line[column]) for line in table) for column in range(3)]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in table]
    lines = [f"| {' | '.join(line)} |" for line in padded]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    share = f"{SHARE:g} of the full figures" if SHARE else "the short figures"
    return f"{when}, {share}, Python {platform.python_version()} on {platform.system()}\n\n" + "\n".join(lines) + "\n"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the report of a soak, and write it to a file."""
    if not _rows or not SHARE:
        return
    terminalreporter.section("what was reached")
    terminalreporter.write(report())
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(report(), encoding="utf-8")
    terminalreporter.write(f"\nwritten to {REPORT}\n")
