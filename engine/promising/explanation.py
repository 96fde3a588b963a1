"""What an explanation of a promise says; frozen structs in the shape of the wire.

Not here: finding it (explaining.py).
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

Standing = Literal[
    "chosen",
    "eligible",
    "policy",
    "distance",
    "quota",
    "no_stock",
    "handling",
    "service",
    "slot",
    "capacity",
    "calendar",
]
Binding = Literal[
    "cost",
    "value",
    "date",
    "stock",
    "quota",
    "reach",
    "group",
    "handling",
    "service",
    "slot",
    "capacity",
    "need_by",
    "parcels",
]


class NodeExplanation(Struct, frozen=True, kw_only=True):
    """Why a node was chosen or not.

    `option_ids` are the options in which it ships, or sends to a hub. `line_ids` are the lines that it could ship in
    time by themselves. `cost_difference_cents` is what the cheapest plan in which it ships any of them costs more than
    the cheapest option; null if it can ship none, for orders of many lines, and where something else than stock decides
    (substitutes). `arrives_on` is the earliest day on which any of those lines could arrive from it. `binding` is what
    stands in its way, or what made others better; `why` says it in words.

    Where bid prices are published for the order, `stock_value_cents` is what the units of those lines are worth there
    to later demand, and `ranked_difference_cents` the difference by which options are ranked, with what units are
    worth; that of costs is below 0 for a node that is left out for the sake of later demand (`value`).
    """

    node_id: str
    standing: Standing
    option_ids: tuple[str, ...]
    line_ids: tuple[str, ...]
    cost_difference_cents: int | None
    arrives_on: date | None
    binding: Binding | None
    why: str
    ranked_difference_cents: int | UnsetType = UNSET
    stock_value_cents: int | UnsetType = UNSET


class HubExplanation(Struct, frozen=True, kw_only=True):
    """Why a hub packs a parcel of what other nodes send it, or not; fields as of a node.

    `cost_difference_cents` is what the cheapest plan in which it does costs more than the cheapest option.
    """

    node_id: str
    standing: Standing
    option_ids: tuple[str, ...]
    cost_difference_cents: int | None
    binding: Binding | None
    why: str
    ranked_difference_cents: int | UnsetType = UNSET


class Explanation(Struct, frozen=True, kw_only=True):
    """Every node of the network, those that ship first, then the eligible ones by cost; at most `MOST_NODES`.

    `hubs` is there for deliveries in a network with hubs.
    """

    nodes: tuple[NodeExplanation, ...]
    has_more: bool
    hubs: tuple[HubExplanation, ...] | UnsetType = UNSET
