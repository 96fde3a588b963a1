"""The one entry to order routing: a problem in; a plan, a proven bound and the reason for stopping out.

auto           one by one → prices by sweeps → one by one at prices → master → ruin and recreate → blocks → proof;
               one by one → a flow, where all orders that compete are of one unit
exact          one by one → prices by sweeps → the textbook model, by an exact solver
one_by_one     each order exactly, against what the orders before it left
nearest, ranked, fewest_splits   the baselines of `baselines.py`
cascade, weighted                rules with filters and with weights, of `cascade.py` and `weighted.py`
"""

from __future__ import annotations

from solvers.baselines import Rule, serve_by_rule
from solvers.cascade import serve_by_cascade
from solvers.params import Method, Params, Progress
from solvers.plan import RoutingResult
from solvers.prices import Map, no_prices
from solvers.problem import RoutingProblem
from solvers.search import Search
from solvers.stopping import Stopping
from solvers.tables import compile_tables
from solvers.weighted import serve_by_weights


def solve(
    problem: RoutingProblem,
    params: Params,
    stopping: Stopping,
    *,
    spread: Map = map,
    progress: Progress | None = None,
) -> RoutingResult:
    """Route a problem.

    `spread` is like `map` and may run its calls in parallel; results do not depend on it. Always returns a plan: a
    time limit or an empty problem ends in the best that is known, with a bound that is valid for the problem as given.
    Raises TooLarge (a ValueError) for a problem that method `exact` cannot hold.
    """
    compiled = compile_tables(problem)
    search = Search(compiled, params, stopping, spread, progress, compile_seconds=stopping.stopwatch())
    if params.method == Method.AUTO:
        search.run()
    elif params.method == Method.EXACT:
        search.referee()
    elif params.method == Method.ONE_BY_ONE:
        search.offer(search.in_sequence(no_prices(compiled), 1.0))
    elif params.method == Method.CASCADE:
        search.offer(serve_by_cascade(compiled, params.cascade))
    elif params.method == Method.WEIGHTED:
        search.offer(serve_by_weights(compiled, params.weights))
    else:
        search.offer(serve_by_rule(compiled, Rule(params.method)))
    return search.result()
