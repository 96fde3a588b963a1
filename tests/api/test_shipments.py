"""Fulfillment over HTTP: from the release of an order to its delivery, and what is refused on the way."""

from __future__ import annotations

import pytest

from tests.api.test_imports import finished, report, sent
from tests.api.test_orders import ORDER, routed

CUSTOMER = {"name": "Ada Byron", "street": "12 Mill Lane", "city": "New York", "postal_code": "10003"}


@pytest.fixture
async def sourced(shop):
    await shop.post("/v1/orders", json={**ORDER, "order_id": "o-1", "customer": CUSTOMER})
    await routed(shop, all_open=True)
    return shop


@pytest.fixture
async def released(sourced):
    answer = await sourced.post("/v1/orders/o-1/release")
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "released"
    return sourced


async def on_hand(shop, node_id="east"):
    positions = (await shop.get("/v1/inventory/mug")).json()["positions"]
    return next((row["on_hand"], row["confirmed"]) for row in positions if row["node_id"] == node_id)


async def test_a_node_pulls_its_work_and_takes_it_to_the_carrier(released):
    (work,) = (await released.get("/v1/shipments", params={"node_id": "east"})).json()["data"]
    assert (work["shipment_id"], work["state"], work["service"]) == ("shp_o-1-1", "released", "ground")
    assert work["lines"] == [{"line_id": "1", "sku": "mug", "quantity": 2}]
    path = f"/v1/shipments/{work['shipment_id']}"
    assert (await released.post(f"{path}/pick", json={"by": "anna"})).json()["state"] == "picking"
    assert (await released.get("/v1/shipments", params={"node_id": "east", "state": "released"})).json()["data"] == []
    (proposed,) = (await released.get(f"{path}/cartons")).json()["data"]
    assert proposed == {"carton": None, "weight_g": 1000, "lines": [{"line_id": "1", "quantity": 2}]}
    packed = await released.post(f"{path}/pack", json={"cartons": [{"weight_g": 1150}], "by": "anna"})
    assert (packed.status_code, packed.json()["state"]) == (200, "packed"), packed.text
    labelled = (await released.get(path)).json()
    (carton,) = labelled["cartons"]
    assert (labelled["carrier"], labelled["tracking_number"]) == ("acme", carton["tracking_number"])
    assert (len(carton["tracking_number"]), carton["label_cents"], carton["weight_g"]) == (18, 570, 1150)
    assert await on_hand(released) == (20, 2)
    key = {"Idempotency-Key": "ship-1"}
    shipped = await released.post(f"{path}/ship", headers=key)
    assert (shipped.status_code, shipped.json()["state"]) == (200, "shipped"), shipped.text
    again = await released.post(f"{path}/ship", headers=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (shipped.content, "true")
    assert await on_hand(released) == (18, 0)
    order = (await released.get("/v1/orders/o-1")).json()
    assert (order["state"], order["allocations"], order["shipments"][0]["state"]) == ("shipped", [], "shipped")
    assert (await released.get("/v1/shipments", params={"node_id": "east"})).json() == {"data": [], "has_more": False}
    done = await released.post(f"{path}/deliver", json={"proof": "signed: A. Byron"})
    assert (done.json()["state"], done.json()["proof"]) == ("delivered", "signed: A. Byron")
    assert (await released.get("/v1/orders/o-1")).json()["state"] == "delivered"
    history = (await released.get("/v1/orders/o-1/history")).json()["data"]
    told = [entry["event"] for entry in history if entry["event"]]
    assert told == [
        "shipment_released",
        "shipment_picking",
        "shipment_packed",
        "label_bought",
        "shipment_shipped",
        "shipment_delivered",
    ]


async def test_what_is_refused_says_what_can_be_done(released):
    path = "/v1/shipments/shp_o-1-1"
    for method, word, body, status, message in (
        (
            "post",
            "ship",
            {},
            409,
            "cannot be shipped; from there it can be: packed, picking, recalled",
        ),
        ("post", "deliver", {}, 409, "cannot be delivered"),
        ("post", "label", None, 409, "labels are for one that is packed"),
        ("post", "pack", {"cartons": [{"carton": "XL"}]}, 400, "the network has no cartons"),
        ("post", "pack", {"cartons": [{"lines": [{"line_id": "1", "quantity": 1}]}]}, 400, "1 units of line '1'"),
        ("post", "lose", {"reason": ""}, 400, "reason"),
    ):
        answer = await getattr(released, method)(f"{path}/{word}", json=body)
        assert (answer.status_code, message in answer.text) == (status, True), answer.text
    for name in ("shp_o-1-9", "shp_o-9-1", "o-1", "shp_-1"):
        answer = await released.get(f"/v1/shipments/{name}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await released.post("/v1/orders/o-1/release")).json()["code"] == "illegal_state"


async def test_a_label_that_the_carrier_refuses_is_asked_for_again_when_the_address_is_mended(shop):
    body = {**ORDER, "order_id": "o-1", "customer": {**CUSTOMER, "postal_code": "00000"}}
    await shop.post("/v1/orders", json=body)
    await routed(shop, all_open=True)
    await shop.post("/v1/orders/o-1/release")
    await shop.post("/v1/shipments/shp_o-1-1/pack")
    found = (await shop.get("/v1/shipments/shp_o-1-1")).json()
    assert (found["state"], "does not deliver to postal code '00000'" in found["problem"]) == ("packed", True)
    refused = await shop.post("/v1/shipments/shp_o-1-1/ship")
    assert (refused.status_code, "has no label: acme does not deliver" in refused.text) == (409, True)
    asked = await shop.post("/v1/shipments/shp_o-1-1/label")
    assert (asked.status_code, asked.json()["problem"]) == (200, None)
    by_hand = await shop.post("/v1/shipments/shp_o-1-1/ship", json={"carrier": "bike", "tracking_number": "BK-77"})
    assert (by_hand.json()["carrier"], by_hand.json()["tracking_number"]) == ("bike", "BK-77")


async def test_pages_of_work_follow_each_other(shop):
    for number in range(3):
        await shop.post("/v1/orders", json={**ORDER, "order_id": f"o-{number}"})
    await routed(shop, all_open=True)
    for number in range(3):
        await shop.post(f"/v1/orders/o-{number}/release")
    seen, after = [], {}
    while True:
        page = (await shop.get("/v1/shipments", params={"node_id": "east", "limit": 1, **after})).json()
        seen += [each["order_id"] for each in page["data"]]
        if not page["has_more"]:
            break
        after = {"starting_after": page["data"][-1]["shipment_id"]}
    assert seen == ["o-0", "o-1", "o-2"]


async def test_a_lost_shipment_is_routed_and_shipped_again(released):
    path = "/v1/shipments/shp_o-1-1"
    await released.post(f"{path}/pack")
    await released.post(f"{path}/ship")
    lost = await released.post(f"{path}/lose", json={"reason": "van burnt"})
    assert (lost.json()["state"], lost.json()["problem"]) == ("lost", "van burnt")
    assert (await released.get("/v1/orders/o-1")).json()["state"] == "backordered"
    await routed(released, all_open=True)
    await released.post("/v1/orders/o-1/release")
    await released.post("/v1/shipments/shp_o-1-2/pack")
    again = await released.post("/v1/shipments/shp_o-1-2/ship")
    assert (again.json()["state"], await on_hand(released)) == ("shipped", (16, 0))


async def test_documents_are_printed_and_their_log_is_kept(released):
    path = "/v1/shipments/shp_o-1-1"
    assert (await released.get(f"{path}/labels")).json()["code"] == "illegal_state"
    await released.post(f"{path}/pack")
    for last, kind, begins in (
        ("packing-slip", "application/pdf", b"%PDF"),
        ("labels", "application/pdf", b"%PDF"),
        ("labels-zpl", "application/zpl", b"^XA"),
    ):
        answer = await released.get(f"{path}/{last}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind), answer.text
        assert answer.content.startswith(begins)
    sent = await released.post(f"{path}/documents", json={"document": "label", "act": "sent", "by": "anna"})
    log = (await released.get("/v1/orders/o-1/documents")).json()
    assert sent.json() == log
    assert [(entry["document"], entry["act"]) for entry in log["data"]] == [
        ("packing_slip", "made"),
        ("label", "made"),
        ("zpl", "made"),
        ("label", "sent"),
    ]


async def test_a_wave_and_the_carrier_take_a_shipment_to_its_customer(released):
    key = {"Idempotency-Key": "wave-1"}
    made = await released.post("/v1/waves", json={"node_id": "east"}, headers=key)
    again = await released.post("/v1/waves", json={"node_id": "east"}, headers=key)
    assert (made.status_code, again.content, again.headers["Idempotent-Replayed"]) == (201, made.content, "true")
    wave = (await released.get(f"/v1/waves/{made.json()['wave_id']}")).json()
    assert [(line["sku"], line["quantity"]) for line in wave["pick_list"]] == [("mug", 2)]
    await released.post("/v1/shipments/shp_o-1-1/pack")
    number = (await released.get("/v1/shipments/shp_o-1-1")).json()["tracking_number"]
    events = [
        {"tracking_number": number, "event": "delivered", "at": "2026-11-25T10:00:00Z", "proof": "porch"},
        {"tracking_number": "0000", "event": "lost", "at": "2026-11-25T10:00:00Z"},
    ]
    taken = await released.post("/v1/carrier-events", json={"events": events})
    assert [each["outcome"] for each in taken.json()["data"]] == ["taken", "unknown_number"]
    found = (await released.get("/v1/shipments/shp_o-1-1")).json()
    assert (found["state"], found["proof"], await on_hand(released)) == ("delivered", "porch", (18, 0))


async def test_a_file_of_carrier_events_is_taken_row_by_row(released):
    await released.post("/v1/shipments/shp_o-1-1/pack")
    number = (await released.get("/v1/shipments/shp_o-1-1")).json()["tracking_number"]
    rows = (
        f"tracking_number,event,at,place\n{number},in_transit,2026-11-25T10:00:00Z,Gary\n"
        f"{number},delivered,2026-11-26T10:00:00+01:00,\n0000,lost,2026-11-26T10:00:00Z,\n{number},eaten,2026-11-26,\n"
    )
    import_id = (await sent(released, "carrier_events", rows)).json()["import_id"]
    found = await finished(released, import_id)
    assert (found["rows_done"], found["rows_refused"]) == (2, 2)
    lines = await report(released, import_id)
    assert [(line["id"], line["code"]) for line in lines[2:]] == [("0000", "not_found"), (number, "invalid_input")]
    shipment = (await released.get("/v1/shipments/shp_o-1-1")).json()
    assert (shipment["state"], [event["event"] for event in shipment["events"]]) == (
        "delivered",
        ["in_transit", "delivered"],
    )


async def test_what_easypost_tells_needs_no_key_and_changes_nothing_twice(released):
    await released.post("/v1/shipments/shp_o-1-1/pack")
    number = (await released.get("/v1/shipments/shp_o-1-1")).json()["tracking_number"]
    details = [{"datetime": "2026-11-25T10:00:00Z", "status": "delivered", "message": "Delivered, front door"}]
    body = {"description": "tracker.updated", "result": {"tracking_code": number, "tracking_details": details}}
    for _ in range(2):
        answer = await released.post("/v1/carrier-events/easypost", json=body, headers={"Idempotency-Key": None})
        assert (answer.status_code, answer.json()["data"][0]["outcome"]) == (200, "taken"), answer.text
    shipment = (await released.get("/v1/shipments/shp_o-1-1")).json()
    assert (shipment["state"], len(shipment["events"]), await on_hand(released)) == ("delivered", 1, (18, 0))
