"""What may be asked of a routing run, and the policy under which it is done."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from engine.availability.reference import Reference, View
from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.policies.effect import Effect
from engine.policies.service import PolicyService
from engine.routing.method_options import option_faults
from engine.routing.run_model import RunRequest
from solvers.params import Method

MOST_SECONDS = 3600.0


class RunPolicies:
    """Finds the policy of a run, and shows it the world under that policy."""

    def __init__(self, reference: Reference, policies: PolicyService | None) -> None:
        self._reference, self._policies, self._effect = reference, policies, Effect()

    async def under_version(self, request: RunRequest) -> RunRequest:
        """Return the request with the version of its policy that is current now: the run keeps to it to its end.

        Raises InvalidInput for an unknown policy.
        """
        if request.policy is None:
            return request
        if self._policies is None:
            raise InvalidInput(Fault(path="$.policy", message=f"no policy {request.policy!r}; none is defined"))
        return replace(request, policy=(await self._policies.find(request.policy, "$.policy")).reference)

    async def live_view(self) -> View:
        """Return the world as it is now, under the network's own policy."""
        return await self._reference.current()

    async def view(self, request: RunRequest) -> View:
        """Return the world as it is now, under the policy of the run."""
        view = await self._reference.current_with_prices()
        if request.policy is None or self._policies is None:
            return view
        return self._effect.of(await self._policies.find(request.policy, "$.policy"), view)


def check_request(request: RunRequest) -> None:
    """Raise InvalidInput with every fault of a request that is out of range."""
    faults = list[Fault]()
    if request.method not in set(Method):
        message = f"{request.method!r} is not known; {nearest(request.method, set(Method))}"
        faults.append(Fault(path="$.method", message=message))
    else:
        faults += option_faults(Method(request.method), request.method_options, "$.method_options")
    limit = request.time_limit_seconds
    if limit is not None and not 0 < limit <= MOST_SECONDS:
        message = f"{limit} is not valid; give seconds above 0, at most {MOST_SECONDS:.0f}"
        faults.append(Fault(path="$.time_limit_seconds", message=message))
    gap = request.target_gap
    if gap is not None and not 0 <= gap <= 1:
        message = f"{gap} is not valid; give a share of the bound from 0 to 1, such as 0.01"
        faults.append(Fault(path="$.target_gap", message=message))
    if request.max_orders is not None and (request.max_orders < 1 or request.order_ids is not None):
        message = f"{request.max_orders} is not valid; give a number from 1, for all open orders"
        if request.order_ids is not None:
            message = "max_orders is for all open orders; leave it out, or order_ids"
        faults.append(Fault(path="$.max_orders", message=message))
    if request.shadow and request.dry_run:
        message = "a shadow run changes nothing either; give one of shadow and dry_run"
        faults.append(Fault(path="$.shadow", message=message))
    if request.order_ids is not None and len(set(request.order_ids)) < len(request.order_ids):
        repeated = next(order_id for order_id, times in Counter(request.order_ids).items() if times > 1)
        faults.append(Fault(path="$.order_ids", message=f"{repeated!r} stands twice; name each order once"))
    if faults:
        raise InvalidInput(faults)
