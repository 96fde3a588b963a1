"""A view of the world under a policy: what the policy states in place of what the network's own policy has.

Not here: what a run makes of it (engine/routing).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.errors import Fault, InvalidInput
from engine.network.days import NetworkDays
from engine.network.document import NetworkDocument, NodeDocument, PolicyDocument
from engine.network.model import Network, compile_network
from engine.network.node_rules import NodeRule
from engine.network.run_terms import PositionPrice, RunTerms, Softened
from engine.network.time_of_day import minutes_of
from engine.policies.document import NodesDocument, PositionsDocument, RuleDocument, RunPolicyDocument
from engine.policies.model import Policy


class Effect:
    """Puts views under policies; keeps the last one made, with what is made of a network when it is first used."""

    def __init__(self) -> None:
        self._made: tuple[View, str, View] | None = None

    def of(self, policy: Policy, view: View) -> View:
        """Return a view under a policy; `InvalidInput` at `$.policy` if it leaves no node of the network."""
        made = self._made
        if made is None or made[0] is not view or made[1] != policy.reference:
            made = self._made = view, policy.reference, _under(policy, view)
        return made[2]


def _under(policy: Policy, view: View) -> View:
    document, network = policy.document, view.network
    ruled = replace(network, document=_overlaid(document, network.document))
    days = view.days.of(ruled)
    if document.cut_off is not None or document.capacity_share < 1:  # arrays and calendars are others, too
        ruled = compile_network(ruled.document, network.version)
        days = NetworkDays(ruled)
    terms = RunTerms(
        rules=_rules(policy, network),
        shipping_weight=document.shipping_weight,
        handling_weight=document.handling_weight,
        balance=tuple(sorted((step.load_share, step.cost_cents_per_unit) for step in document.node_balance)),
        markdowns=tuple(
            _priced(each, each.above_units, each.credit_cents_per_unit, network) for each in document.markdowns
        ),
        stock_outs=tuple(
            _priced(each, each.below_units, each.cost_cents_per_unit, network) for each in document.stock_out_costs
        ),
        ship_complete=document.ship_complete,
        max_nodes_per_line=document.max_nodes_per_line,
        softened=Softened(
            late_day_cents=document.softened.late_day_cost_cents,
            extra_node_cents=document.softened.extra_node_cost_cents,
            incomplete_order_cents=document.softened.incomplete_order_cost_cents if document.ship_complete else None,
        ),
    )
    return replace(view, days=days, terms=terms)


def _overlaid(document: RunPolicyDocument, own: NetworkDocument) -> NetworkDocument:
    """Return the document of a network with what a policy states in place of its own."""
    stated: dict[str, Any] = document.stated()
    fields = {field: value for field, value in stated.items() if field in PolicyDocument.model_fields}
    if document.safety_stock:
        fields["buffers"] = (*own.policy.buffers, *document.safety_stock)
    nodes = tuple(_overlaid_node(document, node) for node in own.nodes)
    return own.model_copy(update={"policy": own.policy.model_copy(update=fields), "nodes": nodes})


def _overlaid_node(document: RunPolicyDocument, node: NodeDocument) -> NodeDocument:
    capacities = {
        field: None if of_day is None else floor(of_day * Fraction(str(document.capacity_share)))
        for field, of_day in (("capacity_units", node.capacity_units), ("capacity_parcels", node.capacity_parcels))
    }
    cut_off = node.cut_off if document.cut_off is None else min(node.cut_off, document.cut_off, key=minutes_of)
    return node.model_copy(update={**capacities, "cut_off": cut_off})


def _priced(each: PositionsDocument, units: int, cents: int, network: Network) -> PositionPrice:
    nodes = np.array([each.node_kind in {None, node.kind} for node in network.document.nodes], np.bool_)
    return PositionPrice(nodes=nodes, sku_class=each.sku_class, units=units, cents=cents)


def _rules(policy: Policy, network: Network) -> tuple[NodeRule, ...]:
    """Return the rules of a policy; `InvalidInput` at `$.policy` if one of them leaves no node of the network."""
    document = policy.document
    everywhere = NodeRule(name="", barred=_barred(document, network))
    found = [everywhere] if everywhere.barred.any() else []
    for rule in document.product_rules:
        classes = frozenset({rule.sku_class})
        name = f"product_rules: {rule.sku_class}"
        found.append(NodeRule(name=name, barred=_barred(rule, network), sku_classes=classes))
    found += [_rule(rule, name, network) for rule, name in zip(document.rules, names_of(document), strict=True)]
    for made in found:
        if (everywhere.barred | made.barred).all():
            whose = f" by {made.name!r}" if made.name else ""
            message = f"{policy.reference!r} leaves no node of the network that may ship{whose}; put a version with one"
            raise InvalidInput(Fault(path="$.policy", message=message))
    return tuple(found)


def names_of(document: RunPolicyDocument) -> list[str]:
    """Return what each of the `rules` is called."""
    return [rule.rule or f"rules[{place}]" for place, rule in enumerate(document.rules)]


def _rule(rule: RuleDocument, name: str, network: Network) -> NodeRule:
    when, price = rule.when, None
    if rule.has_preference:
        price = np.where(_preferred(rule, network), 0, rule.preference_cost_cents_per_unit).astype(np.int64)
    return NodeRule(
        name=name,
        barred=_barred(rule, network),
        max_km=float("inf") if rule.max_distance_km is None else rule.max_distance_km,
        price_cents=price,
        countries=_set(when.countries),
        postal_prefixes=when.postal_prefixes,
        customer_classes=_set(when.customer_classes),
        channels=_set(when.channels),
        sku_classes=_set(when.sku_classes),
        relaxed_cents=rule.relaxed_cost_cents_per_unit,
    )


def _set(names: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def _preferred(rule: RuleDocument, network: Network) -> NDArray[np.bool_]:
    """Return the nodes that a rule prefers."""
    ids, kinds = set(rule.preferred_node_ids or ()), rule.preferred_node_kinds or ()
    return np.array([node.node_id in ids or node.kind in kinds for node in network.document.nodes], np.bool_)


def _barred(rule: NodesDocument, network: Network) -> NDArray[np.bool_]:
    """Return the nodes that get no new orders by a rule."""
    kinds, forbidden = rule.node_kinds, set(rule.forbidden_node_ids)
    chosen = None if rule.allowed_node_ids is None else set(rule.allowed_node_ids)
    barred = [
        (kinds is not None and node.kind not in kinds)
        or (chosen is not None and node.node_id not in chosen)
        or node.node_id in forbidden
        for node in network.document.nodes
    ]
    return np.array(barred, np.bool_)
