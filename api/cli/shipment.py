"""`allot shipment`: what nodes have to ship, and how far one shipment is.

allot shipment list [--node NODE] [--state STATE] [--limit N]
allot shipment show SHIPMENT
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from engine.bootstrap import Engine
    from engine.orders.facts.shipments import Shipment
    from engine.orders.model import Order


class Act(StrEnum):
    """What can be done."""

    LIST = "list"
    SHOW = "show"


def command(
    act: Annotated[Act, typer.Argument(metavar="list|show", help="What to do.")],
    shipment_id: Annotated[str, typer.Argument(metavar="[SHIPMENT]", help="show: the shipment's id.")] = "",
    node: Annotated[str | None, typer.Option("--node", metavar="NODE", help="list: what this node has.")] = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="list: released, picking or packed.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="list: at most so many.")] = 20,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """List what nodes have to pick, pack and hand over, what leaves first first; or show one shipment."""
    if act is Act.SHOW:
        _show(shipment_id, data, as_json=as_json)
        return
    if state is not None:
        from api.cli.terminal import choose
        from engine.orders.facts.shipments import WITH_NODE

        choose("--state", state, sorted(each.value for each in WITH_NODE))
    found, has_more = asyncio.run(_list(node, state, limit, data))
    if as_json:
        import msgspec

        from api.routes.shown_shipments import shown_shipment

        shown = {"data": [shown_shipment(*each) for each in found], "has_more": has_more}
        typer.echo(msgspec.json.encode(shown).decode())
        return
    from api.cli.shipment_screen import print_list
    from api.cli.terminal import console

    print_list(console(), found)
    if has_more:
        typer.echo("There are more; see them with --limit.")


async def work_of(
    engine: Engine, node: str | None, state: str | None, limit: int
) -> tuple[list[tuple[Order, Shipment]], bool]:
    """Return shipments that a node, or any node of the network, has with it, and whether there are more.

    Raises InvalidInput for a node that the network does not have.
    """
    from engine.faults import nearest
    from engine.orders.facts.shipments import ShipmentState

    known = (await engine.reference.current()).network.index
    if node is not None and node not in known:
        raise InvalidInput(Fault(path="--node", message=f"there is no node {node!r}; {nearest(node, known)}"))
    wanted = None if state is None else ShipmentState(state)
    found: dict[str, tuple[Order, Shipment]] = {}
    has_more = False
    for node_id in known if node is None else [node]:
        work, more = await engine.fulfillment.work(node_id, wanted, limit)
        found |= {shipment.shipment_id: (order, shipment) for order, shipment in work}
        has_more = has_more or more
    first = sorted(found.values(), key=lambda each: (each[1].ship_on, each[1].node_id, each[1].shipment_id))
    return first[:limit], has_more or len(first) > limit


async def _list(
    node: str | None, state: str | None, limit: int, data: Path | None
) -> tuple[list[tuple[Order, Shipment]], bool]:
    from engine.bootstrap import allot_engine
    from engine.config import read_settings

    async with allot_engine(read_settings(data)) as engine:
        return await work_of(engine, node, state, limit)


def _show(shipment_id: str, data: Path | None, *, as_json: bool) -> None:
    if not shipment_id:
        raise InvalidInput(Fault(path="show", message="SHIPMENT is missing; write: allot shipment show SHIPMENT"))
    order, shipment = asyncio.run(_found(shipment_id, data))
    if as_json:
        import msgspec

        from api.routes.shown_shipments import shown_shipment

        typer.echo(msgspec.json.encode(shown_shipment(order, shipment)).decode())
        return
    from api.cli.shipment_screen import print_shipment
    from api.cli.terminal import console

    print_shipment(console(), order, shipment)


async def _found(shipment_id: str, data: Path | None) -> tuple[Order, Shipment]:
    from engine.bootstrap import allot_engine
    from engine.config import read_settings

    async with allot_engine(read_settings(data)) as engine:
        return await engine.fulfillment.find(shipment_id)
