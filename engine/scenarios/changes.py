"""What each kind of change comes to: dated actions, edits of the network, other supplies, another demand.

Here: one reader for each kind. Not here: what they are read against (changing.py), edits themselves
(network_changes.py), drawing a changed demand (demand_changes.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from engine.inventory.model import Adjustment
from engine.network.document import ClosureDocument, NetworkDocument
from engine.scenarios import demand_readers, network_changes, stock_changes
from engine.scenarios.change_document import (
    AddNodeDocument,
    ChangeDocument,
    ChangeTransitDocument,
    CloseNodeDocument,
    Lasting,
    OpenNodeDocument,
    SetCapacityDocument,
)
from engine.scenarios.changing import Changing
from engine.scenarios.moments import date_of
from engine.scenarios.network_changes import Edit, is_meant
from engine.scenarios.story import DAY_SECONDS, AdjustStock, CloseNode, OpenNode, SetTransit
from engine.scenarios.world import whole_node
from engine.scenarios.yaml_tree import Location

FOR_GOOD_DAYS = 366
"""What is announced to be closed to the end is closed for so long after it."""


def apply_changes(changes: Sequence[ChangeDocument], changing: Changing) -> None:
    """Read every change, in the order of the file, which counts among those of one instant."""
    for change in changes:
        if change.add_node is not None:
            changing.node_ids.add(change.add_node.node.node_id)
    for at, change in enumerate(changes):
        kind, document = change.one()
        _READERS[kind](document, ("changes", at, kind), changing)


def _close_node(change: CloseNodeDocument, location: Location, changing: Changing) -> None:
    changing.node(change.node_id, (*location, "node_id"))
    from_s, until_s = changing.span(change, location)
    if not change.announced:
        changing.act(from_s, CloseNode(node_id=change.node_id, reason=change.reason))
        if until_s is not None:
            changing.act(until_s, OpenNode(node_id=change.node_id))
        return
    first = date_of(from_s // DAY_SECONDS, changing.first)
    days = changing.days + FOR_GOOD_DAYS if change.days is None else change.days
    closure = ClosureDocument.model_validate({"from": first, "to": first + timedelta(days=days - 1)})
    told_s = changing.second(change.told_day, "00:00", (*location, "told_day"))

    def closed(network: NetworkDocument) -> NetworkDocument:
        return network_changes.with_closure(network, change.node_id, closure)

    changing.edits.append(Edit(from_s=told_s, until_s=None, location=location, apply=closed))


def _open_node(change: OpenNodeDocument, location: Location, changing: Changing) -> None:
    changing.node(change.node_id, (*location, "node_id"))
    changing.act(changing.second(change.from_day, change.at, (*location, "from_day")), OpenNode(node_id=change.node_id))


def _add_node(change: AddNodeDocument, location: Location, changing: Changing) -> None:
    node = whole_node(change.node, changing.time_zone)
    from_s, until_s = changing.span(change, location)
    edit = Edit(
        from_s=from_s,
        until_s=None,
        location=(*location, "node"),
        apply=lambda network: network_changes.with_node(network, node),
    )
    changing.edits.append(edit)
    for at, entry in enumerate(change.stock):
        changing.sku(entry.sku, (*location, "stock", at, "sku"))
    if change.stock:
        changing.act(
            from_s,
            AdjustStock(
                adjustments=tuple(
                    Adjustment(node_id=node.node_id, sku=entry.sku, delta=entry.quantity, reason="opening stock")
                    for entry in change.stock
                )
            ),
        )
    if until_s is not None:
        changing.act(until_s, CloseNode(node_id=node.node_id, reason="closed for good"))


def _set(names: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def _edits(nodes: bool, apply: Callable[[NetworkDocument, Any], NetworkDocument]) -> Any:
    """Return the reader of a change that edits the network while it lasts, of nodes or of services."""

    def read(change: Lasting, location: Location, changing: Changing) -> None:
        if nodes:
            changing.nodes(getattr(change, "node_ids", None), (*location, "node_ids"))
        else:
            _services(change, location, changing)
        from_s, until_s = changing.span(change, location)
        edit = Edit(from_s=from_s, until_s=until_s, location=location, apply=lambda network: apply(network, change))
        changing.edits.append(edit)

    return read


def _services(change: Any, location: Location, changing: Changing) -> None:
    services = changing.network.services
    known = {"services": {each.service for each in services}, "carriers": {each.carrier for each in services}}
    for key, names in known.items():
        for at, name in enumerate(getattr(change, key) or ()):
            changing.findings.note_unknown((*location, key, at), key.removesuffix("s"), name, names)


def _change_transit(change: ChangeTransitDocument, location: Location, changing: Changing) -> None:
    if change.told:
        if change.node_ids is not None:
            message = "rates are the same from every node; leave node_ids out, or `told`"
            changing.findings.note((*location, "node_ids"), message)
        _edits(False, network_changes.with_transit)(change, location, changing)
        return
    _services(change, location, changing)
    changing.nodes(change.node_ids, (*location, "node_ids"))
    from_s, until_s = changing.span(change, location)
    meant = [each.service for each in changing.network.services if is_meant(each, change.services, change.carriers)]
    some = change.services is not None or change.carriers is not None
    changing.act(
        from_s,
        SetTransit(
            extra_days=change.extra_days,
            services=frozenset(meant) if some else None,
            node_ids=_set(change.node_ids),
            until_s=until_s,
        ),
    )


def _set_capacity(change: SetCapacityDocument, location: Location, changing: Changing) -> None:
    if change.factor is None and change.capacity_units is None and change.capacity_parcels is None:
        changing.findings.note(location, "changes nothing; give factor, capacity_units or capacity_parcels")
    _edits(True, network_changes.with_capacity)(change, location, changing)


_READERS: dict[str, Any] = {
    "close_node": _close_node,
    "open_node": _open_node,
    "add_node": _add_node,
    "add_stock": stock_changes.add_stock,
    "remove_stock": stock_changes.remove_stock,
    "move_stock": stock_changes.move_stock,
    "delay_supplies": stock_changes.delay_supplies,
    "scale_demand": demand_readers.scale_demand,
    "add_orders": demand_readers.add_orders,
    "set_capacity": _set_capacity,
    "set_cut_off": _edits(True, network_changes.with_cut_off),
    "change_rates": _edits(False, network_changes.with_rates),
    "change_transit": _change_transit,
    "miscount_stock": stock_changes.miscount_stock,
    "set_policy": _edits(True, network_changes.with_policy),
}
