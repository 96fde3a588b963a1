"""From what a scenario says of policies, operations and customers to the values that the simulator takes.

Not here: their documents (policy_document.py).
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import fields, replace
from datetime import date
from typing import Any

from engine.network.document import NetworkDocument, PolicyDocument
from engine.policies.checks import faults_of
from engine.policies.document import NodesDocument, RunPolicyDocument
from engine.routing.method_options import option_faults
from engine.scenarios.change_document import MiscountDocument
from engine.scenarios.document import ScenarioDocument
from engine.scenarios.moments import day_number, seconds_of
from engine.scenarios.policy_document import NETWORK_FIELDS, RUN_FIELDS, RoutingDocument
from engine.scenarios.story import Customers, Expectation, Operations, Router, StoryPolicy
from engine.scenarios.validating import Findings
from engine.scenarios.yaml_tree import Location, mark_at
from solvers.params import Method

OWN = frozenset({"about", "router", "router_options", "window_minutes", "reserves", "bid_prices"})


def policies_of(
    scenario: ScenarioDocument, network: NetworkDocument | None, findings: Findings
) -> tuple[StoryPolicy, ...]:
    """Return the policies to compare, `routing` under each; faults are noted, those of nodes if there is a network."""
    first = scenario.start
    common = scenario.routing.settings()
    nodes = set[str]() if network is None else {node.node_id for node in network.nodes}
    _note_rules(scenario.routing, ("routing",), nodes, findings)
    if not scenario.policies:
        _note_options(common, ("routing",), findings)
        return (_policy(str(scenario.routing.router), common, first),)
    seen: dict[str, int] = {}
    for at, policy in enumerate(scenario.policies):
        earlier = seen.setdefault(policy.name, at)
        if earlier != at:
            message = f"policy {policy.name!r} is already in line {findings.line('policies', earlier)}"
            findings.note(("policies", at, "name"), f"{message}; give it another name")
        _note_rules(policy, ("policies", at), nodes, findings)
        _note_options(common | policy.settings(), ("policies", at), findings)
    return tuple(_policy(policy.name, common | policy.settings(), first) for policy in scenario.policies)


def _note_rules(routing: RoutingDocument, location: Location, nodes: Set[str], findings: Findings) -> None:
    stated = {key: value for key, value in routing.settings().items() if key in RUN_FIELDS}
    findings.note_all(faults_of(RunPolicyDocument(**stated), None), location)
    parts: list[tuple[Location, NodesDocument]] = [(location, routing)]
    parts += [((*location, "rules", at), rule) for at, rule in enumerate(routing.rules)]
    parts += [((*location, "product_rules", at), rule_of) for at, rule_of in enumerate(routing.product_rules)]
    for place, document in parts:
        for key in ("allowed_node_ids", "forbidden_node_ids", "preferred_node_ids"):
            for at, node_id in enumerate(getattr(document, key, None) or () if nodes else ()):
                findings.note_unknown((*place, key, at), "node", node_id, nodes)


def _note_options(settings: dict[str, Any], location: Location, findings: Findings) -> None:
    """Note options that the router of a policy does not have, or not so."""
    router, options = settings.get("router", Router.ALLOT), settings.get("router_options", {})
    if router is not Router.ALLOT:
        findings.note_all(option_faults(Method(router), options, "$.router_options"), location)
    elif options:
        findings.note((*location, "router_options"), "are of cascade and weighted; give one of them as router")


def _policy(name: str, settings: dict[str, Any], first: date) -> StoryPolicy:
    stated = {key: value for key, value in settings.items() if key in RUN_FIELDS}
    network = {key: value for key, value in settings.items() if key in NETWORK_FIELDS}
    whole = PolicyDocument.model_validate(network).model_dump(mode="json")
    return StoryPolicy(
        name=name,
        run=RunPolicyDocument(**stated) if stated else None,
        network_fields={key: whole[key] for key in sorted(network)},
        from_s=seconds_of(day_number(settings.get("from_day", 0), first), "00:00"),
        **{key: value for key, value in settings.items() if key in OWN},
    )


def expectations_of(scenario: ScenarioDocument, findings: Findings) -> tuple[Expectation, ...]:
    """Return what is expected, each with its place; policies have to be there, and at least one bar."""
    names = {policy.name for policy in scenario.policies} or {str(scenario.routing.router)}
    found = []
    for at, expected in enumerate(scenario.expect):
        for key in ("policy", "of_policy"):
            name = getattr(expected, key)
            if name is not None:
                findings.note_unknown(("expect", at, key), "policy", name, names)
        if expected.at_least is None and expected.at_most is None:
            findings.note(("expect", at), f"expects nothing of {expected.kpi}; give at_least or at_most")
        mark = mark_at(findings.judged, ("expect", at, "kpi"))
        found.append(Expectation(**_same_fields(expected, Expectation), path=str(mark)))
    return tuple(found)


def operations_of(scenario: ScenarioDocument, findings: Findings) -> Operations:
    """Return what really happens."""
    said = scenario.operations
    if said.picks_to_hour <= said.picks_from_hour:
        message = f"{said.picks_to_hour} is not after {said.picks_from_hour}; give a later hour"
        findings.note(("operations", "picks_to_hour"), message)
    for service, shares in said.transit_deviations.items():
        if sum(shares.values()) > 1 + 1e-9:
            message = f"the shares of {service!r} add up to {sum(shares.values()):g}; give 1 at most"
            findings.note(("operations", "transit_deviations", service), message)
    return Operations(**_same_fields(said, Operations))


def with_miscounts(operations: Operations, miscounts: Sequence[MiscountDocument]) -> Operations:
    """Return the operations with counts that a change says are wrong."""
    for change in miscounts:
        operations = replace(operations, inaccurate_share=change.share, inaccurate_units=change.units)
    return operations


def customers_of(scenario: ScenarioDocument) -> Customers:
    """Return what customers make of promises."""
    return Customers(**_same_fields(scenario.customers, Customers))


def _same_fields(document: Any, kind: type[Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)} & set(type(document).model_fields)
    return {name: getattr(document, name) for name in sorted(names)}
