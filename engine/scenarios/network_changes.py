"""Changes that everybody is told of: edits of the network document, each from an instant on and maybe until another.

The network of an instant is the one that the story begins with, with every edit in force by then, in the order of the
file. Not here: what nobody is told of (changes.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from engine.network.checks import check_network
from engine.network.document import (
    ClosureDocument,
    NetworkDocument,
    NodeDocument,
    PolicyDocument,
    RateDocument,
    ServiceDocument,
)
from engine.scenarios.change_document import (
    ChangeRatesDocument,
    ChangeTransitDocument,
    SetCapacityDocument,
    SetCutOffDocument,
    SetPolicyDocument,
)
from engine.scenarios.validating import Findings
from engine.scenarios.yaml_tree import Location

MOST_TRANSIT_DAYS = 365
MOST_CENTS = 10**10


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change of the network while it is in force; `location` is where it stands."""

    from_s: int
    until_s: int | None
    location: Location
    apply: Callable[[NetworkDocument], NetworkDocument]

    def holds_at(self, second: int) -> bool:
        """Whether it is in force at an instant."""
        return self.from_s <= second and (self.until_s is None or second < self.until_s)


def networks_of(first: NetworkDocument, edits: Sequence[Edit], findings: Findings) -> list[tuple[int, NetworkDocument]]:
    """Return the network from each instant on at which it changes, second 0 first; faults are noted at the edits."""
    seconds = {0} | {edit.from_s for edit in edits} | {edit.until_s for edit in edits if edit.until_s is not None}
    found: list[tuple[int, NetworkDocument]] = []
    for second in sorted(seconds):
        network = first
        for edit in edits:
            if edit.holds_at(second):
                network = _edited(network, edit, findings)
        if not found or network != found[-1][1]:
            found.append((second, network))
    return found


def _edited(network: NetworkDocument, edit: Edit, findings: Findings) -> NetworkDocument:
    before, edited = check_network(network), edit.apply(network)
    faults = [fault for fault in check_network(edited) if fault not in before]
    for fault in faults:
        findings.note(edit.location, f"leaves a network that is not sound: {fault.path} {fault.message}")
    return network if faults else edited


def of_nodes(
    network: NetworkDocument, node_ids: Sequence[str] | None, change: Callable[[NodeDocument], NodeDocument]
) -> NetworkDocument:
    """Return the network with some nodes changed; None is every node."""
    nodes = tuple(change(node) if node_ids is None or node.node_id in node_ids else node for node in network.nodes)
    return network.model_copy(update={"nodes": nodes})


def with_closure(network: NetworkDocument, node_id: str, closure: ClosureDocument) -> NetworkDocument:
    """Return the network with days off at a node, joined with those that it has on the same days."""

    def closed(node: NodeDocument) -> NodeDocument:
        first, last, others = closure.from_, closure.to, []
        for other in node.closures:
            if other.from_ <= last and first <= other.to:
                first, last = min(first, other.from_), max(last, other.to)
            else:
                others.append(other)
        joined = sorted([*others, ClosureDocument(from_=first, to=last)], key=lambda each: each.from_)
        return node.model_copy(update={"closures": tuple(joined)})

    return of_nodes(network, (node_id,), closed)


def with_node(network: NetworkDocument, node: NodeDocument) -> NetworkDocument:
    """Return the network with another node."""
    return network.model_copy(update={"nodes": (*network.nodes, node)})


def with_capacity(network: NetworkDocument, change: SetCapacityDocument) -> NetworkDocument:
    """Return the network with other capacities; a capacity that is unlimited has no multiple."""

    def changed(node: NodeDocument) -> NodeDocument:
        units = _capacity(node.capacity_units, change.factor, change.capacity_units)
        parcels = _capacity(node.capacity_parcels, change.factor, change.capacity_parcels)
        return node.model_copy(update={"capacity_units": units, "capacity_parcels": parcels})

    return of_nodes(network, change.node_ids, changed)


def _capacity(now: int | None, factor: float | None, stated: int | None) -> int | None:
    if stated is not None or now is None or factor is None:
        return now if stated is None else stated
    return int(now * Fraction(str(factor)))


def with_cut_off(network: NetworkDocument, change: SetCutOffDocument) -> NetworkDocument:
    """Return the network with another cut-off of nodes."""
    return of_nodes(network, change.node_ids, lambda node: node.model_copy(update={"cut_off": change.cut_off}))


def with_rates(network: NetworkDocument, change: ChangeRatesDocument) -> NetworkDocument:
    """Return the network with other rates, rounded half up to cents."""

    def changed(rate: RateDocument) -> RateDocument:
        exact = rate.cost_cents * (1 + Fraction(str(change.percent)) / 100) + change.cents
        cents = int((exact + Fraction(1, 2)) // 1)
        return rate.model_copy(update={"cost_cents": min(max(cents, 0), MOST_CENTS)})

    return _of_services(network, change.services, change.carriers, changed)


def with_transit(network: NetworkDocument, change: ChangeTransitDocument) -> NetworkDocument:
    """Return the network with other transit days."""

    def changed(rate: RateDocument) -> RateDocument:
        days = min(max(rate.transit_days + change.extra_days, 0), MOST_TRANSIT_DAYS)
        return rate.model_copy(update={"transit_days": days})

    return _of_services(network, change.services, change.carriers, changed)


def with_policy(network: NetworkDocument, change: SetPolicyDocument) -> NetworkDocument:
    """Return the network with other fields of its policy."""
    own = {name: getattr(change, name) for name in change.model_fields_set if name in PolicyDocument.model_fields}
    return network.model_copy(update={"policy": network.policy.model_copy(update=own)})


def _of_services(
    network: NetworkDocument,
    services: Sequence[str] | None,
    carriers: Sequence[str] | None,
    change: Callable[[RateDocument], RateDocument],
) -> NetworkDocument:
    def changed(service: ServiceDocument) -> ServiceDocument:
        if not is_meant(service, services, carriers):
            return service
        return service.model_copy(update={"rates": tuple(change(rate) for rate in service.rates)})

    return network.model_copy(update={"services": tuple(changed(service) for service in network.services)})


def is_meant(service: ServiceDocument, services: Sequence[str] | None, carriers: Sequence[str] | None) -> bool:
    """Whether a change of services and carriers, None is all, means a service."""
    by_name = services is None or service.service in services
    return by_name and (carriers is None or service.carrier in carriers)
