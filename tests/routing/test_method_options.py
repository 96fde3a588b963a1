"""Options of routing methods, in routing runs and in folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.errors import InvalidInput
from engine.routing.method_options import option_faults, with_options
from engine.routing.run_model import RunRequest
from solvers.params import Method, Params

if TYPE_CHECKING:
    from conftest import World


async def test_a_limit_of_daily_orders_holds_over_the_runs_of_a_day(world: World) -> None:
    """Both nodes have it, east is closer. Seeded bug this catches: a limit that counts the orders of one run only."""
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    cascade = RunRequest(method="cascade", method_options={"daily_orders": 1})
    went = {}
    for order_id in ("o1", "o2", "o3"):
        await world.order(order_id, {"MUG": 1})
        await world.runs().execute(cascade)
        ((went[order_id], _, _),) = await world.sourced(order_id)
    assert went == {"o1": "east", "o2": "west", "o3": "east"}  # everybody has had one: the last rule has no limit


async def test_weights_of_a_run_choose_the_node(world: World) -> None:
    """West has more of it, from afar."""
    await world.count(east={"MUG": 3}, west={"MUG": 9})
    for order_id, weights in (("o1", {"stock": 0.0}), ("o2", {"cost": 0.0, "distance": 0.0})):
        await world.order(order_id, {"MUG": 1})
        await world.runs().execute(RunRequest(method="weighted", method_options=weights))
    assert [(await world.sourced(order_id))[0][0] for order_id in ("o1", "o2")] == ["east", "west"]


async def test_a_run_with_a_wrong_option_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput) as told:
        await world.runs().execute(RunRequest(method="cascade", method_options={"daily_order": 1}))
    assert str(told.value) == "$.method_options.daily_order: is no option of cascade; did you mean 'daily_orders'?"


@pytest.mark.parametrize(
    ("method", "options", "told"),
    [
        (Method.NEAREST, {"cost": 1}, ["o: nearest has no options; leave them out"]),
        (
            Method.CASCADE,
            {"daily_orders": 1.5},
            ["o.daily_orders: 1.5 is not valid; give a whole number from 0 to 1e+09"],
        ),
        (Method.WEIGHTED, {"cost": -1}, ["o.cost: -1 is not valid; give a number from 0 to 1e+09"]),
        (Method.WEIGHTED, {"cost": float("nan")}, ["o.cost: nan is not valid; give a number from 0 to 1e+09"]),
        (
            Method.WEIGHTED,
            dict.fromkeys(("cost", "distance", "split", "stock", "load"), 0),
            ["o: all weights are 0; give one above 0"],
        ),
        (Method.WEIGHTED, {"cost": 0}, []),
        (Method.AUTO, {}, []),
    ],
)
def test_what_is_wrong_with_options_is_told(method: Method, options: dict[str, float], told: list[str]) -> None:
    assert [str(fault) for fault in option_faults(method, options, "o")] == told


def test_kinds_that_nobody_ranked_come_last() -> None:
    params = with_options(Params(method=Method.CASCADE), {"rank_store": 1, "rank_dc": 5}, ["dc", "store", "", "vendor"])
    assert params.cascade.rank is not None
    assert params.cascade.rank.tolist() == [5, 1, 6, 3]
