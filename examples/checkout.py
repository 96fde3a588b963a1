"""A checkout with the Python client: what is there, a dated promise, a hold, the payment, the order.

Start `allot serve --demo` in another terminal, then: python examples/checkout.py [ADDRESS]
"""

from __future__ import annotations

import sys

from api.client import Allot, AllotProblem
from api.client.models import (
    AskedLine,
    AvailabilityRequest,
    Destination,
    DestinationBody,
    Option,
    Order,
    OrderBody,
    OrderLineBody,
    Promise,
    PromiseRequest,
    Reservation,
    ReservationBody,
    WantedLine,
)

CART = {"22726": 2, "22727": 1}
POSTAL_CODE, COUNTRY = "07306", "US"
TRIES = 3


def checkout(allot: Allot) -> Order:
    """Take one cart from availability to a captured order."""
    there = allot.look_up_availability(AvailabilityRequest(lines=[AskedLine(sku=sku) for sku in CART], by_node=False))
    for line in there.lines:
        print(f"{line.sku}: {line.available_now} available, {CART[line.sku]} wanted")

    promise = allot.promise(
        PromiseRequest(
            destination=Destination(postal_code=POSTAL_CODE, country=COUNTRY),
            lines=[WantedLine(sku=sku, quantity=quantity) for sku, quantity in CART.items()],
        )
    )
    reservation, option = hold(allot, promise)
    print(f"held {reservation.reservation_id} until {reservation.expires_at}, to arrive by {option.promised_on}")

    if not pay(option.total_cost_cents):
        allot.cancel_reservation(reservation.reservation_id)  # or let it expire: the units go back by themselves
        raise SystemExit("not paid; nothing is held any more")
    allot.confirm_reservation(reservation.reservation_id)

    return allot.capture_order(
        OrderBody(
            channel="web",
            destination=DestinationBody(postal_code=POSTAL_CODE, country=COUNTRY),
            lines=[OrderLineBody(sku=sku, quantity=quantity) for sku, quantity in CART.items()],
            reservation_id=reservation.reservation_id,
        )
    )


def hold(allot: Allot, promise: Promise) -> tuple[Reservation, Option]:
    """Hold the cheapest option; where others were quicker, that of the fresh promise in the refusal."""
    for _ in range(TRIES):
        if not promise.options:
            raise SystemExit(f"cannot be had: {[(line.sku, line.reason) for line in promise.unavailable]}")
        option = promise.options[0]
        try:
            body = ReservationBody(promise_id=promise.promise_id, option_id=option.option_id)
            return allot.reserve(body), option
        except AllotProblem as problem:
            if problem.promise is None:
                raise
            promise = problem.promise
    raise SystemExit("sold out from under us, several times over")


def pay(shipping_cents: int) -> bool:
    """Charge the card; here is your payment provider."""
    print(f"paid, with {shipping_cents / 100:.2f} for shipping")
    return True


def main() -> None:
    """Check one cart out."""
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    with Allot(address) as allot:
        order = checkout(allot)
        print(f"{order.order_id} is {order.state} for {order.promised_on}")
        steps = ", ".join(step.state for step in allot.get_order_history(order.order_id).data)
        print(f"history: {steps}")


if __name__ == "__main__":
    main()
