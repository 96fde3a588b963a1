"""Learned lead times over HTTP: what `allot calibrate` writes is taken as it is, and what is not, is named."""

from __future__ import annotations

import json

import pytest

from api.routes.lead_times import EXAMPLE
from engine.calibration.document import document
from engine.calibration.learning import calibrate
from engine.calibration.shipments import read_history


@pytest.fixture
def learned(tmp_path):
    """What is learned from sixty shipments by a service that the shop has."""
    path = tmp_path / "shipments.csv"
    rows = [
        f"s{i},2026-01-{1 + i % 20:02},2026-01-{5 + i % 20 + i % 3:02},west,{('air', 'ground')[i % 2]},z{i % 3}"
        for i in range(60)
    ]
    path.write_text("\n".join(["shipment_id,ordered_at,delivered_at,node_id,service,zone", *rows]) + "\n")
    return json.loads(json.dumps(document(calibrate(read_history(path)))))


async def test_the_learned_file_is_put_as_it_is_and_versioned(http, learned):
    assert (await http.get("/v1/lead-times")).json()["code"] == "not_found"
    first = await http.put("/v1/lead-times", json=learned)
    assert (first.status_code, first.json()) == (200, {"version": 1, "shipments": 60})
    assert (await http.put("/v1/lead-times", json=EXAMPLE)).json()["version"] == 2
    assert (await http.put("/v1/lead-times", json=learned)).json()["version"] == 3
    found = (await http.get("/v1/lead-times")).json()
    assert found["version"] == 3
    assert found["lead_times"]["service_ids"] == ["air", "ground"]
    assert found["lead_times"]["location"] == learned["location"]


# (where to write, what to write, path of the fault, words its message must hold)
SPOILED = [
    (("version",), 2, "$.version", "2"),
    (("levels",), [0.1, 0.9, 0.5], "$.levels[2]", "rising"),
    (("levels",), [0.1, 0.5, 0.8], "$.levels", "include 0.5 and 0.9"),
    (("bins", "weight_g"), [5.0, 5.0], "$.bins.weight_g[1]", "rising"),
    (("shapes", 0), [0.0, 1.0], "$.shapes[0]", "one for each of the 3 levels"),
    (("shapes", 0), [0.0, 2.0, 1.0], "$.shapes[0]", "falls"),
    (("shapes",), [], "$.shapes", "at least 1"),
    (("location", 0, "fields"), ["zone", "hour"], "$.location[0].fields", "allot calibrate"),
    (("location", 0, "fields"), ["zonee"], "$.location[0].fields[0]", "did you mean 'zone'?"),
    (("location", 0, "groups", 1), ["far", 1.5], "$.location[0].groups[1]", "has 2 values"),
    (("location", 0, "groups", 1), [3, 1.5, 0.1], "$.location[0].groups[1]", "give a text"),
    (("location", 0, "groups", 1), ["far", 1.5, -0.1], "$.location[0].groups[1]", "variance"),
    (("location", 1, "groups", 0), ["mon", 1.0, 0.1], "$.location[1].groups[0]", "whole number"),
    (("scale", 0, "groups", 0), ["far", "wide"], "$.scale[0].groups[0]", "give a number"),
    (("shape_of",), [{"fields": ["service"], "groups": [["ground", 4]]}], "$.shape_of[0].groups[0]", "from 0 to 0"),
    (("shape_of",), [{"fields": ["zone"], "groups": []}], "$.shape_of[0].fields", "allot calibrate"),
    (("scale_days",), -1, "$.scale_days", "-1"),
    (("centre_days",), 1, "$.centre_days", "did you mean 'center_days'?"),
]


@pytest.mark.parametrize(("place", "value", "path", "words"), SPOILED)
async def test_a_wrong_file_names_path_value_and_remedy(http, place, value, path, words):
    spoiled = json.loads(json.dumps(EXAMPLE))
    target = spoiled
    for part in place[:-1]:
        target = target[part]
    target[place[-1]] = value
    answer = await http.put("/v1/lead-times", json=spoiled)
    assert answer.status_code == 400
    messages = {fault["path"]: fault["message"] for fault in answer.json()["errors"]}
    assert path in messages
    assert words in messages[path]
    assert (await http.get("/v1/lead-times")).status_code == 404
