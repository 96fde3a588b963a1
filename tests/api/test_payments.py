"""Payments over HTTP: tax rates, tenders, shipments that are captured, refunds, reconciliation."""

from __future__ import annotations

from tests.api.test_orders import ORDER, routed

TAXES = {
    "countries": [{"country": "US", "rates": [{"tax_code": "standard", "rate_ppm": 88750}]}],
    "default_country": "US",
}
PAID = {
    **ORDER,
    "order_id": "o-1",
    "lines": [{"sku": "mug", "quantity": 2, "unit_price_cents": 1000}],
    "shipping_cents": 400,
    "tenders": [
        {"kind": "gift_card", "token": "gift_500", "amount_cents": 500},
        {"kind": "card", "token": "tok_visa"},
    ],
}


async def test_an_order_is_taxed_paid_by_two_tenders_and_routed_only_then(shop):
    assert (await shop.put("/v1/tax-rates", json=TAXES)).json() == {"version": 1}
    assert (await shop.get("/v1/tax-rates")).json() == {"version": 1, **TAXES, "countries": [SHOWN]}
    answer = await shop.post("/v1/orders", json=PAID)
    assert answer.status_code == 201, answer.text
    waiting = answer.json()
    assert (waiting["state"], [hold["kind"] for hold in waiting["order_holds"]]) == ("on_hold", ["payment"])
    assert waiting["prices"]["total_cents"] == 2178 + 436
    money = (await shop.get("/v1/orders/o-1/payments")).json()
    assert (money["is_covered"], money["needed_cents"], money["pending"][0]["kind"]) == (True, 2614, "payment.renew")
    assert [(tender["provider"], tender["aside_cents"]) for tender in money["tenders"]] == [
        ("sandbox", 500),
        ("sandbox", 2114),
    ]
    assert (await routed(shop, all_open=True))["unrouted"] == []
    assert (await shop.get("/v1/orders/o-1")).json()["state"] == "sourced"
    assert (await shop.get("/v1/orders/o-1/bills")).json() == {"data": []}
    for path in ("orders/o-1/release", "shipments/shp_o-1-1/pack", "shipments/shp_o-1-1/ship"):
        assert (await shop.post(f"/v1/{path}")).status_code == 200
    body = {"amount_cents": 614, "reason": "came late"}
    assert (await shop.post("/v1/orders/o-1/refunds", json=body)).status_code == 200
    bills = (await shop.get("/v1/orders/o-1/bills")).json()["data"]
    assert [(each["number"][:3], each["cause"], each["total_cents"], each["tax_cents"]) for each in bills] == [
        ("INV", "shipped", 2614, 178 + 36),
        ("CN-", "refunded", 614, 41 + 8),
    ]
    for number, status in ((bills[0]["number"], 200), (bills[1]["number"], 200), ("INV-2020-000001", 404)):
        assert (await shop.get(f"/v1/orders/o-1/bills/{number}")).status_code == status


async def test_an_answer_comes_back_byte_for_byte_and_charges_nobody_twice(shop):
    """Catches the second answer to a key being the order as it has become since."""
    key = {"Idempotency-Key": "once"}
    first = await shop.post("/v1/orders", json=PAID, headers=key)
    again = await shop.post("/v1/orders", json=PAID, headers=key)
    assert (first.content, again.headers["Idempotent-Replayed"]) == (again.content, "true")
    money = (await shop.get("/v1/orders/o-1/payments")).json()
    assert [entry["amount_cents"] for entry in money["ledger"]] == [500, 1900]


async def test_a_declined_card_is_followed_by_another_tender(shop):
    body = {**PAID, "tenders": [{"kind": "card", "token": "tok_declined"}]}
    assert (await shop.post("/v1/orders", json=body)).status_code == 201
    money = (await shop.get("/v1/orders/o-1/payments")).json()
    assert (money["is_covered"], money["ledger"][0]["reason"]) == (False, "card_declined")
    assert money["tenders"][0]["is_closed"]
    report = (await shop.get("/v1/payments/report")).json()
    assert [(each["what"], each["amount_cents"]) for each in report["open_matters"]] == [("not_paid", 2400)]
    added = await shop.post("/v1/orders/o-1/tenders", json={"tenders": [{"kind": "invoice"}]})
    assert added.status_code == 200, added.text
    assert (await shop.get("/v1/orders/o-1/payments")).json()["is_covered"]
    assert (await shop.get("/v1/orders/o-1")).json()["state"] == "captured"
    refused = await shop.post("/v1/orders/o-1/tenders", json={"tenders": [{"kind": "invoice"}]})
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal_state")
    nothing = await shop.post("/v1/orders/o-1/refunds", json={"amount_cents": 1, "reason": "kind"})
    assert (nothing.status_code, "1 cents cannot be given back" in nothing.json()["detail"]) == (409, True)


async def test_a_cancelled_order_lets_the_money_go_and_the_books_agree(shop):
    assert (await shop.post("/v1/orders", json=PAID)).status_code == 201
    assert (await shop.post("/v1/orders/o-1/cancel")).status_code == 200
    money = (await shop.get("/v1/orders/o-1/payments")).json()
    assert [entry["kind"] for entry in money["ledger"]] == ["authorised", "authorised", "voided", "voided"]
    assert (money["aside_cents"], money["pending"]) == (0, [])
    report = (await shop.get("/v1/payments/report")).json()
    assert (report["agrees"], report["open_matters"]) == (True, [])
    (totals,) = report["totals"]
    assert (totals["currency"], totals["authorised_cents"], totals["captured_cents"]) == ("USD", 2400, 0)


async def test_bad_tenders_and_tax_rates_are_told_with_place_and_remedy(shop):
    body = {**PAID, "tenders": [{"kind": "card", "token": "4242424242424242"}]}
    answer = (await shop.post("/v1/orders", json=body)).json()
    assert answer["errors"] == [
        {
            "path": "$.tenders[0].token",
            "message": "looks like a card number; give the payment provider's token for it instead",
        }
    ]
    unpriced = {**ORDER, "tenders": [{"kind": "invoice"}]}
    answer = (await shop.post("/v1/orders", json=unpriced)).json()
    assert answer["errors"][0]["path"] == "$.tenders"
    twice = {"countries": [*TAXES["countries"], *TAXES["countries"]]}
    answer = (await shop.put("/v1/tax-rates", json=twice)).json()
    assert answer["errors"][0]["path"] == "$.countries[1].country"
    assert (await shop.get("/v1/tax-rates")).status_code == 404
    answer = await shop.get("/v1/payments/report?from=2026-11-22T00:00:00Z&to=2026-11-21T00:00:00Z")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "to")


SHOWN = {
    "country": "US",
    "rates": [{"tax_code": "standard", "rate_ppm": 88750}],
}


async def test_events_of_stripe_need_its_signature_a_tenant_and_a_signing_secret_and_no_key(shop, tenant):
    for where, status, code in ((tenant, 409, "illegal_state"), ("nobody", 404, "not_found")):
        answer = await shop.post(f"/v1/payments/stripe-events/{where}", json={}, headers={"Idempotency-Key": None})
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_a_store_credit_that_nobody_gave_is_not_there_and_pays_nothing(shop):
    assert (await shop.get("/v1/payments/store-credits/credit_0")).status_code == 404
    body = {**PAID, "tenders": [{"kind": "store_credit", "token": "credit_0"}]}
    assert (await shop.post("/v1/orders", json=body)).status_code == 201
    money = (await shop.get("/v1/orders/o-1/payments")).json()
    assert (money["is_covered"], money["ledger"][0]["reason"]) == (False, "unknown_store_credit")
