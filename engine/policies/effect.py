"""A view of the world under a policy: what the policy states in place of what the network's own policy has.

Not here: what a run makes of it (engine/routing).
"""

from __future__ import annotations

from dataclasses import replace

from engine.availability.reference import View
from engine.errors import Fault, InvalidInput
from engine.network.document import PolicyDocument
from engine.network.model import Network
from engine.policies.document import NodesDocument
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
    network, rules = view.network, policy.document.rules()
    stated = {field: value for field, value in rules.items() if field in PolicyDocument.model_fields}
    own = network.policy.model_copy(update=stated)
    ruled = replace(network, document=network.document.model_copy(update={"policy": own}))
    barred = _barred(policy.document, network)
    by_class = {rule.sku_class: barred | _barred(rule, network) for rule in policy.document.product_rules}
    whose_nodes = [("", barred), *((f" products of class {name!r}", nodes) for name, nodes in by_class.items())]
    for whose, nodes in whose_nodes:
        if len(nodes) == len(network.node_ids):
            message = f"{policy.reference!r} leaves no node of the network that may ship{whose}; put a version with one"
            raise InvalidInput(Fault(path="$.policy", message=message))
    return replace(view, days=view.days.of(ruled), barred=barred, barred_by_class=by_class)


def _barred(rule: NodesDocument, network: Network) -> frozenset[int]:
    """Return the nodes that get no new orders by a rule."""
    kinds, forbidden = rule.node_kinds, set(rule.forbidden_node_ids)
    chosen = None if rule.allowed_node_ids is None else set(rule.allowed_node_ids)
    return frozenset(
        n
        for n, node in enumerate(network.document.nodes)
        if (kinds is not None and node.kind not in kinds)
        or (chosen is not None and node.node_id not in chosen)
        or node.node_id in forbidden
    )
