"""A problem small enough to solve by hand, its optimal result, and a way to write both down.

Two towns A (0°, 0°) and B (0°, 1°) lie 111.195 km apart, so each is in zone `near` of itself and `far` of the other.

* O1 (in A, due in 2 days) wants 2 pens and 1 book; O2 (in B) the same; O3 (in A, due in 1 day) 1 lamp and 1 map.
* There is one book, in B. Pens are in both towns, the lamp only in A, the map only in B.

O1 with the book: pens and book (1,000 g) from B, ground, 3 days, one day late: 400 + 150, handling 200: 750.
O1 without: pens from A: 300 + 100 + 2·10 = 420, and 2,000 for the backorder: 2,420.
O2 with the book: both from B: 300 + 200 = 500. Without: pens from B 500, and 2,000: 2,500.
So the book goes to O2: 2,420 + 500 = 2,920 (the other way 750 + 2,500 = 3,250).
O3: the lamp (2,000 g) from A: 500 + 150 (one day late) + 100 + 10 = 760; the map from B by ground: 400 + 300 (two days
late) + 200 = 900 (air: 900 + 200 = 1,100); the split 50: 1,710. Backorders of 2,000 a unit are dearer.
Total 4,630: shipping 300 + 300 + 500 + 400 = 1,500, handling 100 + 200 + 100 + 200 = 600, units 20 + 10 = 30,
split 50, late 150 + 300 = 450, backorder 2,000.

At a price of 1,670 cents for the book, O1 costs min(750 + 1,670, 2,420) = 2,420, O2 min(500 + 1,670, 2,500) = 2,170,
O3 1,710, and the book gives 1,670 back: the bound is 4,630, so the plan is optimal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.verification.verdict import Verdict
from engine.verification.verify import verify

PROBLEM = {
    "problem.json": """{
  "version": 1,
  "name": "two towns",
  "currency": "EUR",
  "split_cost_cents": 50,
  "backorder_cost_cents_per_unit": 2000,
  "late_day_cost_cents": 150,
  "line_split": "never",
  "max_nodes_per_order": 2,
  "max_distance_km": 150
}
""",
    "nodes.csv": """node_id,kind,latitude,longitude,parcel_cost_cents,unit_cost_cents,capacity_units,capacity_parcels
A,dc,0,0,100,10,4,
B,store,0,1,200,0,,2
""",
    "products.csv": "sku,weight_g\nbook,800\nlamp,2000\nmap,50\npen,100\n",
    "stock.csv": "node_id,sku,available\nA,pen,3\nA,lamp,1\nB,book,1\nB,pen,5\nB,map,1\n",
    "orders.csv": "order_id,latitude,longitude,due_days\nO1,0,0,2\nO2,0,1,\nO3,0,0,1\n",
    "order_lines.csv": "order_id,sku,quantity\nO1,pen,2\nO1,book,1\nO2,pen,2\nO2,book,1\nO3,lamp,1\nO3,map,1\n",
    "zones.csv": "zone,max_km\nnear,50\nfar,\n",
    "rates.csv": """service,zone,max_weight_g,cost_cents,transit_days
ground,near,1000,300,1
ground,near,5000,500,2
ground,far,1000,400,3
ground,far,5000,700,4
air,near,1000,900,1
air,far,1000,900,1
""",
}
RESULT = {
    "plan.csv": """order_id,sku,quantity,node_id,service
O1,book,1,,
O1,pen,2,A,ground
O2,book,1,B,ground
O2,pen,2,B,ground
O3,lamp,1,A,ground
O3,map,1,B,ground
""",
    "prices.csv": "node_id,sku,resource,price_millicents\nB,book,stock,1670000\n",
}
SUMMARY = {
    "version": 1,
    "status": "optimal",
    "total_cost_cents": 4630,
    "lower_bound_cents": 4630,
    "bound_method": "prices",
    "gap": 0,
    "costs": {"shipping": 1500, "handling": 600, "units": 30, "split": 50, "late": 450, "backorder": 2000},
    "orders": 3,
    "parcels": 4,
    "split_orders": 1,
    "backordered_units": 1,
    "method": "by hand",
    "stop_reason": "optimal",
    "seed": 0,
    "problem_sha256": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """A problem folder and a result folder on disk, free to be spoilt."""

    problem: Path
    result: Path

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that must be there in one file of either folder."""
        path = (self.problem if (self.problem / file).exists() else self.result) / file
        text = path.read_bytes().decode()
        assert old in text, f"{old!r} is not in {file}"
        path.write_bytes(text.replace(old, new).encode())

    def say(self, **statements: object) -> None:
        """Change statements of summary.json; `costs_late=1` reaches into the costs."""
        path = self.result / "summary.json"
        summary = json.loads(path.read_text())
        for key, value in statements.items():
            if key.startswith("costs_"):
                summary["costs"][key.removeprefix("costs_")] = value
            else:
                summary[key] = value
        path.write_text(json.dumps(summary))

    def verify(self) -> Verdict:
        """Check the result as it now stands."""
        return verify(self.problem, self.result)

    def failed(self) -> set[str]:
        """Return the names of the checks that fail."""
        return {check.name for check in self.verify().checks if check.state == "failed"}

    def rehash(self) -> None:
        """State the hash of the problem as it now stands, worked out as contracts.md says it."""
        lines = sorted(
            f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in self.problem.iterdir()
        )
        self.say(problem_sha256=hashlib.sha256("".join(lines).encode()).hexdigest())


@pytest.fixture
def two_towns(tmp_path: Path) -> Folders:
    folders = Folders(problem=tmp_path / "problem", result=tmp_path / "result")
    for folder, files in ((folders.problem, PROBLEM), (folders.result, RESULT)):
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_bytes(text.encode())
    (folders.result / "summary.json").write_text(json.dumps(SUMMARY))
    folders.rehash()
    return folders


@pytest.fixture
def run_allot(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process; returns exit code, standard output and standard error."""
    from api.cli.main import main

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
