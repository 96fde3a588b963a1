"""Customers over HTTP: keep, look, find, export, erase."""

from __future__ import annotations

from typing import Any

import msgspec

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import customers as wire
from engine.customers.model import Address, Customer, Profile
from engine.errors import IllegalState, NotFound

CUSTOMER = {"customer_id": "cus-1"}
EXAMPLE = {
    "name": "Ann Example",
    "email": "ann@example.com",
    "phone": "+1 212 555 0100",
    "addresses": [{"address_id": "home", "street": "1 Main St", "city": "New York", "postal_code": "10001"}],
    "opt_outs": ["delivered"],
}


async def put_customer(call: Call[wire.CustomerBody, NoQuery]) -> Answer:
    """Keeps what is known of a customer, sealed under a key of their own, in place of what was known before."""
    body = call.body
    profile = Profile(
        name=body.name,
        company=body.company,
        email=body.email,
        phone=body.phone,
        language=body.language,
        addresses=tuple(Address(**msgspec.structs.asdict(each)) for each in body.addresses),
        channels=tuple(body.channels),
        opt_outs=tuple(body.opt_outs),
    )
    customer_id, expected = call.path["customer_id"], body.expected_version
    kept = await call.engine.customers.put(customer_id, profile, expected_version=expected)
    return Answer(value=_shown(kept))


async def get_customer(call: Call[None, NoQuery]) -> Answer:
    """What is known of a customer; 404 once they are erased."""
    return Answer(value=_shown(await call.engine.customers.get(call.path["customer_id"])))


async def find_customers(call: Call[wire.FindBody, NoQuery]) -> Answer:
    """Customers by e-mail address or telephone number; guests, who came with an order only, too."""
    found = await call.engine.customers.find(email=call.body.email, phone=call.body.phone)
    return Answer(value=wire.FoundCustomers(data=found, has_more=False))


async def export_customer(call: Call[None, NoQuery]) -> Answer:
    """All that is kept of a customer: what is known of them, and what their orders tell of them."""
    found = await call.engine.customers.export(call.path["customer_id"])
    customer = Customer(
        customer_id=found.customer_id, version=found.version, changed_at=found.exported_at, profile=found.profile
    )
    reply = wire.ExportReply(
        exported_at=found.exported_at,
        profile=_shown(customer),
        orders=[msgspec.convert(order, wire.ExportedOrder, from_attributes=True) for order in found.orders],
    )
    return Answer(value=reply)


async def erase_customer(call: Call[wire.EraseBody, NoQuery]) -> Answer:
    """Destroys the key of a customer: nobody reads their personal data any more, in orders and backups neither.

    What orders say of goods and money stays. Erasing again answers the same. The id is never free again.
    """
    customer_id = call.path["customer_id"]
    erased = await call.engine.customers.erase(
        customer_id, even_with_open_orders=call.body.even_with_open_orders, replay=call.replay
    )
    found = erased.value
    reply = wire.ErasedReply(customer_id=found.customer_id, erased_at=found.erased_at, orders=found.orders)
    return Answer(value=reply, is_replayed=erased.replayed)


def _shown(customer: Customer) -> wire.CustomerReply:
    profile: dict[str, Any] = msgspec.structs.asdict(customer.profile)
    addresses = [wire.CustomerAddress(**msgspec.structs.asdict(each)) for each in profile.pop("addresses")]
    channels, opt_outs = list(profile.pop("channels")), list(profile.pop("opt_outs"))
    return wire.CustomerReply(
        customer_id=customer.customer_id,
        version=customer.version,
        addresses=addresses,
        channels=channels,
        opt_outs=opt_outs,
        **profile,
    )


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/customers/find",
        summary="Find customers",
        handler=find_customers,
        body=wire.FindBody,
        reply=wire.FoundCustomers,
        scope="customers:read",
        example={"email": "ann@example.com"},
    ),
    Endpoint(
        method="GET",
        path="/v1/customers/{customer_id:path}/export",
        summary="Export all that is kept of a customer",
        handler=export_customer,
        reply=wire.ExportReply,
        scope="customers:read",
        refusals=(NotFound,),
        path_examples=CUSTOMER,
    ),
    Endpoint(
        method="POST",
        path="/v1/customers/{customer_id:path}/erase",
        summary="Erase a customer",
        handler=erase_customer,
        body=wire.EraseBody,
        is_body_optional=True,
        reply=wire.ErasedReply,
        scope="customers:write",
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        path_examples=CUSTOMER,
    ),
    Endpoint(
        method="PUT",
        path="/v1/customers/{customer_id:path}",
        summary="Keep a customer",
        handler=put_customer,
        body=wire.CustomerBody,
        reply=wire.CustomerReply,
        scope="customers:write",
        refusals=(IllegalState,),
        path_examples=CUSTOMER,
        example=EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/customers/{customer_id:path}",
        summary="Get a customer",
        handler=get_customer,
        reply=wire.CustomerReply,
        scope="customers:read",
        refusals=(NotFound,),
        path_examples=CUSTOMER,
    ),
)
