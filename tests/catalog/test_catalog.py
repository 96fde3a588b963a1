"""The catalog document: kits come down to products, and every wrong document is named."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from engine.catalog.checks import parse_catalog
from engine.catalog.document import CatalogDocument
from engine.catalog.model import compile_catalog
from engine.catalog.service import CatalogService
from engine.errors import InvalidInput, NotFound
from engine.storage.documents import MemoryDocumentStore


@pytest.fixture
def document() -> dict[str, Any]:
    return {
        "products": [{"sku": "cup", "weight_g": 300}, {"sku": "saucer", "weight_g": 200}],
        "kits": [
            {"sku": "set", "components": [{"sku": "cup", "quantity": 1}, {"sku": "saucer", "quantity": 1}]},
            {"sku": "party", "components": [{"sku": "set", "quantity": 6}, {"sku": "cup", "quantity": 2}]},
        ],
        "substitutes": [{"sku": "cup", "substitutes": ["set"]}],
    }


def test_kits_come_down_to_products(document: dict[str, Any]) -> None:
    catalog = compile_catalog(CatalogDocument.model_validate(document), 3)
    assert catalog.content["party"].components == (("cup", 8), ("saucer", 6))
    assert catalog.content["party"].weight_g == 8 * 300 + 6 * 200
    assert catalog.content["cup"].components == (("cup", 1),)
    assert catalog.kits == {"set", "party"}
    assert catalog.products == ("cup", "saucer")


def test_a_kit_has_the_classes_cost_and_price_of_its_products_unless_it_has_a_price(document: dict[str, Any]) -> None:
    document["products"][0] |= {"handling_classes": ["fragile"], "price_cents": 500, "cost_cents": 200}
    document["products"][1] |= {"handling_classes": ["hazmat", "fragile"], "price_cents": 100, "cost_cents": 30}
    document["kits"][0]["price_cents"] = 550
    catalog = compile_catalog(CatalogDocument.model_validate(document), 3)
    assert catalog.handling["party"] == {"fragile", "hazmat"}
    assert (catalog.prices["set"], catalog.costs["set"]) == (550, 230)
    assert (catalog.prices["party"], catalog.costs["party"]) == (8 * 500 + 6 * 100, 8 * 200 + 6 * 30)
    del document["products"][1]["cost_cents"]
    assert set(compile_catalog(CatalogDocument.model_validate(document), 3).costs) == {"cup"}


def test_only_products_with_a_launch_day_have_one(document: dict[str, Any]) -> None:
    document["products"][0]["launch_on"] = "2026-12-01"
    catalog = compile_catalog(CatalogDocument.model_validate(document), 3)
    assert catalog.launches == {"cup": date(2026, 12, 1).toordinal()}


SPOILED = [
    (("products", 0, "weight_g"), -1, "$.products[0].weight_g", "-1"),
    (("products", 0, "weight_g"), 1.5, "$.products[0].weight_g", "whole number"),
    (("products", 0, "wieght_g"), 1, "$.products[0].wieght_g", "did you mean 'weight_g'?"),
    (("products", 1, "sku"), "cup", "$.products[1].sku", "already at $.products[0]"),
    (("products", 1, "sku"), "set", "$.kits[0].sku", "already at $.products[1]"),
    (("products", 1, "sku"), "sau\ncer", "$.products[1].sku", "does not match"),
    (("products", 0, "launch_on"), "2026-02-30", "$.products[0].launch_on", "2026-02-30"),
    (("products", 0, "launch_on"), 1_700_000_000, "$.products[0].launch_on", "YYYY-MM-DD"),
    (("products",), [], "$.products", "at least 1"),
    (("products", 0, "length_mm"), 10, "$.products[0].width_mm", "all three edges"),
    (("products", 0, "length_mm"), 0, "$.products[0].length_mm", "0"),
    (("products", 0, "handling_classes"), ["hazmat", "hazmat"], "$.products[0].handling_classes[1]", "stands twice"),
    (("products", 0, "min_quantity"), 0, "$.products[0].min_quantity", "0"),
    (("products", 0, "made_to_order_days"), 366, "$.products[0].made_to_order_days", "366"),
    (("products", 0, "price_cents"), 9.99, "$.products[0].price_cents", "whole number"),
    (("kits", 0, "components", 0, "sku"), "cpu", "$.kits[0].components[0].sku", "did you mean 'cup'?"),
    (("kits", 0, "components", 1, "sku"), "cup", "$.kits[0].components[1].sku", "already at"),
    (("kits", 0, "components", 0, "quantity"), 0, "$.kits[0].components[0].quantity", "0"),
    (("kits", 0, "components", 0, "sku"), "set", "$.kits[0].components", "set → set"),
    (("kits", 0, "components", 0, "sku"), "party", "$.kits[1].components", "set → party → set"),
    (("kits", 1, "components", 0, "quantity"), 10**6, "$.kits[1].components", "2000002 units"),
    (("substitutes", 0, "sku"), "mug", "$.substitutes[0].sku", "unknown SKU 'mug'"),
    (("substitutes", 0, "substitutes"), ["cup"], "$.substitutes[0].substitutes", "cannot replace itself"),
]


@pytest.mark.parametrize(("place", "value", "path", "words"), SPOILED)
def test_a_wrong_document_names_path_value_and_remedy(
    document: dict[str, Any], place: tuple[str | int, ...], value: object, path: str, words: str
) -> None:
    target: Any = document
    for part in place[:-1]:
        target = target[part]
    target[place[-1]] = value
    with pytest.raises(InvalidInput) as refusal:
        parse_catalog(json.dumps(document).encode())
    messages = {fault.path: fault.message for fault in refusal.value.faults}
    assert path in messages
    assert words in messages[path]


def test_a_long_chain_of_kits_is_no_trouble(document: dict[str, Any]) -> None:
    chain = [{"sku": "k0", "components": [{"sku": "cup", "quantity": 1}]}]
    chain += [{"sku": f"k{i}", "components": [{"sku": f"k{i - 1}", "quantity": 1}]} for i in range(1, 2000)]
    document["kits"] = chain
    document["substitutes"] = []
    found = compile_catalog(parse_catalog(json.dumps(document).encode()), 1)
    assert found.content["k1999"].components == (("cup", 1),)
    chain[0]["components"] = [{"sku": "k1999", "quantity": 1}]
    with pytest.raises(InvalidInput, match="holds itself"):
        parse_catalog(json.dumps(document).encode())


async def test_the_service_serves_what_was_put_last(document: dict[str, Any]) -> None:
    documents = MemoryDocumentStore()
    service, other = CatalogService(documents), CatalogService(documents)
    with pytest.raises(NotFound, match="PUT /v1/catalog"):
        await service.current()
    assert await service.put(CatalogDocument.model_validate(document)) == 1
    first = await service.current()
    assert await service.current() is first
    document["products"][0]["weight_g"] = 400
    assert await other.put(CatalogDocument.model_validate(document)) == 2
    assert (await service.current()).content["cup"].weight_g == 400
    document["products"][1]["sku"] = "cup"
    with pytest.raises(InvalidInput):
        await service.put(CatalogDocument.model_validate(document))
    assert (await service.current()).version == 2
