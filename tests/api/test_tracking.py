"""What customers see by signed links: their order as JSON and as a page, and a way out of all mails; and nothing else.

The seeded bugs: a link that is read without its signature, or without its time; a page that runs what a product is
called; and an order that is shown with whose it is.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from order_shop import HOME, NOON

from api.app import create_app
from engine.catalog.document import CatalogDocument
from engine.catalog.model import compile_catalog
from engine.config import Settings
from engine.notices.links import OPT_OUT, TRACKING
from engine.notices.tracking import tracked
from engine.orders.facts.shipments import Shipment, ShipmentLine, ShipmentState
from engine.orders.life import Life
from engine.orders.model import Captured, Order, OrderState
from engine.routing.model import OrderLine
from tests.api.test_customers import TOLD
from tests.api.test_orders import ORDER, routed

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
async def ordered(shop, catalog):
    named = [{**product, "name": f"<b>{product['sku']}</b>"} for product in catalog["products"]]
    await shop.put("/v1/catalog", json={**catalog, "products": named})
    await shop.post("/v1/orders", json={**ORDER, "order_id": "o-1", "customer": TOLD})
    await routed(shop, all_open=True)
    return shop


async def test_an_order_is_shown_by_its_link_and_nothing_of_its_customer(ordered):
    link = (await ordered.get("/v1/orders/o-1/tracking-link", params={"valid_days": 2})).json()
    assert (link["order_id"], link["url"]) == ("o-1", None)
    told = await ordered.get(f"/v1/tracking/{link['token']}")
    assert told.status_code == 200, told.text
    found = told.json()
    assert (found["order"], found["state"], found["step"]) == ("o-1", "sourced", "In preparation")
    assert [(line["sku"], line["quantity"]) for line in found["lines"]] == [("mug", 2)]
    page = await ordered.get(link["path"], headers=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "&lt;b&gt;mug&lt;/b&gt;" in page.text
    for secret in ("Zebrowski", "ann.z", "0142", "Quince", "40.7", "east"):
        assert secret not in told.text + page.text, secret


def test_an_order_is_as_far_as_what_is_farthest_on_its_way():
    """Catches a page that says Ordered to somebody who holds a part of it in their hands."""
    line = OrderLine(line_id="1", sku="mug", quantity=3)
    captured = Captured(order_id="o", channel="web", destination=HOME, lines=(line,), demand=(line,), captured_at=NOON)
    order = Order(captured=captured, state=OrderState.BACKORDERED)
    catalog = compile_catalog(CatalogDocument.model_validate({"products": [{"sku": "mug", "weight_g": 1}]}), 1)

    def sent(state: ShipmentState, quantity: int) -> Shipment:
        lines = (ShipmentLine(line_id="1", sku="mug", quantity=quantity),)
        said = {"shipment_id": f"shp_{quantity}", "node_id": "n", "service": "s", "ship_on": NOON.date()}
        return Shipment(**said, lines=lines, state=state, released_at=NOON)

    for shipments, step in (
        ((), "Ordered"),
        ((sent(ShipmentState.DELIVERED, 1),), "On its way"),
        ((sent(ShipmentState.DELIVERED, 3),), "Delivered"),
        ((sent(ShipmentState.LOST, 1),), "On its way"),
    ):
        assert tracked(replace(order, life=Life(shipments=shipments)), catalog).step == step
    assert tracked(replace(order, state=OrderState.CANCELLED), catalog).step is None


async def test_a_page_runs_nothing_and_loads_nothing(ordered):
    path = (await ordered.get("/v1/orders/o-1/tracking-link")).json()["path"]
    page = await ordered.get(path, headers=BROWSER)
    (policy,) = page.headers.get_list("content-security-policy")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert (page.headers["referrer-policy"], page.headers["x-robots-tag"]) == ("no-referrer", "noindex")
    assert not re.search(r"<script|<link|<img|<iframe|https?://|\son\w+=", page.text)


async def test_a_link_that_was_changed_cut_off_or_is_past_its_time_shows_nothing(ordered, app):
    engine = app.state.engine
    now = engine.clock.now()
    good = await engine.links.signed(TRACKING, "o-1", now.replace(year=now.year + 1))
    tenant, payload, signature = good.split(".")
    other = await engine.links.signed(TRACKING, "o-2", now.replace(year=now.year + 1))
    wrong = {
        "past": await engine.links.signed(TRACKING, "o-1", now),
        "of another purpose": await engine.links.signed(OPT_OUT, "o-1", now.replace(year=now.year + 1)),
        "of an order that is not there": other,
        "with the signature of another": f"{tenant}.{payload}.{other.split('.')[2]}",
        "of another tenant": f"elsewhere.{payload}.{signature}",
        "cut off": good[:-3],
        "empty": "x",
        "no base64": f"{tenant}.%C3%A4.{signature}",
    }
    assert (await ordered.get(f"/v1/tracking/{good}")).status_code == 200
    for what, token in wrong.items():
        told = await ordered.get(f"/v1/tracking/{token}")
        assert (told.status_code, told.json()["code"]) == (404, "not_found"), what
        page = await ordered.get(f"/v1/tracking/{token}/page", headers=BROWSER)
        assert page.status_code == 404, what
        assert "not valid any more" in page.text, what


async def test_an_address_opts_out_by_one_click_and_not_by_looking(ordered, app):
    customers = app.state.engine.customers
    term, now = await customers.term_of("ann.z@example.com"), app.state.engine.clock.now()
    token = await app.state.engine.links.signed(OPT_OUT, term, now.replace(year=now.year + 1))
    page = await ordered.get(f"/v1/opt-outs/{token}", headers=BROWSER)
    assert 'method="post"' in page.text
    assert not await customers.has_opted_out("ann.z@example.com")
    for _ in range(2):
        form = {"List-Unsubscribe": "One-Click"}
        done = await ordered.post(f"/v1/opt-outs/{token}", data=form, headers={"Idempotency-Key": None})
        assert (done.status_code, "No more mails" in done.text) == (200, True), done.text
    assert await customers.has_opted_out("Ann.Z@example.com ")
    assert not await customers.has_opted_out("bob@example.com")
    tracking = (await ordered.get("/v1/orders/o-1/tracking-link")).json()["token"]
    refused = await ordered.post(f"/v1/opt-outs/{tracking}", data=form)
    assert refused.status_code == 404


async def test_a_link_begins_with_the_public_address_and_templates_are_kept(shop):
    body = {"shop_name": "Mugs", "templates": [{"template": "shipped", "subject": "s", "text": "{{ order }}"}]}
    assert (await shop.get("/v1/notice-templates")).status_code == 404
    assert (await shop.put("/v1/notice-templates", json=body)).json() == {"version": 1}
    assert (await shop.get("/v1/notice-templates")).json() == {"version": 1, **body}
    wrong = {"templates": [{"template": "shipped", "subject": "{{ name", "text": "x"}]}
    answer = await shop.put("/v1/notice-templates", json=wrong)
    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["path"]) == (400, "$.templates[0].subject")
    assert "cannot be filled in line 1" in fault["message"]


async def test_links_of_a_tenant_that_does_not_run_start_nothing(http, app):
    """Catches a door that starts the engine of whatever tenant a stranger names."""
    assert app.state.engine is not None
    answer = await http.get("/v1/tracking/nobody.WyJ0Iiwib3JkXzEiLDE4MTA5ODcyMDBd.AAAA")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("given", "place", "words"),
    [
        ({"smtp_url": "smtp://mail.test"}, "ALLOT_MAIL_FROM", "is no sender of mails"),
        ({"smtp_url": "mail.test:25", "mail_from": "a@b.test"}, "ALLOT_SMTP_URL", "no mail server"),
        ({"public_url": "track.test"}, "ALLOT_PUBLIC_URL", "begin it with https://"),
        ({"notices_url": "https://sms.test"}, "ALLOT_NOTICES_SECRET", "is needed"),
    ],
)
async def test_settings_of_notices_that_do_not_fit_are_named(store_address, tenant, given, place, words):
    settings = Settings(redis_url=store_address, tenant=tenant, durability="memory", **given)
    application = create_app(settings)
    with pytest.raises(Exception, match=f"{place}.*{words}"):
        async with application.router.lifespan_context(application):
            pass
