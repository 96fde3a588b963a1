"""The JSON of everything that was measured: written after every instance, and read back to show it again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.gap.recipes import SIZES, Instance
from benchmarks.gap.runs import Report, Run, missed
from benchmarks.gap.tables import medians
from engine.errors import Fault, InvalidInput


def document(reports: Sequence[Report], machine: str) -> dict[str, Any]:
    """Return the figures as plain data: the machine, medians by size, and every instance with its traces."""
    return {
        "machine": machine,
        "medians": medians(reports),
        "missed": [sentence for report in reports for sentence in missed(report)],
        "instances": [_instance(report) for report in reports],
    }


def _instance(report: Report) -> dict[str, Any]:
    size = report.instance.size
    return {
        "name": report.instance.name,
        "size": size.name,
        "orders": size.orders,
        "nodes": size.nodes,
        "skus": size.skus,
        "seed": report.instance.seed,
        "problem_sha256": report.problem_sha256,
        "contested": report.is_contested,
        "verified": report.verified,
        "verify_seconds": report.verify_seconds,
        "remarks": report.remarks,
        "above_bound": {method: report.above_bound(method) for method in report.runs},
        "runs": {method: asdict(run) for method, run in report.runs.items()},
    }


def write(path: Path, reports: Sequence[Report], machine: str) -> None:
    """Write the JSON, in place of an earlier one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.partial")
    staging.write_text(json.dumps(document(reports, machine), indent=1, ensure_ascii=False) + "\n")
    staging.replace(path)


def read(paths: Iterable[Path]) -> tuple[list[Report], str]:
    """Return what several files hold, by size and seed, and the machines; of an instance the last file counts.

    Raises InvalidInput naming a file that is not such a JSON.
    """
    found: dict[str, Report] = {}
    machines: list[str] = []
    for path in paths:
        try:
            text = json.loads(path.read_text())
            machines.append(text["machine"])
            found |= {entry["name"]: _report(entry) for entry in text["instances"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"cannot be read as figures of this benchmark: {error}"
            raise InvalidInput(Fault(path=str(path), message=message)) from None
    order = {name: at for at, name in enumerate(SIZES)}
    reports = sorted(found.values(), key=lambda one: (order[one.instance.size.name], one.instance.seed))
    return reports, "; ".join(dict.fromkeys(machines))


def _report(entry: dict[str, Any]) -> Report:
    return Report(
        instance=Instance(size=SIZES[entry["size"]], seed=entry["seed"]),
        problem_sha256=entry["problem_sha256"],
        runs={method: Run(**run) for method, run in entry["runs"].items()},
        remarks=entry["remarks"],
        verified=entry["verified"],
        verify_seconds=entry["verify_seconds"],
    )
