"""A story as the simulator takes it: everything a scenario file says, resolved and checked, with its changes dated.

Instants are whole seconds since the story's start. Not here: the file (document.py), how orders are drawn (demand.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from engine.catalog.document import CatalogDocument
from engine.inventory.model import Adjustment, PositionCount
from engine.network.document import NetworkDocument
from engine.policies.document import RunPolicyDocument
from engine.scenarios.orders import Demand

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSupply:
    """A scheduled receipt; what is known of it is `expected_s`, what happens is that it comes at `arrives_s`.

    With `told_s`, the delay is known from then on (a new expected date is put), else not before it is overdue.
    `arrives_s` None: drawn from `Operations.supply_delay_days`.
    """

    supply_id: str
    node_id: str
    sku: str
    quantity: int
    expected_s: int
    arrives_s: int | None = None
    told_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What there is when the story begins."""

    network: NetworkDocument
    catalog: CatalogDocument
    positions: Sequence[PositionCount] = ()
    supplies: Sequence[PlannedSupply] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PutNetwork:
    """From now on this is the network: capacities, cut-offs, rates, transit times, nodes, announced closures."""

    network: NetworkDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseNode:
    """A node is switched off without notice: orders that have not left it go elsewhere."""

    node_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenNode:
    """A node that was switched off works again."""

    node_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustStock:
    """Stock comes, goes or moves; a delta of units that are not there takes what is."""

    adjustments: Sequence[Adjustment]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTransit:
    """Parcels of some services take other days than their rates say, as in a strike; the network is not told.

    `extra_days` may be negative; `services` None is all, `node_ids` None from everywhere.
    """

    extra_days: float
    services: frozenset[str] | None = None
    node_ids: frozenset[str] | None = None
    until_s: int | None = None


Action = PutNetwork | CloseNode | OpenNode | AdjustStock | SetTransit


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """Something that happens at an instant; of the same instant, in the order of the list."""

    at_s: int
    action: Action


class Router(StrEnum):
    """How the orders of a window get their nodes: the engine itself, or a rule that people use today."""

    ALLOT = "allot"
    NEAREST = "nearest"
    RANKED = "ranked"
    FEWEST_SPLITS = "fewest_splits"
    CASCADE = "cascade"
    WEIGHTED = "weighted"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryPolicy:
    """One policy to compare, on the same random numbers as the others.

    `run` is what routing runs are done under (None: the network's own policy), `network_fields` what it states of the
    network's own policy, so that promises keep to it too. `window_minutes` 0 routes each order when it comes. Without
    `reserves` checkouts reserve nothing, and orders get stock when they are routed. `bid_prices` says whether bid
    prices of the forecast are made every day.
    """

    name: str
    about: str = ""
    router: Router = Router.ALLOT
    router_options: Mapping[str, float] = field(default_factory=dict)
    """Of `cascade` and `weighted`: see docs/reference/rivals.md."""
    window_minutes: int = 60
    reserves: bool = True
    bid_prices: bool = False
    run: RunPolicyDocument | None = None
    network_fields: Mapping[str, object] = field(default_factory=dict)
    from_s: int = 0
    """Before this the network's own policy counts; changes of policy fields in the middle of a story."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """What really happens on the floor and on the road; without anything, all goes as planned."""

    picks_from_hour: int = 8
    picks_to_hour: int = 18
    """In the node's time zone, on its working days, and an hour beyond its cut-off at least; a day's capacity is spread
    over these hours."""
    pick_times: Literal["even", "exponential"] = "even"
    """Whether each parcel takes its share of the hours, or that on average."""
    rejection_share: float = 0.0
    """Of parcels that a node refuses."""
    short_pick_share: float = 0.0
    """Of lines that are found not to be there when they are picked; the count is put right."""
    inaccurate_share: float = 0.0
    """Of positions whose count is wrong as the story begins."""
    inaccurate_units: float = 1.0
    """By how many units on average, if they are (geometric; down as often as up)."""
    transit_late_share: float = 0.0
    """Of parcels that take longer than their rate's transit days."""
    transit_late_days: float = 1.0
    """By how many days on average, if they do (geometric, at least 1)."""
    transit_early_share: float = 0.0
    """Of parcels that come a day earlier."""
    transit_deviations: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    """By service, `*` for all others: the shares of parcels that take so many days more, or fewer; the rest none. What
    a service has here takes the place of late and early shares."""
    supply_delay_days: float = 0.0
    """How late supplies are on average (exponential, in whole days)."""
    return_share: float = 0.0
    """Of units delivered that come back."""
    return_days: float = 14.0
    """After how many days on average (exponential)."""
    restock_share: float = 1.0
    """Of units that come back and can be sold again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """What customers make of a promise: they buy the first option that it offers, unless it is too late or too dear.

    They leave with probability `leave_share_per_day` for each day beyond `patience_days` until the promised day, and
    when an option's delivery charge is above what they would pay. `charge_share` of the cost of an option is what they
    are charged; `pays_cents` is the most they would on average (exponential), None: any.
    """

    patience_days: float = 365.0
    leave_share_per_day: float = 0.0
    charge_share: float = 0.0
    pays_cents: float | None = None
    fast_share: float = 0.0
    """Of customers who choose the fastest option, not the cheapest."""
    cancel_share: float = 0.0
    """Of orders that their customers cancel within a day, if nothing of them has left."""
    waits_days: float = 14.0
    """So long after the promised day, or the day of the order if none was promised, an order that has no stock is
    cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A bar on a KPI of a policy; None: of every policy. `of_policy` compares with another policy's mean."""

    kpi: str
    policy: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    of_policy: str | None = None
    path: str = ""
    """Where it stands in its file, for messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One scenario, ready to be simulated; the same story gives the same results to the byte.

    `start` is midnight of the first day in the story's time zone, as an instant in UTC. Orders of the first
    `warm_up_days` count in no KPI. After the last day nobody orders any more, and what is under way goes on to its end,
    for `drain_days` at most: else orders of the last days would count as not delivered. `sha256` is that of all that
    the file and those it names say.
    """

    name: str
    about: str
    seed: int
    start: datetime
    time_zone: str
    days: int
    warm_up_days: int
    replications: int
    drain_days: int = 30
    world: World
    demand: Demand
    changes: Sequence[Dated] = ()
    operations: Operations = Operations()
    customers: Customers = Customers()
    policies: Sequence[StoryPolicy] = (StoryPolicy(name="allot"),)
    expect: Sequence[Expectation] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each file that was read, by its name."""
    sha256: str = ""
