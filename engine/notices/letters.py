"""Letters: what a notice says, written by a template from what is known of an order.

Templates run in a sandbox, know nothing beside what they are given, and fail on a name that is not there. Not here:
where they go (sending.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from types import SimpleNamespace
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.catalog.model import Catalog
from engine.errors import Fault, InvalidInput
from engine.notices.document import NoticeDocument
from engine.notices.reasons import TEMPLATES
from engine.orders.facts.amounts import shown_amount
from engine.orders.facts.shipments import Shipment
from engine.orders.model import Order

_FILES = files("engine.notices") / "templates"
_WORDS = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=False, keep_trailing_newline=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A subject of one line, and a text."""

    subject: str
    text: str


def written(document: NoticeDocument, template: str, language: str, said: Mapping[str, Any]) -> Letter:
    """Return a letter in the words of the document for the language, for all, or in ours."""
    own = {each.language: each for each in document.templates if each.template == template}
    chosen = own.get(language or None) or own.get(language.partition("-")[0] or None) or own.get(None)
    whole = {**said, "shop_name": document.shop_name}
    if chosen is not None:
        subject, text = _filled(chosen.subject, whole), _filled(chosen.text, whole)
    else:
        subject, _, text = _filled(_ours(template), whole).partition("\n")
    footer = _filled(_ours("footer"), whole)
    body = "\n".join(line.rstrip() for line in f"{text.strip()}\n{footer}".splitlines())
    return Letter(subject=" ".join(subject.split()), text=_without_gaps(body).strip() + "\n")


def check_templates(document: NoticeDocument) -> None:
    """Raise InvalidInput for templates that cannot be filled, and for two of one language."""
    faults, first = list[Fault](), dict[tuple[str, str | None], int]()
    for index, each in enumerate(document.templates):
        path = f"$.templates[{index}]"
        if first.setdefault((each.template, each.language), index) != index:
            message = f"repeats $.templates[{first[each.template, each.language]}]; give one for each language"
            faults.append(Fault(path=path, message=message))
        for name, words in (("subject", each.subject), ("text", each.text)):
            try:
                _filled(words, EXAMPLE)
            except TemplateError as error:
                line = getattr(error, "lineno", None)
                where = "" if line is None else f" in line {line}"
                known = ", ".join(sorted(EXAMPLE))
                message = f"cannot be filled{where}: {error}; it may use: {known}"
                faults.append(Fault(path=f"{path}.{name}", message=message))
            except (ArithmeticError, TypeError, ValueError, AttributeError) as error:
                faults.append(Fault(path=f"{path}.{name}", message=f"cannot be filled: {error}; correct it"))
    if faults:
        raise InvalidInput(faults)


def told(order: Order, catalog: Catalog, template: str, subject: str) -> dict[str, Any]:
    """Return what a letter may say of an order; nothing of its customer but what is added later."""
    prices, promised_on = order.life.money.prices, order.captured.promised_on
    if order.life.amendment is not None:
        promised_on = order.life.amendment.promised_on
    amount = next((entry.amount_cents for entry in order.life.money.ledger if entry.entry_id == subject), 0)
    currency = prices.currency if prices is not None else ""
    names = names_of(catalog)
    shipments = [each for each in order.life.shipments if each.has_left]
    shipment = next((each for each in shipments if each.shipment_id == subject), None)
    return {
        "order": order.life.channel_order_id or order.order_id,
        "lines": [
            SimpleNamespace(sku=line.sku, name=names.get(line.sku, line.sku), quantity=line.quantity)
            for line in order.lines
        ],
        "shipments": _parts(order),
        "shipment": None if shipment is None else _shipment(shipment, names),
        "day": subject if template == "delayed" else _day(promised_on),
        "promised_on": _day(promised_on),
        "total": "" if prices is None else shown_amount(prices.total_cents, prices.currency),
        "amount": shown_amount(amount, currency),
    }


@cache
def _ours(name: str) -> str:
    return (_FILES / f"{name}.txt").read_text(encoding="utf-8")


@lru_cache(maxsize=2)
def names_of(catalog: Catalog) -> dict[str, str]:
    """Return the names of products and kits that have one."""
    document = catalog.document
    named = [(each.sku, each.name) for each in document.products] + [(each.sku, each.name) for each in document.kits]
    return {sku: name for sku, name in named if name}


def _parts(order: Order) -> int:
    """Return in how many shipments an order comes, as far as that is known."""
    on_the_way = len(order.life.shipments)
    waiting = {row.parcel for row in order.allocation if row.node_id is not None}
    return on_the_way + len(waiting - {each.parcel for each in order.life.shipments})


def _shipment(shipment: Shipment, names: Mapping[str, str]) -> SimpleNamespace:
    return SimpleNamespace(
        carrier=shipment.carrier or shipment.service,
        tracking_number=shipment.tracking_number,
        expected_on=_day(shipment.predicted_on),
        lines=[
            SimpleNamespace(sku=line.sku, name=names.get(line.sku, line.sku), quantity=line.quantity)
            for line in shipment.lines
        ],
    )


def _day(day: Any) -> str:
    return "" if day is None else day.isoformat()


def _filled(words: str, said: Mapping[str, Any]) -> str:
    return _WORDS.from_string(words).render(said)


def _without_gaps(text: str) -> str:
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text


_LINE = SimpleNamespace(sku="MUG-RED", name="Red mug", quantity=2)
EXAMPLE: Mapping[str, Any] = {
    "order": "1001",
    "name": "Ann Example",
    "shop_name": "Example Shop",
    "lines": [_LINE],
    "shipments": 2,
    "shipment": SimpleNamespace(carrier="acme", tracking_number="1Z", expected_on="2026-12-24", lines=[_LINE]),
    "day": "2026-12-24",
    "promised_on": "2026-12-23",
    "total": "25.00 USD",
    "amount": "12.50 USD",
    "tracking_url": "https://shop.example.com/track",
    "opt_out_url": "https://shop.example.com/opt-out",
}
"""What templates may use, with an example of each."""
assert set(TEMPLATES) == {path.name.removesuffix(".txt") for path in _FILES.iterdir() if path.name != "footer.txt"}
