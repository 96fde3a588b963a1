"""The yardstick: the endpoints most teams would write, FastAPI with pydantic in and out and one round trip of redis-py.

It takes an order of some 680 bytes, as a shop sends one, and reads the units of its three lines from three hashes in
one round trip; or it keeps the order. There is no logic at all: no keys, no limits, no idempotency, no metrics, and
what is read is not looked at. Started by uvicorn with the options of `allot serve`, on the same store.
"""

from __future__ import annotations

import os
from uuid import uuid4

import redis.asyncio
from fastapi import FastAPI
from pydantic import BaseModel, Field

store = redis.asyncio.Redis(unix_socket_path=os.environ.get("YARDSTICK_SOCKET", ""))
app = FastAPI()


class Customer(BaseModel):
    """Who orders."""

    customer_id: str
    name: str
    email: str


class Destination(BaseModel):
    """Where an order goes."""

    street: str
    city: str
    postal_code: str
    country: str = Field(min_length=2, max_length=2)
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class Line(BaseModel):
    """A line of an order."""

    line_id: str
    sku: str = Field(min_length=1, max_length=128)
    name: str
    quantity: int = Field(ge=1)
    price_cents: int = Field(ge=0)


class Order(BaseModel):
    """An order."""

    order_id: str
    channel: str
    customer: Customer
    destination: Destination
    lines: list[Line] = Field(min_length=1)


class AnsweredLine(BaseModel):
    """What is answered of a line."""

    sku: str
    available_now: int


class Answer(BaseModel):
    """What is answered of an order."""

    order_id: str
    lines: list[AnsweredLine]


class Held(BaseModel):
    """What is answered of a reservation."""

    reservation_id: str
    state: str
    lines: list[AnsweredLine]


@app.post("/look", response_model=Answer)
async def look(order: Order) -> Answer:
    """Read the units of each line at two nodes."""
    reads = store.pipeline(transaction=False)
    for line in order.lines:
        reads.hmget(f"yardstick:{line.sku}", ["node-000", "node-001"])
    found = await reads.execute()
    lines = [
        AnsweredLine(sku=line.sku, available_now=sum(int(units or 0) for units in of))
        for line, of in zip(order.lines, found, strict=True)
    ]
    return Answer(order_id=order.order_id, lines=lines)


@app.post("/hold", response_model=Held, status_code=201)
async def hold(order: Order) -> Held:
    """Keep an order under an id, for as long as a reservation holds."""
    reservation_id = f"res_{uuid4().hex}"
    await store.set(f"yardstick:{reservation_id}", order.model_dump_json(), ex=900)
    lines = [AnsweredLine(sku=line.sku, available_now=line.quantity) for line in order.lines]
    return Held(reservation_id=reservation_id, state="held", lines=lines)
