"""Policies on both stores: versions that never change, and documents that are refused with place, value and remedy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.errors import InvalidInput, NotFound
from engine.faults import read_document
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.policies.differences import LEFT_OUT, Difference, differences
from engine.policies.document import RunPolicyDocument
from engine.policies.service import PolicyService
from engine.storage.client import StoreClient
from engine.storage.documents import LIBRARY, DocumentStore, MemoryDocumentStore, RedisDocumentStore
from engine.storage.functions import ensure
from engine.storage.keys import Keys

NODE = {"kind": "dc", "latitude": 1.0, "longitude": 2.0, "time_zone": "UTC", "calendar": "always"}
NETWORK = {
    "calendars": [{"calendar": "always", "working_days": ["mon"]}],
    "nodes": [{"node_id": "east", **NODE}, {"node_id": "west", **NODE}],
    "channels": [{"channel": "web"}],
}
STEP, MORE = {"load_share": 0.5, "cost_cents_per_unit": 9}, {"cost_cents_per_unit": 10}
PRICE = {"preference_cost_cents_per_unit": 100}


def document(**fields: Any) -> RunPolicyDocument:
    return read_document(RunPolicyDocument, json.dumps(fields).encode())


@pytest.fixture(params=["memory", "redis"])
async def documents(request: pytest.FixtureRequest, client: StoreClient, keys: Keys) -> DocumentStore:
    if request.param == "memory":
        return MemoryDocumentStore()
    await ensure(client, [LIBRARY])
    return RedisDocumentStore(client, keys)


@pytest.fixture
async def policies(documents: DocumentStore) -> PolicyService:
    return PolicyService(documents, NetworkService(documents))


async def test_every_put_is_a_version_and_earlier_ones_read_as_they_were(policies: PolicyService) -> None:
    put = [await policies.put("peak", document(split_cost_cents=cents)) for cents in (100, 250)]
    assert [policy.reference for policy in put] == ["peak@1", "peak@2"]
    found = [await policies.get("peak", version) for version in (1, 2, None)]
    assert [policy.document.stated() for policy in found] == [
        {"split_cost_cents": 100},
        {"split_cost_cents": 250},
        {"split_cost_cents": 250},
    ]
    assert [(await policies.find(name, "$")).version for name in ("peak", "peak@1", "peak@2")] == [2, 1, 2]


async def test_what_is_left_out_stays_left_out_and_null_stays_null(policies: PolicyService) -> None:
    """Catches defaults that are filled in on the way: a field left out would then overrule the network's policy."""
    await policies.put("peak", document(about="x", late_day_cost_cents=None, node_kinds=["dc"]))
    stored = (await policies.get("peak")).document
    assert stored.stated() == {"late_day_cost_cents": None, "node_kinds": ["dc"]}
    assert stored.about == "x"


async def test_policies_are_listed_by_id_in_pages(policies: PolicyService) -> None:
    assert await policies.page() == ([], False)
    for name in ("peak", "base", "peak", "calm"):
        await policies.put(name, document())
    page, has_more = await policies.page(2)
    assert ([policy.reference for policy in page], has_more) == (["base@1", "calm@1"], True)
    rest, has_more = await policies.page(2, after="calm")
    assert ([policy.reference for policy in rest], has_more) == (["peak@2"], False)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("peek", "did you mean 'peak'?"),
        ("peak@3", "it has versions 1 to 2"),
        ("peak@0", "such as 'peak@2'"),
        ("peak@", "such as 'peak@2'"),
        ("", "such as 'peak@2'"),
    ],
)
async def test_what_names_no_policy_is_told_with_a_remedy(reference: str, words: str, policies: PolicyService) -> None:
    for _ in range(2):
        await policies.put("peak", document())
    with pytest.raises(InvalidInput) as caught:
        await policies.find(reference, "$.policy")
    (fault,) = caught.value.faults
    assert fault.path == "$.policy"
    assert words in fault.message
    with pytest.raises(NotFound):
        await policies.get(reference)


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        ({"split_cost": 1}, "$.split_cost", "did you mean 'split_cost_cents'?"),
        ({"split_cost_cents": -1}, "$.split_cost_cents", "-1"),
        ({"split_cost_cents": None}, "$.split_cost_cents", "None"),
        ({"split_cost_cents": 1.5}, "$.split_cost_cents", "whole number"),
        ({"backorder_cost_cents_per_unit": "60"}, "$.backorder_cost_cents_per_unit", "without quotes"),
        ({"late_day_cost_cents": 10**11}, "$.late_day_cost_cents", "less than or equal"),
        ({"max_nodes_per_order": 0}, "$.max_nodes_per_order", "greater than or equal to 1"),
        ({"max_distance_km": 0}, "$.max_distance_km", "greater than 0"),
        ({"min_acceptance": 1.5}, "$.min_acceptance", "1.5"),
        ({"line_split": "always"}, "$.line_split", "allowed"),
        ({"node_kinds": ["shop"]}, "$.node_kinds[0]", "store"),
        ({"node_kinds": []}, "$.node_kinds", "at least 1"),
        ({"policy_id": "a b"}, "$.policy_id", "'a b'"),
        ({"shipping_weight": -1}, "$.shipping_weight", "greater than or equal to 0"),
        ({"node_balance": [{"load_share": 2, "cost_cents_per_unit": 1}]}, "$.node_balance[0].load_share", "2"),
        ({"markdowns": [{"above_units": 1}]}, "$.markdowns[0].credit_cents_per_unit", "required"),
        ({"stock_out_costs": [{"below_units": 0}]}, "$.stock_out_costs[0].below_units", "greater than 0"),
        ({"capacity_share": 0}, "$.capacity_share", "greater than 0"),
        ({"cut_off": "9:30"}, "$.cut_off", "9:30"),
        ({"max_nodes_per_line": 0}, "$.max_nodes_per_line", "greater than or equal to 1"),
        ({"rules": [{"when": {"countries": []}}]}, "$.rules[0].when.countries", "at least 1"),
        ({"rules": [{"when": {"countries": ["usa"]}}]}, "$.rules[0].when.countries[0]", "usa"),
        ({"rules": [{"when": {"chanels": ["web"]}}]}, "$.rules[0].when.chanels", "did you mean 'channels'?"),
    ],
)
def test_a_document_of_another_shape_names_place_value_and_remedy(
    fields: dict[str, Any], path: str, words: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        document(**fields)
    faults = {fault.path: fault.message for fault in caught.value.faults}
    assert words in faults[path]


@pytest.mark.parametrize(
    ("policy_id", "fields", "path", "words"),
    [
        ("peak@2", {}, "policy_id", "letters, digits"),
        ("peak", {"policy_id": "calm"}, "$.policy_id", "'calm' is not 'peak'"),
        ("peak", {"allowed_node_ids": ["east", "wset"]}, "$.allowed_node_ids[1]", "did you mean 'west'?"),
        ("peak", {"forbidden_node_ids": ["eats"]}, "$.forbidden_node_ids[0]", "did you mean 'east'?"),
        ("peak", {"forbidden_node_ids": ["east", "east"]}, "$.forbidden_node_ids[1]", "remove one"),
        ("peak", {"node_kinds": ["dc", "dc"]}, "$.node_kinds[1]", "remove one"),
        (
            "peak",
            {"product_rules": [{"sku_class": "x", "forbidden_node_ids": ["wset"]}]},
            "$.product_rules[0].forbidden_node_ids[0]",
            "did you mean 'west'?",
        ),
        ("peak", {"product_rules": [{"sku_class": "x"}]}, "$.product_rules[0]", "leave the rule out"),
        (
            "peak",
            {"allowed_node_ids": ["east"], "forbidden_node_ids": ["east"]},
            "$.forbidden_node_ids[0]",
            "allowed and forbidden",
        ),
        ("peak", {"rules": [{"when": {"channels": ["web"]}}]}, "$.rules[0]", "does nothing"),
        ("peak", {"rules": [{"allowed_node_ids": ["wset"]}]}, "$.rules[0].allowed_node_ids[0]", "'west'?"),
        ("peak", {"rules": [{"preferred_node_ids": ["wset"], **PRICE}]}, "$.rules[0].preferred_node_ids[0]", "'west'?"),
        (
            "peak",
            {"rules": [{"preferred_node_ids": ["east"]}]},
            "$.rules[0].preference_cost_cents_per_unit",
            "need a price above 0",
        ),
        (
            "peak",
            {"rules": [{"node_kinds": ["dc"], **PRICE}]},
            "$.rules[0].preference_cost_cents_per_unit",
            "no preferred nodes",
        ),
        (
            "peak",
            {"rules": [{"preferred_node_ids": ["east"], "forbidden_node_ids": ["east"], **PRICE}]},
            "$.rules[0].preferred_node_ids[0]",
            "preferred, but forbidden",
        ),
        (
            "peak",
            {"rules": [{"when": {"postal_prefixes": ["1"]}, "node_kinds": ["dc"]}]},
            "$.rules[0].when.postal_prefixes",
            "name it alone in 'countries'",
        ),
        (
            "peak",
            {"rules": [{"when": {"channels": ["wbe"]}, "node_kinds": ["dc"]}]},
            "$.rules[0].when.channels[0]",
            "did you mean 'web'?",
        ),
        (
            "peak",
            {"rules": [{"when": {"channels": ["web", "web"]}, "node_kinds": ["dc"]}]},
            "$.rules[0].when.channels[1]",
            "remove one",
        ),
        ("peak", {"rules": [{"rule": "a", "node_kinds": ["dc"]}] * 2}, "$.rules[1].rule", "remove one"),
        ("peak", {"node_balance": [STEP, STEP]}, "$.node_balance[1].load_share", "remove one"),
        (
            "peak",
            {"node_balance": [STEP, {**STEP, "load_share": 0.4, **MORE}]},
            "$.node_balance",
            "falls with the load",
        ),
        (
            "peak",
            {"rules": [{"preferred_node_ids": ["east"], "relaxed_cost_cents_per_unit": 1, **PRICE}]},
            "$.rules[0].relaxed_cost_cents_per_unit",
            "nothing to relax",
        ),
        (
            "peak",
            {"softened": {"incomplete_order_cost_cents": 1}},
            "$.softened.incomplete_order_cost_cents",
            "state ship_complete",
        ),
        (
            "peak",
            {"softened": {"late_day_cost_cents": 1}, "late_day_cost_cents": 5},
            "$.softened.late_day_cost_cents",
            "leave one of the two out",
        ),
        (
            "peak",
            {"softened": {"extra_node_cost_cents": 1}, "max_nodes_per_order": None},
            "$.softened.extra_node_cost_cents",
            "no max_nodes_per_order",
        ),
        ("peak", {"safety_stock": [{"units": 1}, {"units": 2}]}, "$.safety_stock[1]", "remove one"),
        ("peak", {"max_nodes_per_line": 2, "line_split": "never"}, "$.max_nodes_per_line", "never split"),
        (
            "peak",
            {"node_kinds": ["dc"], "rules": [{"node_kinds": ["store"]}]},
            "$.rules[0]",
            "no node together with the policy itself",
        ),
        (
            "peak",
            {"rules": [{"allowed_node_ids": ["east"]}, {"allowed_node_ids": ["west"]}]},
            "$.rules[1]",
            "no node together with rules[0]",
        ),
    ],
)
async def test_a_document_that_contradicts_itself_or_the_network_is_not_stored(
    policy_id: str, fields: dict[str, Any], path: str, words: str, documents: DocumentStore
) -> None:
    networks = NetworkService(documents)
    await networks.put(NetworkDocument.model_validate(NETWORK))
    policies = PolicyService(documents, networks)
    with pytest.raises(InvalidInput) as caught:
        await policies.put(policy_id, document(**fields))
    (fault,) = caught.value.faults
    assert fault.path == path
    assert words in fault.message
    assert await policies.page() == ([], False)


def test_stating_a_default_is_no_difference() -> None:
    stated = document(shipping_weight=1.0, ship_complete=False, cut_off=None, capacity_share=1.0, node_balance=[])
    assert differences(document(), stated) == []
    (late,) = differences(document(softened={}), document(softened={"late_day_cost_cents": 900}))
    assert (late.before, late.after) == ("none", "late_day_cost_cents 900")
    found = differences(document(), document(ship_complete=True, safety_stock=[{"node_kind": "store", "units": 1200}]))
    assert [(each.field, each.before, each.after) for each in found] == [
        ("ship_complete", "no", "yes"),
        ("safety_stock", "none", "everything: node_kind store and units 1,200"),
    ]


def test_differences_are_told_in_words() -> None:
    before = document(split_cost_cents=1000, node_kinds=["dc"], about="calm", forbidden_node_ids=[])
    after = document(split_cost_cents=2500, max_distance_km=None, late_day_cost_cents=None, about="calm")
    assert differences(before, after) == [
        Difference(field="split_cost_cents", before="1,000", after="2,500"),
        Difference(field="late_day_cost_cents", before=LEFT_OUT, after="never late"),
        Difference(field="max_distance_km", before=LEFT_OUT, after="no limit"),
        Difference(field="node_kinds", before="dc", after="every kind"),
    ]
    assert differences(after, after) == []
    ruled = document(about="calm", product_rules=[{"sku_class": "cold", "node_kinds": ["dc", "store"]}])
    (difference,) = differences(document(about="calm"), ruled)
    assert (difference.before, difference.after) == ("none", "cold: node_kinds dc, store")
    when = {"channels": ["web"], "countries": ["US"]}
    rule = {"rule": "fresh", "when": when, "preferred_node_ids": ["b", "a"], "preference_cost_cents_per_unit": 1500}
    (difference,) = differences(document(), document(rules=[rule]))
    assert difference.after == (
        "fresh for countries US and channels web: preferred_node_ids a, b and preference_cost_cents_per_unit 1,500"
    )
