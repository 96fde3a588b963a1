"""Documents of shipments: what stands on them, that they sum up, and who has seen which."""

from __future__ import annotations

import re
import zlib
from base64 import a85decode

import pytest

from engine.errors import IllegalState, NotFound
from engine.fulfillment.carrying import Loss, Remedy
from engine.fulfillment.documents import Document
from engine.fulfillment.papers.sheet import fitted_lines, printable
from engine.orders.facts.amounts import shown_amount
from engine.orders.model import NewLine
from tests.fulfillment.depot import Depot, later


def text_of(pdf: bytes) -> str:
    """Return the texts that a PDF of ours draws, one a line."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        raw = zlib.decompress(a85decode(stream.strip().removesuffix(b"~>")))
        found += [part.decode("cp1252") for part in re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", raw)]
    return "\n".join(text.replace("\\(", "(").replace("\\)", ")") for text in found)


async def test_a_packing_slip_says_what_is_enclosed_and_what_is_still_to_come(depot: Depot) -> None:
    await depot.capture("o1", ("MUG", 3), ("TEA", 1))
    await depot.route("o1", ("1", 2, "north"), ("1", 1, None), ("2", 1, "north"))
    await depot.engine.fulfillment.release("o1")
    text = text_of(await depot.engine.documents.make("shp_o1-1", Document.PACKING_SLIP))
    for said in ("Packing slip", "shp_o1-1", "Ada Byron", "12 Mill Lane", "New York NY 10003", "North warehouse"):
        assert said in text
    assert text.split("MUG\n")[1].split("\n")[:4] == ["Mug, red", "3", "2", "1"]
    assert "3 units enclosed." in text
    assert "USD" not in text


async def test_labels_have_a_page_for_each_carton_and_its_number_as_a_bar_code(depot: Depot) -> None:
    shipment = await depot.packed("o1", ("MUG", 1), ("OAR", 1))
    assert [carton.carton for carton in shipment.cartons] == ["", "S"]
    text = text_of(await depot.engine.documents.make("shp_o1-1", Document.LABEL))
    for number, carton in enumerate(shipment.cartons, 1):
        digits = carton.tracking_number
        assert " ".join(digits[at : at + 4] for at in range(0, 18, 4)) in text
        assert f"{number} / 2" in text
    zpl = (await depot.engine.documents.make("shp_o1-1", Document.ZPL)).decode()
    assert zpl.count("^XA") == zpl.count("^XZ") == 2
    assert re.findall(r"\^BCN[^^]*\^FD(\d+)\^FS", zpl) == [carton.tracking_number for carton in shipment.cartons]


async def test_an_address_gives_the_label_printer_no_commands(depot: Depot) -> None:
    """Catches a name that is written as it is: `^XZ^XA…` would print a label of its own."""
    await depot.packed("o1", customer={"name": "A^XZ~JA_\\B\n^FD", "street": "1 Mill Lane", "city": "York"})
    zpl = (await depot.engine.documents.make("shp_o1-1", Document.ZPL)).decode()
    assert "A_5EXZ_7EJA_5F_5CB _5EFD" in zpl
    assert (zpl.count("^XZ"), "~" in zpl) == (1, False)


async def test_the_invoices_of_an_order_come_to_what_it_is_charged_to_the_cent(depot: Depot) -> None:
    """Catches a share of each shipment that is rounded by itself: three thirds of 1.00 came to 0.99."""
    lines = (
        NewLine(sku="OAR", quantity=3, unit_price_cents=333, discount_cents=2),
        NewLine(sku="SET", quantity=1, unit_price_cents=1001),
    )
    await depot.capture("o1", lines=lines, shipping_cents=490, currency="USD")
    parts = [("1", 1, "north"), ("1", 2, "south"), ("2/MUG", 2, "south"), ("2/TEA", 1, "south")]
    await depot.route("o1", *parts)
    for shipment in (await depot.engine.fulfillment.release("o1")).value.life.shipments:
        await depot.engine.fulfillment.pack(shipment.shipment_id)
        await depot.engine.fulfillment.ship(shipment.shipment_id)
        depot.clock.advance(later(60))
        text = text_of(await depot.engine.documents.make(shipment.shipment_id, Document.INVOICE))
        assert ("Shipping" in text) == (shipment.shipment_id == "shp_o1-1")
    order = await depot.engine.orders.get("o1")
    assert [bill.number for bill in order.life.bills] == ["INV-2026-000001", "INV-2026-000002"]
    assert order.life.money.prices is not None
    assert sum(bill.total_cents for bill in order.life.bills) == order.life.money.prices.total_cents == 997 + 1001 + 490


async def test_an_invoice_has_its_number_once_units_have_left_and_never_changes_then(depot: Depot) -> None:
    """Catches an invoice made of the facts as they are (seeded): of a lost carton it would charge less than it did."""
    lines = (
        NewLine(sku="MUG", quantity=1, unit_price_cents=1000),
        NewLine(sku="OAR", quantity=1, unit_price_cents=500),
    )
    await depot.capture("o1", lines=lines, currency="USD")
    await depot.route("o1", ("1", 1, "north"), ("2", 1, "north"))
    await depot.engine.fulfillment.release("o1")
    await depot.engine.fulfillment.pack("shp_o1-1")
    documents = depot.engine.documents
    text = text_of(await documents.make("shp_o1-1", Document.INVOICE))
    assert ("Pro forma invoice" in text, "INV-" in text) == (True, False)
    await depot.engine.fulfillment.ship("shp_o1-1")
    first = await documents.make("shp_o1-1", Document.INVOICE)
    assert "INV-2026-000001" in text_of(first)
    shipment = await depot.shipment("shp_o1-1")
    oar = next(each.carton_id for each in shipment.cartons if each.lines[0].sku == "OAR")
    await depot.engine.fulfillment.lose("shp_o1-1", Loss(reason="gone", remedy=Remedy.CANCEL, carton_ids=(oar,)))
    assert await documents.make("shp_o1-1", Document.INVOICE) == first
    assert await documents.make_bill("o1", "INV-2026-000001") == first
    text = text_of(await documents.make_bill("o1", "CN-2026-000001"))
    for said in ("Credit note", "INV-2026-000001", "Oar", "5.00 USD", "shp_o1-2"):
        assert said in text, text
    with pytest.raises(NotFound, match="has no bill 'CN-2026-000002'"):
        await documents.make_bill("o1", "CN-2026-000002")


async def test_an_invoice_needs_prices_and_labels_need_a_carrier(depot: Depot) -> None:
    await depot.released("o1")
    with pytest.raises(IllegalState, match="has no prices"):
        await depot.engine.documents.make("shp_o1-1", Document.INVOICE)
    with pytest.raises(IllegalState, match="no labels yet: it is released; labels are bought when it is packed"):
        await depot.engine.documents.make("shp_o1-1", Document.LABEL)
    with pytest.raises(NotFound):
        await depot.engine.documents.make("shp_o1-7", Document.LABEL)


async def test_the_log_says_who_made_saw_and_sent_which_document(depot: Depot) -> None:
    await depot.packed("o1")
    documents = depot.engine.documents
    first = await documents.make("shp_o1-1", Document.PACKING_SLIP)
    assert await documents.make("shp_o1-1", Document.PACKING_SLIP) == first
    await documents.say("shp_o1-1", Document.PACKING_SLIP, "sent", detail="in the parcel", by="anna")
    log = (await depot.engine.orders.get("o1")).life.documents
    assert [(each.document, each.act, each.by) for each in log] == [
        ("packing_slip", "made", "system"),
        ("packing_slip", "seen", "system"),
        ("packing_slip", "sent", "anna"),
    ]
    assert len({each.sha256 for each in log}) == 1
    told = await depot.events("o1")
    assert told[-3:] == ["document_made", "document_seen", "document_sent"]


def test_amounts_have_the_digits_of_their_currency() -> None:
    shown = [shown_amount(cents, code) for cents, code in ((123450, "USD"), (1234, "JPY"), (5, "KWD"), (-99, "EUR"))]
    assert shown == ["1,234.50 USD", "1,234 JPY", "0.005 KWD", "-0.99 EUR"]


def test_letters_that_a_printer_lacks_lose_their_accents_or_become_question_marks() -> None:
    assert printable("Żółć Müller 東\t") == "Zólc Müller ? "


def test_a_word_that_is_wider_than_its_column_is_broken() -> None:
    lines = fitted_lines("a " + "W" * 40, 100, 9)
    assert (lines[0], "".join(lines[1:])) == ("a", "W" * 40)
