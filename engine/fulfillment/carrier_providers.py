"""Which carriers sell labels: the sandbox, unless another is chosen and there is a key for it."""

from __future__ import annotations

from engine.errors import Fault, InvalidInput
from engine.fulfillment.carriers import Carriers
from engine.fulfillment.sandbox_carrier import SandboxCarriers


def carriers_by(provider: str, easypost_key: str | None, easypost_url: str | None) -> Carriers:
    """Return who sells labels. Raises InvalidInput where EasyPost is chosen without a key, or its SDK is not there."""
    if provider == "sandbox":
        return SandboxCarriers()
    if easypost_key is None:
        message = "ALLOT_CARRIER_PROVIDER is 'easypost', and there is no key; set one, or choose 'sandbox'"
        raise InvalidInput(Fault(path="ALLOT_EASYPOST_KEY", message=message))
    from engine.fulfillment.easypost_carrier import EasyPostCarriers

    return EasyPostCarriers(easypost_key, easypost_url)
