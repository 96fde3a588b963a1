"""Order files of channels: CSV by the channel's own ids with prices and customers, and purchase orders in X12."""

from __future__ import annotations

from tests.api.test_imports import finished, report, sent

COLUMNS = "channel,channel_order_id,customer_id,country,latitude,longitude,sku,quantity,unit_price_cents,customer_name"
ORDERS = (
    f"{COLUMNS}\n"
    "mart,A-1,c-1,US,40.7,-74.0,mug,2,1000,Ann\nmart,A-1,,,,,tea,1,500,\n"
    "mart,A-2,,US,40.7,-74.0,mug,1,x,\nshop,A-1,,US,40.7,-74.0,mug,1,900,\n"
)
HEAD = (
    "ISA*00*          *00*          *ZZ*MART           *ZZ*ALLOT          *261122*1200*U*00401*000000001*0*P*>~\n"
    "GS*PO*MARTCO*ALLOT*20261122*1200*1*X*004010~\n"
)
PO = (
    "ST*850*0001~\nBEG*00*SA*PO-77**20261122~\nCUR*BY*USD~\nDTM*002*20991224~\n"
    "N1*BY*Head office~\nN4*Nowhere*XX*00000*US~\n"
    "N1*ST*Store 12~\nN3*1 Main St*Dock 4~\nN4*New York*NY*10004~\nPER*DC*Ann*TE*5551234*EM*ann@example.com~\n"
    "PO1*1*3*EA*12.50**VP*x-1*SK*mug~\nPO1*2*1*EA*5**UP*tea~\nAMT*TT*42.5~\nCTT*2~\nSE*13*0001~\n"
)
POSTAL = {"country": "US", "postal_code": "100", "latitude": 40.7, "longitude": -74.0}


async def test_lines_of_one_channel_order_are_one_order_with_its_prices_and_customer(shop):
    import_id = (await sent(shop, "orders", ORDERS)).json()["import_id"]
    found = await finished(shop, import_id)
    assert (found["rows"], found["rows_done"], found["rows_refused"]) == (3, 2, 1)
    lines = await report(shop, import_id)
    assert "unit_price_cents: 'x' is not a number" in lines[1]["message"]
    first = (await shop.get(f"/v1/orders/{lines[0]['id']}")).json()
    assert (first["channel"], first["channel_order_id"], first["customer_id"]) == ("mart", "A-1", "c-1")
    assert (first["prices"]["total_cents"], first["customer"]) == (2500, {"name": "Ann"})
    again = (await sent(shop, "orders", ORDERS)).json()["import_id"]
    assert again != import_id
    await finished(shop, again)
    assert [line["id"] for line in await report(shop, again)] == [line["id"] for line in lines]


async def test_purchase_orders_in_x12_are_orders_of_their_sender(shop, network):
    await shop.put("/v1/network", json={**network, "postal_codes": [POSTAL]})
    broken = PO.replace("PO-77", "PO-78").replace("*12.50*", "*12.505*")
    foreign = "ST*810*0003~\nBIG*20261122*9~\nSE*2*0003~\n"
    body = HEAD + PO + broken + foreign + "GE*3*1~\nIEA*1*000000001~\n"
    answer = await sent(shop, "orders", body, "application/edi-x12")
    assert answer.status_code == 202, answer.text
    import_id = answer.json()["import_id"]
    found = await finished(shop, import_id)
    assert (found["rows"], found["rows_done"], found["rows_refused"]) == (2, 1, 1)
    lines = await report(shop, import_id)
    assert lines[1]["message"] == "PO104: '12.505' is no amount of whole cents"
    order = (await shop.get(f"/v1/orders/{lines[0]['id']}")).json()
    assert (order["channel"], order["channel_order_id"], order["need_by"]) == ("MARTCO", "PO-77", "2099-12-24")
    assert [(line["line_id"], line["sku"], line["quantity"]) for line in order["lines"]] == [
        ("1", "mug", 3),
        ("2", "tea", 1),
    ]
    assert (order["destination"]["postal_code"], order["prices"]["total_cents"]) == ("10004", 4250)
    assert order["customer"] == {
        "name": "Store 12",
        "street": "1 Main St",
        "street_2": "Dock 4",
        "city": "New York",
        "region": "NY",
        "phone": "5551234",
        "email": "ann@example.com",
    }


async def test_a_file_that_is_no_order_file_is_refused_as_a_whole(shop):
    for body, said in (
        (HEAD[:90], "ends within the ISA segment"),
        (HEAD + "GE*0*1~IEA*1*1~", "has no purchase order (ST*850)"),
        ("channel,sku,quantity\nweb,mug,1\n", "lacks the column 'order_id'"),
    ):
        answer = await sent(shop, "orders", body)
        assert (answer.status_code, said in answer.text) == (400, True), answer.text
    answer = await sent(shop, "inventory", HEAD + PO)
    assert "an X12 file has orders" in answer.text
    unclosed = await sent(shop, "orders", HEAD + PO.replace("SE*13*0001~\n", ""))
    import_id = unclosed.json()["import_id"]
    await finished(shop, import_id)
    assert "is not closed by SE" in (await report(shop, import_id))[0]["message"]
