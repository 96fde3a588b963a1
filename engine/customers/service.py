"""Customers as use cases: keep, look, find by what only they know, export all that is theirs, erase.

Not here: the personal data of orders (order_seal.py), what is sent to customers (engine/notices).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from engine.clock import Clock, instant_of
from engine.customers.checks import check_customer_id, check_profile
from engine.customers.export import Export, exported
from engine.customers.keys import CustomerKeys
from engine.customers.model import Customer, Erased, Profile
from engine.customers.order_seal import CustomerSeal
from engine.customers.sealing import opened, sealed, terms_of
from engine.customers.store import CustomersMoved, CustomerStore
from engine.errors import AllotError, Fault, IllegalState, InvalidInput, NotFound, Unavailable
from engine.inventory.model import Outcome, Replay
from engine.orders.clearing import Clearing, cleared
from engine.orders.model import Order
from engine.orders.states import is_over
from engine.orders.store import OrderStore

_TRIES = 8
_NAMED = 5
_SOON, _OPEN_WAIT, _ANSWERS_KEPT = timedelta(minutes=1), timedelta(hours=1), timedelta(hours=25)
_decode = msgspec.json.Decoder(Profile).decode


class CustomerService:
    """The customers of one tenant."""

    def __init__(self, store: CustomerStore, keys: CustomerKeys, orders: OrderStore, clock: Clock) -> None:
        self._store, self._keys, self._orders, self._clock = store, keys, orders, clock
        self.seal = CustomerSeal(keys)

    async def put(self, customer_id: str, profile: Profile, *, expected_version: int | None = None) -> Customer:
        """Keep what is known of a customer, in place of what was.

        Raises InvalidInput with every fault; IllegalState if they were erased, or are at another version than expected.
        """
        check_customer_id(customer_id, "customer_id")
        check_profile(profile)
        at, terms = self._clock.now(), await self._terms(profile)
        key = await self._keys.claim(customer_id)
        closed = sealed(key, msgspec.json.encode(profile), self._bound_to(customer_id))
        version = await self._store.put(
            customer_id, closed, at_ms=_milliseconds(at), terms=terms, expected_version=expected_version
        )
        return Customer(customer_id=customer_id, version=version, changed_at=at, profile=profile)

    async def get(self, customer_id: str) -> Customer:
        """Return a customer; one whom only orders name has version 0. Raises NotFound, also if they were erased."""
        found = await self.find_one(customer_id)
        if found is None:
            raise NotFound(f"There is no customer {customer_id!r}, or they were erased.")
        return found

    async def find_one(self, customer_id: str) -> Customer | None:
        """Return a customer, None if there is none, or they were erased."""
        kept, (key,) = await self._store.get(customer_id), await self._keys.of([customer_id])
        if kept is None or key is None:
            return None
        profile = Profile()
        if kept.sealed:
            profile = _decode(opened(key, kept.sealed, self._bound_to(customer_id)))
        return Customer(
            customer_id=customer_id, version=kept.version, changed_at=instant_of(kept.changed_ms), profile=profile
        )

    async def find(self, *, email: str | None = None, phone: str | None = None) -> list[str]:
        """Return the customers, guests too, who have an e-mail address or a telephone number; both: those of both.

        Raises InvalidInput if neither is given.
        """
        root = await self._keys.root()
        terms = terms_of(root, [email or ""], [phone or ""])
        if not terms:
            raise InvalidInput(Fault(path="$", message="names nothing to find customers by; give email or phone"))
        found = [set(await self._store.find(term)) for term in terms]
        return sorted(set.intersection(*found))

    async def root(self) -> bytes:
        """Return the key that what is found by, and links, are made with."""
        return await self._keys.root()

    async def term_of(self, email: str) -> str:
        """Return what stands for an e-mail address where it must not be read."""
        return terms_of(await self._keys.root(), [email], [])[0]

    async def opt_out(self, term: str) -> None:
        """Send no more notices to the address that a term stands for, whoever has it."""
        await self._store.opt_out(term)

    async def has_opted_out(self, email: str) -> bool:
        """Return whether nothing is to be sent to an e-mail address."""
        return await self._store.has_opted_out([await self.term_of(email)])

    async def export(self, customer_id: str) -> Export:
        """Return all that is kept of a customer, and of their orders what is theirs. Raises NotFound."""
        customer = await self.get(customer_id)
        orders = await self._kept_orders(customer_id)
        personal = [await self.seal.opened(order.life) for order in orders]
        return exported(customer, list(zip(orders, personal, strict=True)), self._clock.now())

    async def erase(
        self, customer_id: str, *, even_with_open_orders: bool = False, replay: Replay | None = None
    ) -> Outcome[Erased]:
        """Destroy the key of a customer for good: what is sealed under it, in orders too, is read by nobody any more.

        Erasing again changes nothing. Raises NotFound if nothing has ever named them, and IllegalState if orders of
        theirs are not over, unless `even_with_open_orders`.
        """
        for _ in range(_TRIES):
            order_ids = await self._store.orders(customer_id)
            if not even_with_open_orders:
                await self._check_orders(customer_id)
            try:
                found = await self._store.erase(
                    customer_id, at_ms=_milliseconds(self._clock.now()), orders=len(order_ids), replay=replay
                )
            except CustomersMoved:
                continue
            if found.value is None:
                error = NotFound(f"There is no customer {customer_id!r}.")
                error.replayed = found.replayed
                raise error
            if not found.replayed:
                with suppress(AllotError):  # the sweeper does it
                    await self.clear(customer_id)
            erased = Erased(customer_id=customer_id, erased_at=instant_of(found.value), orders=len(order_ids))
            return Outcome(value=erased, replayed=found.replayed)
        raise Unavailable(f"Customer {customer_id!r} is being changed by other calls. Send it again.")

    async def step(self, limit: int = 20) -> int:
        """Clear the orders of erased customers that are to be looked at by now; return how many customers."""
        due = await self._store.to_clear(_milliseconds(self._clock.now()), limit)
        for customer_id in due:
            await self.clear(customer_id)
        return len(due)

    async def clear(self, customer_id: str) -> None:
        """Take what is personal, and not sealed, out of the orders of an erased customer that are over.

        Those that are not over are looked at again; so is all of it once no answer of before is kept any more.
        """
        orders = await self._kept_orders(customer_id)
        over = [order for order in orders if is_over(order)]
        found = [Clearing(seen=order, to=cleared(order)) for order in over if cleared(order) != order]
        wait = None if len(over) == len(orders) else _OPEN_WAIT
        if found:
            moved = await self._orders.clear(found)
            done = [each.to for each in found if each.seen.order_id not in moved]
            await self._orders.clear_answers(done)
            is_anew = await self._store.forget_past()
            wait = _SOON if moved or not is_anew else wait or _ANSWERS_KEPT
        at = None if wait is None else _milliseconds(self._clock.now() + wait)
        await self._store.clear_at(customer_id, at)

    async def _check_orders(self, customer_id: str) -> None:
        """Raise IllegalState if orders of a customer who is there are not over."""
        (key,) = await self._store.keys([customer_id])
        waiting = [] if key is None else [each for each in await self._kept_orders(customer_id) if not is_over(each)]
        if not waiting:
            return
        named = ", ".join(order.order_id for order in waiting[:_NAMED]) + (", …" if len(waiting) > _NAMED else "")
        raise IllegalState(
            f"Customer {customer_id!r} has {len(waiting)} orders that are not over ({named}). Wait, cancel them, or "
            "send even_with_open_orders."
        )

    async def _kept_orders(self, customer_id: str) -> list[Order]:
        """Return the orders of a customer that were kept: a capture may have failed after its customer was noted."""
        found = []
        for order_id in await self._store.orders(customer_id):
            try:
                order = await self._orders.get(order_id)
            except NotFound:
                continue
            if order.life.customer_id == customer_id:
                found.append(order)
        return found

    async def _terms(self, profile: Profile) -> tuple[str, ...]:
        phones = [profile.phone, *(address.phone for address in profile.addresses)]
        return terms_of(await self._keys.root(), [profile.email], phones)

    def _bound_to(self, customer_id: str) -> str:
        return f"customer\0{self._keys.tenant}\0{customer_id}"


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
