"""Labels from real carriers through EasyPost, by its own SDK (extra `easypost`).

The network's services are named as EasyPost names them: `carrier` as `USPS`, `service` as `Priority`, whatever their
letters' case, spaces and hyphens. A label's key is the shipment's `reference`, under which EasyPost finds it again, so
that asked twice it is bought once. Not here: what it tells of parcels on their way (easypost_events.py).
"""

from __future__ import annotations

import asyncio
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from hashlib import sha256
from typing import Any

from engine.errors import AllotError, Fault, InvalidInput, Refused, Unavailable
from engine.fulfillment.addresses import Address
from engine.fulfillment.carriers import BoughtLabel, WantedLabel

_TIMEOUT_SECONDS = 20
_GRAMS_PER_OUNCE = Decimal("28.349523125")
_MM_PER_INCH = Decimal("25.4")
_GIVEN_BACK = frozenset({"submitted", "refunded"})


class EasyPostCarriers:
    """An EasyPost account; its SDK waits in threads, so that nothing else does."""

    def __init__(self, api_key: str, api_url: str | None = None) -> None:
        try:
            import easypost
        except ImportError:
            message = "EasyPost's SDK is not installed; install allot[easypost], or leave the key out"
            raise InvalidInput(Fault(path="ALLOT_EASYPOST_KEY", message=message)) from None
        self._errors: Any = easypost.errors
        where: dict[str, str] = {} if api_url is None else {"api_base": f"{api_url}/v2"}
        self._client: Any = easypost.easypost_client.EasyPostClient(api_key, timeout=_TIMEOUT_SECONDS, **where)

    async def buy(self, wanted: WantedLabel) -> BoughtLabel:
        """Sell a label; raises as `Carriers.buy`."""
        return await asyncio.to_thread(self._told, self._buy, wanted)

    async def void(self, tracking_number: str) -> None:
        """Take a label back; raises as `Carriers.void`."""
        await asyncio.to_thread(self._told, self._void, tracking_number)

    def _buy(self, wanted: WantedLabel) -> BoughtLabel:
        reference = f"allot-{sha256(wanted.key.encode()).hexdigest()[:40]}"
        shipment = self._known(reference)
        if shipment is None:
            shipment = self._client.shipment.create(
                reference=reference,
                from_address=_address(wanted.sender),
                to_address=_address(wanted.recipient),
                parcel=_parcel(wanted),
                options={"print_custom_1": wanted.reference[:35]},
            )
        if shipment.get("postage_label") is None:
            rate = _rate(wanted, shipment.get("rates") or [])
            shipment = self._client.shipment.buy(shipment.id, rate={"id": rate["id"]})
        chosen = shipment["selected_rate"]
        return BoughtLabel(
            carrier=chosen["carrier"],
            tracking_number=shipment["tracking_code"],
            cents=int((Decimal(chosen["rate"]) * 100).to_integral_value(ROUND_HALF_UP)),
            url=shipment["postage_label"]["label_url"] or "",
        )

    def _known(self, reference: str) -> Any | None:
        try:
            return self._client.shipment.retrieve(reference)
        except self._errors.NotFoundError:
            return None

    def _void(self, tracking_number: str) -> None:
        trackers = self._client.tracker.all(tracking_code=tracking_number)["trackers"]
        if not trackers:
            raise Refused(f"EasyPost knows no label {tracking_number!r}. Give one that it has sold.")
        shipment = self._client.shipment.retrieve(trackers[0]["shipment_id"])
        if shipment.get("refund_status") not in _GIVEN_BACK:
            self._client.shipment.refund(shipment.id)

    def _told(self, call: Any, *args: Any) -> Any:
        """Return what a call does, with the SDK's errors as ours: what may work later, and what will not."""
        errors = self._errors
        try:
            return call(*args)
        except (errors.UnauthorizedError, errors.ForbiddenError) as error:
            why = f"EasyPost does not take ALLOT_EASYPOST_KEY ({error.message}). Set a key of yours."
            raise Unavailable(why) from None
        except (errors.BadRequestError, errors.NotFoundError, errors.InvalidRequestError, errors.PaymentError) as error:
            raise Refused(f"EasyPost says no: {_said(error)}") from None
        except AllotError:
            raise
        except errors.EasyPostError as error:
            raise Unavailable(f"EasyPost does not answer: {_said(error)}") from None


def _said(error: Any) -> str:
    """Return what EasyPost says, with the fields that it means."""
    parts = [str(error.message)]
    for each in getattr(error, "errors", None) or []:
        field = each.get("field") if isinstance(each, dict) else None
        if field:
            parts.append(f"{field}: {each.get('message')}")
    return "; ".join(parts)[:200]


def _rate(wanted: WantedLabel, rates: list[Any]) -> Any:
    fitting = [
        rate
        for rate in rates
        if _plain(rate["carrier"]) == _plain(wanted.carrier) and _plain(rate["service"]) == _plain(wanted.service)
    ]
    if not fitting:
        there = ", ".join(sorted({f"{rate['carrier']} {rate['service']}" for rate in rates})) or "nothing"
        raise Refused(f"EasyPost offers no {wanted.carrier} {wanted.service} for this carton; it offers {there}.")
    return min(fitting, key=lambda rate: Decimal(rate["rate"]))


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _address(address: Address) -> dict[str, str]:
    told = {
        "name": address.name,
        "company": address.company,
        "street1": address.street,
        "street2": address.street2,
        "city": address.city,
        "state": address.region,
        "zip": address.postal_code,
        "country": address.country,
        "phone": address.phone,
        "email": address.email,
    }
    return {name: value for name, value in told.items() if value}


def _parcel(wanted: WantedLabel) -> dict[str, float]:
    """Return a carton as EasyPost measures it: ounces and inches, rounded up to tenths."""
    parcel = {"weight": _tenths(Decimal(max(1, wanted.weight_g)) / _GRAMS_PER_OUNCE)}
    edges = {"length": wanted.length_mm, "width": wanted.width_mm, "height": wanted.height_mm}
    if all(edges.values()):
        parcel |= {name: _tenths(Decimal(edge) / _MM_PER_INCH) for name, edge in edges.items()}
    return parcel


def _tenths(value: Decimal) -> float:
    return float(value.quantize(Decimal("0.1"), ROUND_CEILING))
