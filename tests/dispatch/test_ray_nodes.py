"""A cluster of three nodes that is there already: joined by its address, for `make soak` as it takes a while."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from faults.scale import SHARE

from engine.integrations.generate import Recipe, generate
from engine.routing.route_folder import Options, route_folder

WHERE = """
import os
from engine.dispatch.options import RayOptions
from engine.dispatch.ray import Fleet, Session
from tests.dispatch.three_nodes import node_of
fleet = Fleet(RayOptions(workers=3, address=os.environ["ALLOT_RAY_ADDRESS"]))
print(len(set(Session(fleet)(node_of, range(60)))))
fleet.close()
"""


def beside_three_nodes(*command: str) -> str:
    script = Path(__file__).with_name("three_nodes.py")
    done = subprocess.run([sys.executable, str(script), *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.mark.skipif(not SHARE, reason="make soak runs it")
def test_a_batch_on_three_nodes_has_the_plan_of_threads(tmp_path: Path) -> None:
    """Seeded bug this catches: the address of the cluster not heeded, and the batch solved here."""
    generate(Recipe(orders=300, nodes=10, skus=60, seed=1), tmp_path / "day")
    route_folder(tmp_path / "day", tmp_path / "threads", Options(workers=2, deterministic=True))
    words = ["route", str(tmp_path / "day"), "--out", str(tmp_path / "ray"), "--ray", "--workers", "3"]
    beside_three_nodes(sys.executable, "-m", "api.cli.main", *words, "--deterministic")
    for name in ("plan.csv", "prices.csv", "summary.json"):
        assert (tmp_path / "ray" / name).read_bytes() == (tmp_path / "threads" / name).read_bytes()
    assert beside_three_nodes(sys.executable, "-c", WHERE).strip() == "3"
