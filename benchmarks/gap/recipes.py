"""Which instances are measured, the bars they are held to, and proof that they are the same everywhere.

Here: sizes, seeds, bars, instances on disk and their hashes. Not here: what is in an instance (`allot generate`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from api.cli.terminal import choose
from benchmarks.gap.child import allot
from engine.errors import Fault, InvalidInput

HASHES = Path(__file__).with_name("problem_sha256.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large an instance is, and its bars: seconds to load, solve and write, certified gap, peak memory in MB."""

    name: str
    orders: int
    nodes: int
    skus: int
    nodes_per_sku: float = 6.5
    seeds: tuple[int, ...] = (1, 2, 3)
    most_seconds: float
    most_gap: float
    most_peak_mb: float | None = None

    @property
    def title(self) -> str:
        """The size in words."""
        return f"{self.orders:,} × {self.nodes:,} × {self.skus:,}"


SIZES = {
    size.name: size
    for size in (
        Size(name="1k", orders=1_000, nodes=40, skus=2_000, most_seconds=5, most_gap=0.0005),
        Size(  # seed 3 is hardly contested: there one-by-one routing ends 4.5 % above the bound
            name="5k",
            orders=5_000,
            nodes=60,
            skus=5_000,
            seeds=(1, 2, 4),
            most_seconds=15,
            most_gap=0.001,
        ),
        Size(name="20k", orders=20_000, nodes=60, skus=5_000, most_seconds=60, most_gap=0.003),
        Size(name="100k", orders=100_000, nodes=200, skus=20_000, most_seconds=180, most_gap=0.005),
        Size(
            name="1m",
            orders=1_000_000,
            nodes=200,
            skus=50_000,
            seeds=(1,),
            most_seconds=480,
            most_gap=0.01,
            most_peak_mb=12_000,
        ),
        Size(  # two million stocked cells: memory must follow what is contested
            name="wide",
            orders=100_000,
            nodes=2_000,
            skus=100_000,
            nodes_per_sku=20,
            seeds=(1,),
            most_seconds=180,
            most_gap=0.02,
            most_peak_mb=6_000,
        ),
    )
}
MOST_FIRST_PLAN_SHARE = 0.1
"""Of the time, until a plan within NEAR_THE_FINAL_PLAN of the final one is there."""
NEAR_THE_FINAL_PLAN = 0.05
LEAST_CONTEST = 0.05
"""How far one-by-one routing must end above the bound, for an instance to count as contested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One problem folder of the benchmark."""

    size: Size
    seed: int

    @property
    def name(self) -> str:
        """Its name in the hashes, in folders and in results."""
        return f"{self.size.name}-seed{self.seed}"


def chosen_instances(sizes: str, seeds: str | None) -> list[Instance]:
    """Read `1k,5k` (or `all`) and `1,2` as instances; without seeds, each size has its own."""
    names = (
        list(SIZES) if sizes == "all" else [choose("--sizes", name.strip(), list(SIZES)) for name in sizes.split(",")]
    )
    given = None if seeds is None else [seed.strip() for seed in seeds.split(",")]
    faults = [
        Fault(path="--seeds", message=f"{seed!r} is not a seed; give whole numbers, such as 1,2")
        for seed in given or ()
        if not seed.isdecimal()
    ]
    if faults:
        raise InvalidInput(faults)
    return [
        Instance(size=SIZES[name], seed=seed)
        for name in names
        for seed in (SIZES[name].seeds if given is None else map(int, given))
    ]


def problem_sha256(folder: Path) -> str:
    """Hash the sorted lines `file name, NUL, sha256 of its bytes` of a problem folder of plain files."""
    lines = []
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            lines.append(f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def committed_hashes() -> dict[str, str]:
    """Return the hashes in the repository, by name of the instance."""
    hashes: dict[str, str] = json.loads(HASHES.read_text()) if HASHES.exists() else {}
    return hashes


def write_hashes(instances: Sequence[Instance], folder: Path) -> None:
    """Generate instances and write their hashes, those of other instances staying as they are."""
    found = {instance.name: problem_sha256(generated(instance, folder)) for instance in instances}
    known = committed_hashes() | found
    order = [f"{size.name}-seed{seed}" for size in SIZES.values() for seed in size.seeds]
    names = [*order, *sorted(set(known) - set(order))]
    HASHES.write_text(json.dumps({name: known[name] for name in names if name in known}, indent=2) + "\n")


def checked(instance: Instance, folder: Path) -> Path:
    """Return the problem folder of an instance, generated unless it is there; its hash is the committed one.

    Raises InvalidInput when it is another: figures of another problem would be compared with those of this one.
    """
    expected = committed_hashes().get(instance.name)
    if expected is None:
        message = f"{instance.name} has no committed hash; write it by --write-hashes, and commit {HASHES.name}"
        raise InvalidInput(Fault(path="--seeds", message=message))
    problem = generated(instance, folder)
    found = problem_sha256(problem)
    if found != expected:
        message = (
            f"has problem_sha256 {found[:12]}…, and {HASHES.name} says {expected[:12]}…; remove the folder to generate"
            " it anew, or, if `allot generate` was changed on purpose, write the hashes by --write-hashes"
        )
        raise InvalidInput(Fault(path=str(problem), message=message))
    return problem


def generated(instance: Instance, folder: Path) -> Path:
    """Return the problem folder of an instance, generated by `allot generate` unless it is there."""
    problem, staging = folder / instance.name, folder / f".{instance.name}.partial"
    if problem.exists():
        return problem
    shutil.rmtree(staging, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    size = instance.size
    counts = {"orders": size.orders, "nodes": size.nodes, "skus": size.skus, "seed": instance.seed}
    recipe = {**counts, "nodes-per-sku": size.nodes_per_sku}
    allot("generate", str(staging), *(f"--{name}={value}" for name, value in recipe.items())).expect_success()
    staging.rename(problem)
    return problem
