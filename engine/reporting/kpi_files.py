"""What a result folder has for programs and people beside its results: `report.html`, `kpis.csv`, `kpis.parquet`.

The two tables are the same: a row a policy and KPI, with the mean over replications and the difference from the first
policy. Not here: facts (engine/simulation/fact_files.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.reporting.simulation_report import simulation_report
from engine.simulation.expectations import Checked
from engine.simulation.kpis import KPIS
from engine.simulation.results import StoryResults


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiRow:
    """A KPI of a policy; `…half_width` is None with one replication, and so is what has no value."""

    story: str
    policy: str
    kpi: str
    unit: str
    better: str
    replications: int
    mean: float | None
    half_width: float | None
    base_policy: str
    difference: float | None
    difference_half_width: float | None


def kpi_rows(results: StoryResults) -> list[KpiRow]:
    """Return every KPI of every policy; the first policy is the base."""
    base = next(iter(results.by_policy))
    rows = []
    for policy in results.by_policy:
        for kpi in KPIS:
            mean = results.mean(policy, kpi.name)
            found = None if policy == base else results.difference(policy, base, kpi.name)
            rows.append(
                KpiRow(
                    story=results.story.name,
                    policy=policy,
                    kpi=kpi.name,
                    unit=kpi.unit.value,
                    better=kpi.better.value,
                    replications=0 if mean is None else mean.replications,
                    mean=None if mean is None else mean.mean,
                    half_width=None if mean is None else mean.half_width,
                    base_policy=base,
                    difference=None if found is None else found.mean,
                    difference_half_width=None if found is None else found.half_width,
                )
            )
    return rows


def write_reports(results: StoryResults, out: Path, checked: Sequence[Checked] = ()) -> None:
    """Write report and tables into a folder; what is there is replaced, each file at once."""
    out.mkdir(parents=True, exist_ok=True)
    rows = kpi_rows(results)
    _replace(out / "report.html", simulation_report(results, checked).encode())
    _replace(out / "kpis.csv", _csv(rows))
    columns = {field.name: [getattr(row, field.name) for row in rows] for field in fields(KpiRow)}
    kinds = {"str": pa.string(), "int": pa.int64()}
    schema = pa.schema([(field.name, kinds.get(str(field.type), pa.float64())) for field in fields(KpiRow)])
    content = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, schema=schema), content)
    _replace(out / "kpis.parquet", content.getvalue().to_pybytes())


def _csv(rows: Sequence[KpiRow]) -> bytes:
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    names = [field.name for field in fields(KpiRow)]
    table.writerow(names)
    table.writerows([_cell(getattr(row, name)) for name in names] for row in rows)
    return written.getvalue().encode()


def _cell(value: object) -> object:
    return "" if value is None else repr(value) if isinstance(value, float) else value


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
