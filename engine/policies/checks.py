"""What is wrong with a policy document that has the right shape: nodes that are not there, rules that contradict.

Not here: shapes and ranges (document.py), a policy that leaves no node of the network as it is when a run begins
(effect.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.errors import Fault
from engine.network.checks import duplicates, unknown
from engine.network.model import Network
from engine.policies.document import NodesDocument, RuleDocument, RunPolicyDocument, WhenDocument


def faults_of(document: RunPolicyDocument, network: Network | None) -> Iterator[Fault]:
    """Yield every fault; nodes and channels have to be in the network, if there is one."""
    yield from _nodes("$", document, network)
    yield from duplicates("$.product_rules", "sku_class", (rule.sku_class for rule in document.product_rules))
    for place, product_rule in enumerate(document.product_rules):
        path = f"$.product_rules[{place}]"
        yield from _nodes(path, product_rule, network)
        if not _limits_nodes(product_rule):
            whose = repr(product_rule.sku_class)
            message = f"rules out no node for {whose}; name node_kinds or nodes, or leave the rule out"
            yield Fault(path=path, message=message)
    yield from duplicates("$.rules", "rule", (rule.rule for rule in document.rules if rule.rule is not None))
    for place, rule in enumerate(document.rules):
        path = f"$.rules[{place}]"
        yield from _nodes(path, rule, network)
        yield from _when(f"{path}.when", rule.when, network)
        yield from _preference(path, rule, network)
        if rule.relaxed_cost_cents_per_unit is not None and not rule.limits:
            message = "there is nothing to relax; name nodes, node_kinds or max_distance_km, or leave the price out"
            yield Fault(path=f"{path}.relaxed_cost_cents_per_unit", message=message)
        if not rule.limits and not rule.has_preference:
            message = "does nothing; name nodes, node_kinds, max_distance_km or preferred nodes, or leave the rule out"
            yield Fault(path=path, message=message)
    yield from _contradictions(document)
    yield from _softened(document)
    yield from duplicates("$.node_balance", "load_share", (step.load_share for step in document.node_balance))
    prices = [step.cost_cents_per_unit for step in sorted(document.node_balance, key=lambda step: step.load_share)]
    if prices != sorted(prices):
        yield Fault(path="$.node_balance", message=f"falls with the load: {prices}; let fuller nodes cost no less")
    for field in ("markdowns", "stock_out_costs", "safety_stock"):
        places = ((each.node_kind, each.sku_class) for each in getattr(document, field))
        yield from duplicates(
            f"$.{field}", "", (f"{kind or 'every kind'}, {name or 'every class'}" for kind, name in places)
        )
    if document.max_nodes_per_line is not None and document.stated().get("line_split") == "never":
        message = f"lines are never split, so {document.max_nodes_per_line} means nothing; leave one of the two out"
        yield Fault(path="$.max_nodes_per_line", message=message)


def _softened(document: RunPolicyDocument) -> Iterator[Fault]:
    """Yield prices of limits that the policy itself takes away."""
    softened, stated = document.softened, document.stated()
    if softened.incomplete_order_cost_cents is not None and not document.ship_complete:
        message = "a price of orders in part, but they need not be complete; state ship_complete, or leave it out"
        yield Fault(path="$.softened.incomplete_order_cost_cents", message=message)
    if softened.late_day_cost_cents is not None and stated.get("late_day_cost_cents") is not None:
        message = "parcels may be late at the policy's own late_day_cost_cents; leave one of the two out"
        yield Fault(path="$.softened.late_day_cost_cents", message=message)
    if softened.extra_node_cost_cents is not None and stated.get("max_nodes_per_order", 1) is None:
        message = "the policy has no max_nodes_per_order; leave one of the two out"
        yield Fault(path="$.softened.extra_node_cost_cents", message=message)


def _limits_nodes(rule: NodesDocument) -> bool:
    return rule.node_kinds is not None or rule.allowed_node_ids is not None or bool(rule.forbidden_node_ids)


def _nodes(at: str, document: NodesDocument, network: Network | None) -> Iterator[Fault]:
    allowed, forbidden = document.allowed_node_ids or (), document.forbidden_node_ids
    yield from duplicates(f"{at}.node_kinds", "", document.node_kinds or ())
    yield from _node_ids(f"{at}.allowed_node_ids", allowed, network)
    yield from _node_ids(f"{at}.forbidden_node_ids", forbidden, network)
    for place, node_id in enumerate(forbidden):
        if node_id in allowed:
            message = f"{node_id!r} is allowed and forbidden; take it out of one of the two"
            yield Fault(path=f"{at}.forbidden_node_ids[{place}]", message=message)


def _node_ids(path: str, node_ids: Sequence[str], network: Network | None) -> Iterator[Fault]:
    yield from duplicates(path, "", node_ids)
    if network is not None:
        for place, node_id in enumerate(node_ids):
            yield from unknown(f"{path}[{place}]", "node", node_id, network.index.keys())


def _when(at: str, when: WhenDocument, network: Network | None) -> Iterator[Fault]:
    for field in WhenDocument.model_fields:
        yield from duplicates(f"{at}.{field}", "", getattr(when, field) or ())
    if when.postal_prefixes is not None and len(when.countries or ()) != 1:
        message = f"postal codes are of one country, not of {len(when.countries or ())}; name it alone in 'countries'"
        yield Fault(path=f"{at}.postal_prefixes", message=message)
    channels = {entry.channel for entry in network.document.channels} if network is not None else set[str]()
    for place, channel in enumerate(when.channels or ()):
        if channels:
            yield from unknown(f"{at}.channels[{place}]", "channel", channel, channels)


def _preference(at: str, rule: RuleDocument, network: Network | None) -> Iterator[Fault]:
    preferred = rule.preferred_node_ids or ()
    yield from _node_ids(f"{at}.preferred_node_ids", preferred, network)
    yield from duplicates(f"{at}.preferred_node_kinds", "", rule.preferred_node_kinds or ())
    if rule.has_preference != (rule.preference_cost_cents_per_unit > 0):
        message = (
            "preferred nodes need a price above 0 for a unit of another node; state it, or prefer none"
            if rule.has_preference
            else "a price, but no preferred nodes; name them, or leave it out"
        )
        yield Fault(path=f"{at}.preference_cost_cents_per_unit", message=message)
    for place, node_id in enumerate(preferred):
        is_out = node_id in rule.forbidden_node_ids
        if is_out or (rule.allowed_node_ids is not None and node_id not in rule.allowed_node_ids):
            message = f"{node_id!r} is preferred, but {'forbidden' if is_out else 'not allowed'}; take it out of one"
            yield Fault(path=f"{at}.preferred_node_ids[{place}]", message=message)


def _contradictions(document: RunPolicyDocument) -> Iterator[Fault]:
    """Yield rules that leave no node together with the policy itself, or with an earlier one for the very same."""
    for place, rule in enumerate(document.rules):
        alike = [(f"rules[{at}]", other) for at, other in enumerate(document.rules[:place]) if other.when == rule.when]
        for name, other in [("the policy itself", document), *alike]:
            if not _leaves_a_node(rule, other):
                message = f"leaves no node together with {name}; allow a node that both allow"
                yield Fault(path=f"$.rules[{place}]", message=message)
                break


def _leaves_a_node(rule: NodesDocument, other: NodesDocument) -> bool:
    """Return whether two rules can both hold, as far as they name nodes and kinds."""
    if rule.node_kinds is not None and other.node_kinds is not None and not {*rule.node_kinds} & {*other.node_kinds}:
        return False
    named = [set(each.allowed_node_ids) for each in (rule, other) if each.allowed_node_ids is not None]
    forbidden = {*rule.forbidden_node_ids, *other.forbidden_node_ids}
    return not named or bool(set.intersection(*named) - forbidden)
