"""What a caller may choose about a solve: the method, and how much work it may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from solvers.plan import TracePoint
from solvers.rival_options import Cascade, Weights
from solvers.textbook import ExactSolver


class Method(StrEnum):
    """How a problem is routed."""

    AUTO = "auto"
    EXACT = "exact"
    ONE_BY_ONE = "one_by_one"
    NEAREST = "nearest"
    RANKED = "ranked"
    FEWEST_SPLITS = "fewest_splits"
    CASCADE = "cascade"
    WEIGHTED = "weighted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """How much work a solve may do; counted, so that the same problem and seed give the same plan."""

    method: Method = Method.AUTO
    seed: int = 0
    dual_steps: int = 350
    """Sweeps over all orders in search of prices; at most `small_dual_steps` where the exact search follows."""
    small_dual_steps: int = 200
    rounds_per_order: int = 20
    """Changes that ruin and recreate tries, per order that competes for something; `whole_rounds_per_order` where all
    of them fit into one block."""
    whole_rounds_per_order: int = 5
    most_rounds: int = 2_000_000
    """Changes it tries at most before blocks are solved."""
    together_orders: int = 5_000
    """From so many competing orders on, several explorers try changes at the same time."""
    few_orders: int = 100
    """Up to so many competing orders the master polishes prices of zero, before any are searched for."""
    polish_orders: int = 400
    """Up to so many competing orders a restricted master polishes the prices."""
    single_orders: int = 20_000
    """The same where every order has one line; such batches are also solved as one block."""
    whole_orders: int = 6000
    """Up to so many competing orders are solved as one block."""
    block_orders: int = 3000
    passes: int = 2
    """Times every order is in a block, without a time limit."""
    nodes: int = 50
    """Branch-and-bound nodes of an integer programme."""
    proof_orders: int = 1500
    """Up to so many competing orders an exact search raises the bound."""
    proof_columns: int = 20_000
    """Patterns that the exact search may take."""
    exact_solver: ExactSolver = ExactSolver.HIGHS
    exact_nodes: int = 5_000
    """Branch-and-bound nodes of method `exact`, without a time limit; CP-SAT counts work in seconds of its own."""
    exact_work_seconds: float = 120.0
    exact_threads: int = 1
    """Threads of CP-SAT, with a time limit."""
    cascade: Cascade = field(default_factory=Cascade)
    weights: Weights = field(default_factory=Weights)


Progress = Callable[[TracePoint], None]
"""Is told of every better plan and bound."""
