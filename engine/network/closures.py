"""Nodes that are switched off: they get no new orders, promises or reservations, whatever stock they have.

Here: a network without them, and which they are, as kept beside the network document. Not here: what becomes of the
orders that they hold (engine/orders/closing.py), and planned days off (`closures` of the document).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import msgspec

from engine.network.model import Network
from engine.network.transfers import Hubs, compile_hubs

NAME = "closed_nodes"
"""The document with the ids of all nodes that are switched off."""

_decode = msgspec.json.Decoder(list[str]).decode


def closed_document(node_ids: Collection[str]) -> bytes:
    """Return node ids as they are kept."""
    return msgspec.json.encode(sorted(node_ids))


def closed_ids(body: bytes | None) -> frozenset[str]:
    """Return the node ids that are kept, none if there is no such document."""
    return frozenset() if body is None else frozenset(_decode(body))


def with_closed(network: Network, node_ids: Collection[str]) -> Network:
    """Return the network with nodes switched off; ids that it does not have are left out."""
    closed = frozenset(network.index[node_id] for node_id in node_ids if node_id in network.index)
    if closed == network.closed:
        return network
    return replace(network, closed=closed, hubs=_hubs(network, frozenset(node_ids)))


def _hubs(network: Network, closed: Collection[str]) -> Hubs | None:
    """Return the hubs with what is sent from and to nodes that are on."""
    document = network.document
    left = tuple(t for t in document.transfers if t.from_node_id not in closed and t.to_node_id not in closed)
    calendars = {entry.calendar: i for i, entry in enumerate(document.calendars)}
    nodes = tuple(node.model_copy(update={"hub": None}) if node.node_id in closed else node for node in document.nodes)
    return compile_hubs(document.model_copy(update={"transfers": left, "nodes": nodes}), network.index, calendars)
