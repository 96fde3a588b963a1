"""What nodes and people have said since an order was captured about how it may be routed; kept beside the order.

Not here: how it comes to be (rejecting.py, overriding.py), what a routing run makes of it (open.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import msgspec

from engine.routing.model import AllocationRow, LineNode

ORDER_HOLD = "order_hold"
"""Why a run leaves an order alone that people have stopped."""
TOO_MANY_REJECTIONS = "too_many_rejections"
"""The reason of the order hold that an order gets when nodes have refused it as often as may be."""


MANUAL, APPROVAL, MERGING = "manual", "approval", "merging"
"""The kinds of order holds that people put on without naming another, that wait for somebody's approval, and that an
order has while it joins another."""
NOT_BY_HAND = frozenset({APPROVAL, MERGING})
"""The kinds that are neither put on nor released by hand."""


class RejectionKind(StrEnum):
    """How a node came not to ship what it was given."""

    REJECTED = "rejected"
    SHORT_PICK = "short_pick"
    DAMAGED = "damaged"
    TIME_OUT = "time_out"
    CLOSED = "closed"

    @property
    def takes_stock(self) -> bool:
        """Whether on hand falls with the units: they are not there, or broken."""
        return self in {RejectionKind.SHORT_PICK, RejectionKind.DAMAGED}

    @property
    def is_attempt(self) -> bool:
        """Whether it counts as an attempt, and excludes the node: a node that is closed may be asked again later."""
        return self is not RejectionKind.CLOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedLine:
    """Units of a line that a node does not ship, in all its days and services together."""

    line_id: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Lines that a node did not ship after all, of the decision of a run; `by` is who said so."""

    node_id: str
    kind: RejectionKind
    reason: str
    lines: tuple[RejectedLine, ...]
    at: datetime
    by: str
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What people decided about an order, and why; what is None was left as it was.

    A pin with a blank `node_id` took an earlier one of that line away; `forbidden_node_ids` replaced earlier ones.
    """

    reason: str
    at: datetime
    by: str
    pins: tuple[LineNode, ...] = ()
    forbidden_node_ids: tuple[str, ...] | None = None
    priority: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHold:
    """Why an order is stopped: routing runs leave it alone until it is released.

    An order has one of each `kind`. It is released by itself at `release_at`, or by the event `release_on` of the
    order's history, whichever comes first.
    """

    reason: str
    at: datetime
    by: str
    kind: str = MANUAL
    release_at: datetime | None = None
    release_on: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """A node has said that it ships what a run gave it."""

    node_id: str
    run_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """All of it for one order.

    `kept` are rows of the allocation that stay where they are while the rest is routed anew; those that are `released`
    to their nodes, come what may. `attempts` counts rejections since people last looked at it.
    """

    rejections: tuple[Rejection, ...] = ()
    overrides: tuple[Override, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    order_holds: tuple[OrderHold, ...] = ()
    kept: tuple[AllocationRow, ...] = ()
    attempts: int = 0
    revision: int = 0
    released: tuple[AllocationRow, ...] = ()

    @property
    def order_hold(self) -> OrderHold | None:
        """The order hold that it has had longest, None if it has none."""
        return self.order_holds[0] if self.order_holds else None

    @property
    def pins(self) -> dict[str, str]:
        """The node that each pinned line ships from, by line id."""
        found: dict[str, str] = {}
        for override in self.overrides:
            found.update({pin.line_id: pin.node_id for pin in override.pins})
        return {line_id: node_id for line_id, node_id in found.items() if node_id}

    @property
    def forbidden_node_ids(self) -> tuple[str, ...]:
        """The nodes that people do not want the order to ship from."""
        said = [each.forbidden_node_ids for each in self.overrides if each.forbidden_node_ids is not None]
        return said[-1] if said else ()

    @property
    def priority(self) -> int | None:
        """The priority that people gave the order, None if they gave none."""
        said = [override.priority for override in self.overrides if override.priority is not None]
        return said[-1] if said else None

    @property
    def refused(self) -> tuple[LineNode, ...]:
        """The lines that nodes refused, and were not pinned to since."""
        pins = self.pins
        found = {
            (line.line_id, rejection.node_id): None
            for rejection in self.rejections
            if rejection.kind.is_attempt
            for line in rejection.lines
            if pins.get(line.line_id) != rejection.node_id
        }
        return tuple(LineNode(line_id=line_id, node_id=node_id) for line_id, node_id in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnlyHold:
    """The part of what was kept that held the one order hold."""

    order_hold: OrderHold | None = None


NO_STEERING = Steering()
_decode_only = msgspec.json.Decoder(_OnlyHold).decode
_decode = msgspec.json.Decoder(Steering).decode


def steering_document(steering: Steering) -> bytes:
    """Return it as JSON."""
    return msgspec.json.encode(steering)


def steering_of(document: str | bytes | None) -> Steering:
    """Return what was kept; blank or None stands for nothing."""
    if not document:
        return NO_STEERING
    said = _decode(document)
    return _with_its_only_hold(said, document) if said.order_hold is None else said


def _with_its_only_hold(said: Steering, document: str | bytes) -> Steering:
    """Return what was kept when an order had one order hold at most, and that without a kind."""
    if (b'"order_hold":{' if isinstance(document, bytes) else '"order_hold":{') not in document:  # type: ignore[operator]
        return said
    hold = _decode_only(document).order_hold
    if hold is None:
        return said
    kind = TOO_MANY_REJECTIONS if hold.reason == TOO_MANY_REJECTIONS else MANUAL
    return replace(said, order_holds=(replace(hold, kind=kind),))
