"""Tracking over HTTP: a signed link to an order, and what it shows to whoever has it, as JSON and as a page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from api import customer_pages as pages
from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import tracking as wire
from engine.bootstrap import Engine
from engine.errors import NotFound
from engine.notices.links import TRACKING, not_valid, tenant_of
from engine.notices.tracking import Tracked, tracked

TOKEN = {"token": "main.WyJ0Iiwib3JkXzEiLDE4MTA5ODcyMDBd.h29rkSg_9dFOPz5nCTAXEPQX"}


async def get_tracking_link(call: Call[None, wire.TrackingLinkQuery]) -> Answer:
    """A signed link by which the customer of an order sees where it is, without a key, until a day."""
    engine, order_id = call.engine, call.path["order_id"]
    await engine.orders.get(order_id)
    until = engine.clock.now() + timedelta(days=call.query.valid_days)
    token = await engine.links.signed(TRACKING, order_id, until)
    path = f"/v1/tracking/{token}/page"
    url = f"{engine.public_url}{path}" if engine.public_url else None
    reply = wire.TrackingLink(order_id=order_id, token=token, path=path, url=url, expires_at=until)
    return Answer(value=reply)


async def get_tracking(call: Call[None, NoQuery]) -> Answer:
    """Where the order of a signed link is, as its customer sees it; nothing personal is in it."""
    _, found = await _tracked(call)
    return Answer(value=found)


async def get_tracking_page(call: Call[None, NoQuery]) -> Answer:
    """The same as a page for people: HTML without scripts, which loads nothing from anywhere."""
    try:
        engine, found = await _tracked(call)
    except NotFound:
        if b"text/html" not in call.heads.get(b"accept", b""):
            raise
        return Answer(value=pages.no_link_page(), status=404, media_type=pages.HTML, headers=pages.HEADERS)
    shop_name = (await engine.notices.current()).document.shop_name
    page = pages.tracking_page(found, shop_name, engine.clock.now().date())
    return Answer(value=page, media_type=pages.HTML, headers=pages.HEADERS)


async def _tracked(call: Call[None, Any]) -> tuple[Engine, Tracked]:
    """Return the order of a link, and the engine of its tenant; raises NotFound if it is good for nothing."""
    engine = engine_of(call)
    order_id = await engine.links.read(TRACKING, call.path["token"], engine.clock.now())
    order = await engine.orders.get(order_id)
    return engine, tracked(order, (await engine.reference.current()).catalog)


def engine_of(call: Call[Any, Any]) -> Engine:
    """Return the engine of the tenant that a token says it is of, if it runs here; raises NotFound."""
    engine = call.running(tenant_of(call.path["token"]))
    if engine is None:
        raise not_valid()
    return engine


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/orders/{order_id:path}/tracking-link",
        summary="Make a signed link to an order",
        handler=get_tracking_link,
        query=wire.TrackingLinkQuery,
        reply=wire.TrackingLink,
        scope="orders:read",
        refusals=(NotFound,),
        path_examples={"order_id": "ord_1"},
    ),
    Endpoint(
        method="GET",
        path="/v1/tracking/{token}/page",
        summary="Show an order to its customer as a page",
        handler=get_tracking_page,
        reply=wire.CustomerPage,
        scope=None,
        answers=pages.HTML,
        refusals=(NotFound,),
        path_examples=TOKEN,
    ),
    Endpoint(
        method="GET",
        path="/v1/tracking/{token}",
        summary="Show an order to its customer",
        handler=get_tracking,
        reply=Tracked,
        scope=None,
        refusals=(NotFound,),
        path_examples=TOKEN,
    ),
)
