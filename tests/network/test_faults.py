"""Every wrong network document is refused with the JSON path, the value and the remedy, all faults at once."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from engine.errors import InvalidInput
from engine.network.checks import parse_network
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.storage.documents import MemoryDocumentStore

# (where to write, what to write, path of the fault, words its message must hold)
SPOILED = [
    (("nodes", 0, "latitude"), float("nan"), "$.nodes[0].latitude", "NaN"),
    (("nodes", 0, "longitude"), float("inf"), "$.nodes[0].longitude", "finite"),
    (("nodes", 0, "latitude"), 90.5, "$.nodes[0].latitude", "90.5"),
    (("nodes", 0, "latitude"), "40", "$.nodes[0].latitude", "without quotes"),
    (("nodes", 0, "latitude"), True, "$.nodes[0].latitude", "True"),
    (("nodes", 0, "unit_cost_cents"), -1, "$.nodes[0].unit_cost_cents", "-1"),
    (("nodes", 0, "parcel_cost_cents"), 1.5, "$.nodes[0].parcel_cost_cents", "whole number"),
    (("nodes", 0, "capacity_units"), 10**12, "$.nodes[0].capacity_units", "1000000000000"),
    (("nodes", 0, "cut_off"), "24:00", "$.nodes[0].cut_off", "24:00"),
    (("nodes", 0, "kind"), "shop", "$.nodes[0].kind", "use one of"),
    (("nodes", 0, "time_zone"), "America/New_Yrok", "$.nodes[0].time_zone", "America/New_York"),
    (("nodes", 0, "calendar"), "weekday", "$.nodes[0].calendar", "did you mean 'weekdays'?"),
    (("nodes", 0, "calender"), "weekdays", "$.nodes[0].calender", "did you mean 'calendar'?"),
    (("nodes", 1, "node_id"), "dc-east", "$.nodes[1].node_id", "already at $.nodes[0]"),
    (("nodes", 1, "node_id"), "", "$.nodes[1].node_id", "empty"),
    (("nodes", 1, "services"), ["grond"], "$.nodes[1].services[0]", "did you mean 'ground'?"),
    (("nodes", 0, "pick_ups"), [{"service": "grond"}], "$.nodes[0].pick_ups[0].service", "did you mean 'ground'?"),
    (("nodes", 0, "pick_ups"), [{"service": "ground"}] * 2, "$.nodes[0].pick_ups[1].service", "already at"),
    (("nodes", 0, "pick_ups"), [{"service": "ground", "days": []}], "$.nodes[0].pick_ups[0].days", "at least 1"),
    (("nodes", 0, "pick_ups"), [{"service": "ground", "cut_off": "9:00"}], "$.nodes[0].pick_ups[0].cut_off", "9:00"),
    (
        ("nodes", 0, "pick_ups"),
        [{"service": "ground", "days": ["mon", "mon"]}],
        "$.nodes[0].pick_ups[0].days[1]",
        "already at",
    ),
    (
        ("nodes", 0),
        {"services": [], "pick_ups": [{"service": "ground"}]},
        "$.nodes[0].pick_ups[0].service",
        "not among the services",
    ),
    (("nodes", 0, "closures"), [{"from": "2026-01-05", "to": "2026-01-01"}], "$.nodes[0].closures[0]", "swap"),
    (("nodes",), [], "$.nodes", "at least 1"),
    (("nodes", 0, "refuses"), ["hazmat", "hazmat"], "$.nodes[0].refuses[1]", "already at"),
    (("services", 0, "refuses"), ["a b\n"], "$.services[0].refuses[0]", "does not match"),
    (("services", 0, "dim_divisor"), 0, "$.services[0].dim_divisor", "0"),
    (("services", 0, "fuel_basis_points"), 12.5, "$.services[0].fuel_basis_points", "whole number"),
    (("services", 0, "oversize"), {"cents": 9}, "$.services[0].oversize", "has no limit"),
    (
        ("services", 0, "remote_areas"),
        [{"country": "US", "postal_prefixes": ["99", "9"], "cents": 1}] * 2,
        "$.services[0].remote_areas[1].postal_prefixes",
        "already in remote_areas[0]",
    ),
    (("services", 0, "unserved_areas"), [{"country": "usa"}], "$.services[0].unserved_areas[0].country", "usa"),
    (
        ("services", 0, "served_areas"),
        [{"country": "US", "postal_prefixes": []}],
        "$.services[0].served_areas[0].postal_prefixes",
        "at least 1",
    ),
    (
        ("services", 0),
        {"served_areas": [{"country": "US"}], "unserved_areas": [{"country": "US"}]},
        "$.services[0].unserved_areas",
        "US is in served_areas too",
    ),
    (
        ("nodes", 0, "store_pickup"),
        {"hours": [{"from": "18:00", "to": "09:00"}]},
        "$.nodes[0].store_pickup.hours[0]",
        "not after 18:00",
    ),
    (
        ("nodes", 0, "store_pickup"),
        {"hours": [{"from": "09:00", "to": "12:00"}, {"days": ["sat"], "from": "11:00", "to": "13:00"}]},
        "$.nodes[0].store_pickup.hours[1]",
        "overlaps with hours[0]",
    ),
    (
        ("nodes", 0, "store_pickup"),
        {"hours": [{"from": "09:00", "to": "10:00"}], "picking_minutes": 61},
        "$.nodes[0].store_pickup.picking_minutes",
        "more than the 60 minutes",
    ),
    (("nodes", 0, "lead_time_days"), 2, "$.nodes[0].lead_time_days", "2 is for a vendor"),
    (("nodes", 0, "acceptance"), 0.5, "$.nodes[0].acceptance", "0.5 is for a vendor"),
    (("nodes", 0, "acceptance"), 0, "$.nodes[0].acceptance", "0"),
    (
        ("nodes", 0),
        {"kind": "vendor", "store_pickup": {"hours": [{"from": "09:00", "to": "10:00"}]}},
        "$.nodes[0].store_pickup",
        "ships only",
    ),
    (("policy", "min_acceptance"), 80, "$.policy.min_acceptance", "80"),
    (("services", 0, "max_km"), -1, "$.services[0].max_km", "-1"),
    (
        ("cartons",),
        [{"carton": "S", "length_mm": 1, "width_mm": 1, "height_mm": 1, "max_weight_g": 1}] * 2,
        "$.cartons[1].carton",
        "already at",
    ),
    (("policy", "unprofitable"), "refuse", "$.policy.unprofitable", "needs min_margin_cents"),
    (("groups", 0, "node_ids", 1), "dc-eats", "$.groups[0].node_ids[1]", "did you mean 'dc-east'?"),
    (("groups", 0, "node_ids", 1), "dc-east", "$.groups[0].node_ids[1]", "already at"),
    (("groups", 0, "node_ids"), [], "$.groups[0].node_ids", "at least 1"),
    (("calendars", 0, "working_days", 0), "mo", "$.calendars[0].working_days[0]", "did you mean 'mon'?"),
    (("calendars", 0, "working_days"), [], "$.calendars[0].working_days", "at least 1"),
    (("calendars", 0, "country"), "ZZ", "$.calendars[0].country", "unknown country 'ZZ'"),
    (("calendars", 0, "region"), "XX", "$.calendars[0].region", "unknown region 'XX'"),
    (("calendars", 1, "region"), "CA", "$.calendars[1].region", "needs a country"),
    (("calendars", 0, "holidays"), ["2026-02-30"], "$.calendars[0].holidays[0]", "2026-02-30"),
    (("calendars", 0, "holidays"), [20260101], "$.calendars[0].holidays[0]", "YYYY-MM-DD"),
    (("calendars", 0, "holidays"), ["2026-05-01"] * 2, "$.calendars[0].holidays[1]", "2026-05-01"),
    (("calendars", 1, "calendar"), "weekdays", "$.calendars[1].calendar", "already at"),
    (
        ("calendars", 0, "closures"),
        [{"from": "2026-01-05", "to": "2026-01-01"}],
        "$.calendars[0].closures[0]",
        "swap",
    ),
    (
        ("calendars", 0, "closures"),
        [{"from": "2026-01-05", "to": "2026-01-09"}, {"from": "2026-01-01", "to": "2026-01-05"}],
        "$.calendars[0].closures[0]",
        "join the two",
    ),
    (("calendars", 0, "closures"), [{"from": "2026-01-05"}], "$.calendars[0].closures[0].to", "required"),
    (("zones", 1), {"zone": "far", "max_km": 500}, "$.zones[1].max_km", "sort zones"),
    (("zones", 0), {"zone": "near", "max_km": None}, "$.zones[1].max_km", "unbounded"),
    (("zones", 0, "max_km"), -1, "$.zones[0].max_km", "-1"),
    (("zones", 1, "zone"), "near", "$.zones[1].zone", "already at"),
    (("services", 0, "calendar"), "never", "$.services[0].calendar", "unknown calendar 'never'"),
    (("services", 0, "rates", 0, "zone"), "neer", "$.services[0].rates[0].zone", "did you mean 'near'?"),
    (("services", 0, "rates", 1, "zone"), "near", "$.services[0].rates[1]", "already at rates[0]"),
    (("services", 0, "rates", 0, "transit_days"), -1, "$.services[0].rates[0].transit_days", "-1"),
    (("services", 0, "rates", 0, "max_weight_g"), 0, "$.services[0].rates[0].max_weight_g", "0"),
    (("services", 0, "service_level"), "overnight", "$.services[0].service_level", "use one of"),
    (("policy", "dates_from"), "guess", "$.policy.dates_from", "history"),
    (("policy", "promise_quantile"), 90, "$.policy.promise_quantile", "90"),
    (("policy", "line_split"), "sometimes", "$.policy.line_split", "never"),
    (("currency",), "usd", "$.currency", "usd"),
    (
        ("postal_codes",),
        [{"country": "US", "postal_code": "900", "latitude": 34, "longitude": -118}] * 2,
        "$.postal_codes[1].postal_code",
        "already at",
    ),
]


@pytest.mark.parametrize(("place", "value", "path", "words"), SPOILED)
def test_a_wrong_document_names_path_value_and_remedy(
    document: dict[str, Any], place: tuple[str | int, ...], value: object, path: str, words: str
) -> None:
    target: Any = document
    for part in place[:-1]:
        target = target[part]
    target[place[-1]] = {**target[place[-1]], **value} if place[1:] == (0,) else value  # type: ignore[dict-item]
    with pytest.raises(InvalidInput) as refusal:
        parse_network(json.dumps(document).encode())
    messages = {fault.path: fault.message for fault in refusal.value.faults}
    assert path in messages
    assert words in messages[path]


def test_all_faults_are_reported_at_once(document: dict[str, Any]) -> None:
    document["nodes"][0]["calendar"] = "x"
    document["nodes"][1]["time_zone"] = "Mars/Olympus"
    document["groups"][0]["node_ids"] = ["a", "b"]
    with pytest.raises(InvalidInput) as refusal:
        parse_network(json.dumps(document).encode())
    assert len(refusal.value.faults) == 4


def test_a_fault_in_a_file_names_the_file(document: dict[str, Any]) -> None:
    document["nodes"][0]["calendar"] = "x"
    with pytest.raises(InvalidInput) as refusal:
        parse_network(json.dumps(document).encode(), "network.json")
    assert refusal.value.faults[0].path == "network.json:$.nodes[0].calendar"


@pytest.mark.parametrize("body", [b"", b"{", b'{"nodes": [1,]}', b"\xff"])
def test_what_is_not_json_is_refused_with_its_place(body: bytes) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_network(body, "network.json")
    assert refusal.value.faults[0].path.startswith("network.json:1:")


async def test_a_wrong_document_is_not_stored(document: dict[str, Any]) -> None:
    service = NetworkService(MemoryDocumentStore())
    assert await service.put(NetworkDocument.model_validate(document)) == 1
    spoiled = copy.deepcopy(document)
    spoiled["nodes"][0]["calendar"] = "x"
    with pytest.raises(InvalidInput):
        await service.put(NetworkDocument.model_validate(spoiled))
    assert (await service.current()).version == 1
    assert await service.put(NetworkDocument.model_validate(document)) == 2
    assert (await service.current()).version == 2


def test_the_published_schema_knows_the_sound_document(document: dict[str, Any]) -> None:
    import jsonschema

    schema = NetworkDocument.model_json_schema(by_alias=True)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    document["nodes"][0]["colour"] = "red"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)


def test_a_class_is_not_taken_and_refused_at_once(document: dict[str, Any]) -> None:
    document["services"][0] |= {"carries": ["hazmat", "cold_chain"], "refuses": ["hazmat"]}
    with pytest.raises(InvalidInput) as refusal:
        parse_network(json.dumps(document).encode())
    assert [fault.path for fault in refusal.value.faults] == ["$.services[0].refuses[0]"]
    assert "carries" in refusal.value.faults[0].message


def test_what_is_wrong_with_a_transfer_is_named(document: dict[str, Any]) -> None:
    document["nodes"][0]["hub"] = {}
    document["nodes"][1] |= {"hub": {}, "kind": "vendor"}
    sound = {"from_node_id": "shop-west", "to_node_id": "dc-east", "calendar": "daily", "transit_days": 1}
    document["transfers"] = [
        sound,
        sound | {"transit_days": 0},
        sound | {"from_node_id": "dc-east"},
        sound | {"from_node_id": "shop", "to_node_id": "dc", "calendar": "dayly"},
    ]
    with pytest.raises(InvalidInput) as refusal:
        parse_network(json.dumps(document).encode())
    assert [fault.path for fault in refusal.value.faults] == [
        "$.nodes[1].hub",
        "$.transfers[1]",
        "$.transfers[1].arrives_at",
        "$.transfers[2].to_node_id",
        "$.transfers[3].from_node_id",
        "$.transfers[3].to_node_id",
        "$.transfers[3].calendar",
    ]
    assert "unknown hub 'dc'" in refusal.value.faults[5].message


def test_there_are_only_so_many_handling_classes(document: dict[str, Any]) -> None:
    document["nodes"][0]["refuses"] = [f"class-{i}" for i in range(60)]
    parse_network(json.dumps(document).encode())
    document["nodes"][1]["refuses"] = ["one-more"]
    with pytest.raises(InvalidInput, match="61 handling classes"):
        parse_network(json.dumps(document).encode())
