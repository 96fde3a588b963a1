"""What one policy states otherwise than another, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.policies.document import NodesDocument, RunPolicyDocument

LEFT_OUT = "as the network has it"
_NULL = {
    "late_day_cost_cents": "never late",
    "node_kinds": "every kind",
    "allowed_node_ids": "every node",
    "cut_off": "each node's own",
}
_OWN = {"cut_off": "each node's own", "max_nodes_per_line": "no limit", "ship_complete": "no"}
_ABSENT = {
    "node_kinds": "every kind",
    "allowed_node_ids": "every node",
    **_OWN,
    **dict.fromkeys(("shipping_weight", "handling_weight", "capacity_share"), "1.0"),
    **dict.fromkeys(("forbidden_node_ids", "rules", "product_rules", "about"), "none"),
    **dict.fromkeys(("node_balance", "markdowns", "stock_out_costs", "safety_stock", "softened"), "none"),
}

_FIELDS = (
    *(field for field in RunPolicyDocument.model_fields if field not in {"policy_id", *NodesDocument.model_fields}),
    *NodesDocument.model_fields,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field that two policies state differently; `before` and `after` are for people."""

    field: str
    before: str
    after: str


def differences(before: RunPolicyDocument, after: RunPolicyDocument) -> list[Difference]:
    """Return the fields that differ in effect, those about nodes last; stating the default is no difference."""
    words = [in_words(before), in_words(after)]
    return [
        Difference(field=field, before=words[0][field], after=words[1][field])
        for field in words[0]
        if words[0][field] != words[1][field]
    ]


def in_words(document: RunPolicyDocument) -> dict[str, str]:
    """Return every field of a policy in words, whether it is stated or left out."""
    stated = document.model_dump(mode="json", exclude_unset=True)
    return {field: _words(field, stated) for field in _FIELDS}


def _words(field: str, stated: Mapping[str, Any]) -> str:
    value = stated.get(field)
    if field not in stated or value in ([], ""):
        return _ABSENT.get(field, LEFT_OUT)
    if value is None:
        return _NULL.get(field, "no limit")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return _fields_in_words({name: cents for name, cents in value.items() if cents is not None}) or "none"
    if isinstance(value, list) and isinstance(value[0], dict):
        return "; ".join(sorted(_rule(rule) for rule in value))
    if isinstance(value, list):
        return ", ".join(sorted(value))
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _rule(rule: Mapping[str, Any]) -> str:
    """Return a rule as what it is for, and what it says."""
    stated = {field: value for field, value in rule.items() if value is not None and value != []}
    name, when = stated.pop("rule", None), stated.pop("when", {})
    when = {field: value for field, value in when.items() if value is not None}
    whose = stated.pop("sku_class", None) or _fields_in_words(when) or "everything"
    return f"{'' if name is None else f'{name} for '}{whose}: {_fields_in_words(stated)}"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(sorted(value))
    return value if isinstance(value, str) else f"{value:,}"


def _fields_in_words(stated: Mapping[str, Any]) -> str:
    words = ((field, _value(value)) for field, value in stated.items())
    return " and ".join(f"{field} {value}" for field, value in words)
