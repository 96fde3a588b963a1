"""`allot node`: switches nodes off in an emergency, and on again.

allot node off NODE --reason TEXT [--reroute]
allot node on NODE
allot node list
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from engine.bootstrap import Engine
    from engine.orders.closing import Closure


class Act(StrEnum):
    """What can be done with nodes."""

    off = "off"
    on = "on"
    list = "list"


def command(
    act: Annotated[Act, typer.Argument(metavar="off|on|list", help="What to do.")],
    node_id: Annotated[str, typer.Argument(metavar="[NODE]", help="The node.")] = "",
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why it is switched off.")] = None,
    reroute: Annotated[
        bool, typer.Option("--reroute", help="Route what it held, and all open orders, at once.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Switch a node off, so that it gets nothing new and what it has to ship goes elsewhere; or on again."""
    _check(act, node_id, reason)
    found = asyncio.run(_act(act, node_id, reason or "", data, reroute=reroute))
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode([dataclasses.asdict(each) for each in found]).decode())
        return
    for each in found:
        typer.echo(_line(each))
    if not found:
        typer.echo("no node was ever switched off")


def _check(act: Act, node_id: str, reason: str | None) -> None:
    if (act is Act.list) == bool(node_id):
        problem = f"{node_id!r} is too much" if node_id else "NODE is missing"
        raise InvalidInput(Fault(path=act, message=f"{problem}; write: allot node {act}{'' if node_id else ' NODE'}"))
    if act is Act.off and not reason:
        raise InvalidInput(
            Fault(path="--reason", message="say why the node is switched off; it is kept with its orders")
        )


async def _act(act: Act, node_id: str, reason: str, data: Path | None, *, reroute: bool) -> list[Closure]:
    from engine.bootstrap import allot_engine
    from engine.config import read_settings
    from engine.events.actor import acting_as

    async with allot_engine(read_settings(data)) as engine:
        with acting_as("allot node"):
            if act is Act.list:
                return await engine.closures.all()
            if act is Act.on:
                return [await engine.closures.reopen(node_id)]
            return [await _off(engine, node_id, reason, reroute=reroute)]


async def _off(engine: Engine, node_id: str, reason: str, *, reroute: bool) -> Closure:
    """Switch a node off, take away what it has to ship, and wait for the run that was asked for."""
    closure = await engine.closures.close(node_id, reason, reroute=reroute)
    await engine.closures.drain(closure, _tell if sys.stderr.isatty() else None)
    await engine.routing_runs.finish()
    return await engine.closures.find(node_id) or closure


def _tell(closure: Closure) -> None:
    typer.echo(f"{closure.node_id}: {closure.opened_orders} orders opened", err=True)


def _line(closure: Closure) -> str:
    if closure.reopened_at is not None:
        return f"{closure.node_id} is on (it was off: {closure.reason})"
    orders = f"{closure.opened_orders} orders opened"
    if closure.left_orders:
        orders += f", {closure.left_orders} stay, as units of them have left"
    if closure.pickup_orders:
        orders += f", {closure.pickup_orders} were to be picked up there and wait for people"
    run = f", routed by {closure.run_id}" if closure.run_id else ", open orders go elsewhere with the next run"
    return f"{closure.node_id} is off: {closure.reason}; {orders}{run}"
