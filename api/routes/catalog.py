"""The catalog document over HTTP."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas.catalog import CatalogPage, CatalogQuery, CatalogVersion
from engine.catalog.document import CatalogDocument
from engine.errors import Fault, InvalidInput, NotFound

EXAMPLE = {
    "products": [{"sku": "MUG-RED", "name": "Red mug", "weight_g": 350}, {"sku": "TEA-50", "weight_g": 120}],
    "kits": [{"sku": "GIFT-SET", "components": [{"sku": "MUG-RED", "quantity": 2}, {"sku": "TEA-50", "quantity": 1}]}],
    "substitutes": [],
}


async def put_catalog(call: Call[CatalogDocument, NoQuery]) -> Answer:
    """The whole document replaces the one before. Stock, reservations and orders stay as they are."""
    version = await call.engine.catalog.put(call.body)
    return Answer(value=CatalogVersion(version=version, products=len(call.body.products)))


async def get_catalog(call: Call[None, CatalogQuery]) -> Answer:
    """Products in the order of the document, a page at a time; the first page has the kits and substitutes too."""
    catalog = await call.engine.catalog.current()
    products, document = catalog.products, catalog.document
    start = 0
    if call.query.starting_after is not None:
        if call.query.starting_after not in products:
            message = (
                f"{call.query.starting_after!r} is no product of the catalog; give the last sku of the page before"
            )
            raise InvalidInput(Fault(path="query.starting_after", message=message))
        start = products.index(call.query.starting_after) + 1
    end = start + call.query.limit
    page = CatalogPage.model_construct(
        version=catalog.version,
        products=document.products[start:end],
        kits=document.kits if start == 0 else (),
        substitutes=document.substitutes if start == 0 else (),
        has_more=end < len(products),
    )
    return Answer(value=page.model_dump_json(by_alias=True).encode())


ENDPOINTS = (
    Endpoint(
        method="PUT",
        path="/v1/catalog",
        summary="Replace the catalog: products, kits and substitutes",
        handler=put_catalog,
        body=CatalogDocument,
        reply=CatalogVersion,
        scope="catalog:write",
        max_body_bytes=64 * 2**20,
        example=EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/catalog",
        summary="List the products of the catalog",
        handler=get_catalog,
        query=CatalogQuery,
        reply=CatalogPage,
        scope="catalog:read",
        refusals=(NotFound,),
    ),
)
