"""Pages that customers see by signed links: plain HTML, no scripts, nothing loaded from anywhere, light and dark."""

from __future__ import annotations

from datetime import UTC, date, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from engine.notices.tracking import STEPS, Tracked
from engine.orders.model import OrderState

HTML = "text/html; charset=utf-8"
HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-robots-tag", b"noindex"),
)
"""What a browser may do with them: show them in their own style."""
_WORDS = {
    "captured": "Ordered",
    "validated": "Ordered",
    "on_hold": "Being checked",
    "promised": "Ordered",
    "backordered": "Waiting for stock",
    "sourced": "In preparation",
    "released": "In preparation",
    "picking": "Being picked",
    "packed": "Packed",
    "shipped": "On its way",
    "delivered": "Delivered",
    "returned": "Returned",
    "cancelled": "Cancelled",
    "lost": "Lost by the carrier",
}
assert set(OrderState) <= set(_WORDS)
_PAGES = Environment(loader=PackageLoader("api", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def tracking_page(order: Tracked, shop_name: str, today: date) -> bytes:
    """Return the page of an order."""
    names = [name for name, _ in STEPS]
    reached = 0 if order.step is None else names.index(order.step) + 1
    return _filled(
        "tracking.html",
        order=order,
        shop_name=shop_name,
        steps=names,
        reached=reached,
        headline=_headline(order, today),
        words=_WORDS,
        day=_day,
        moment=_moment,
    )


def opt_out_page(shop_name: str, *, is_done: bool) -> bytes:
    """Return the page that asks, or that says that it is done."""
    return _filled("opt_out.html", shop_name=shop_name, is_done=is_done)


def no_link_page() -> bytes:
    """Return the page of a link that is good for nothing."""
    return _filled("no_link.html")


def _headline(order: Tracked, today: date) -> str:
    if order.step is None:
        return "This order is cancelled"
    if order.step == "Delivered":
        return "Your order has arrived"
    expected = order.expected_on
    parcels = [each.expected_on for each in order.shipments if each.expected_on is not None]
    if order.step == "On its way" and parcels:
        expected = max(parcels)
    if expected is not None and expected >= today:
        return f"It comes {'later, ' if order.is_late else ''}by {_day(expected)}"
    return "Your order is on its way" if order.step == "On its way" else "We have your order"


def _filled(name: str, **said: object) -> bytes:
    return _PAGES.get_template(name).render(said).encode()


def _day(at: date) -> str:
    day = at.astimezone(UTC).date() if isinstance(at, datetime) else at
    return f"{day.day} {day:%B %Y}"


def _moment(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.day} {at:%B, %H:%M}"
