"""What a scenario file says of policies, of what really happens, of customers, and of what is expected.

Not here: the world (world_document.py), changes (change_document.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from engine.network.document import Identifier, PolicyDocument, UnitRuleDocument
from engine.policies.document import POLICY_ID, RunPolicyDocument
from engine.scenarios.moments import StoryDay
from engine.scenarios.story import Router
from engine.scenarios.world_document import Part

Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Amount = Annotated[float, Field(strict=True, ge=0, le=10**6)]
DaysOff = Annotated[int, Field(ge=-30, le=60)]

RUN_FIELDS = frozenset(RunPolicyDocument.model_fields) - {"policy_id", "about"}
NETWORK_FIELDS = frozenset(PolicyDocument.model_fields)


def _stated(description: str) -> Any:
    return Field(default=None, description=description, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class RoutingDocument(RunPolicyDocument):
    """How orders are promised and routed: fields of policies (`allot schema policy`), and of the network's own."""

    router: Router = Field(default=Router.ALLOT, description="The engine, or a rule that people use today.")
    router_options: Mapping[Identifier, float] = Field(default={}, description="Of `cascade` and `weighted`.")
    window_minutes: Annotated[int, Field(strict=True, ge=0, le=60 * 24)] = Field(
        default=60, description="Orders are routed together, so often; 0: each as it comes."
    )
    reserves: bool = Field(default=True, description="Whether checkouts reserve what they are promised.")
    bid_prices: bool = Field(default=False, description="Whether routing looks ahead by bid prices of the forecast.")
    from_day: StoryDay = Field(default=0, description="Before it the network's own policy counts.")
    dates_from: Literal["history", "rate_card"] = _stated("As in the network's policy.")
    promise_quantile: Annotated[float, Field(ge=0.5, le=0.99)] = _stated("As in the network's policy.")
    unprofitable: Literal["allow", "flag", "refuse"] = _stated("As in the network's policy.")
    min_margin_cents: int | None = _stated("As in the network's policy.")
    min_margin_basis_points: int | None = _stated("As in the network's policy.")
    buffers: tuple[UnitRuleDocument, ...] = _stated("As in the network's policy.")
    low_stock: tuple[UnitRuleDocument, ...] = _stated("As in the network's policy.")

    def settings(self) -> dict[str, Any]:
        """Return what is stated, by field, as it was given."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}


class NamedPolicyDocument(RoutingDocument):
    """One policy to compare; what it leaves out is as in `routing`."""

    name: Annotated[str, Field(pattern=f"^{POLICY_ID}$")]


class OperationsDocument(Part):
    """What really happens on the floor and on the road; without anything, all goes as planned."""

    picks_from_hour: Annotated[int, Field(strict=True, ge=0, le=23)] = 8
    picks_to_hour: Annotated[int, Field(strict=True, ge=1, le=24)] = Field(
        default=18, description="In the node's time zone, on its working days; a day's capacity is spread over them."
    )
    pick_times: Literal["even", "exponential"] = Field(
        default="even", description="Whether each parcel takes its share of the hours, or that on average."
    )
    rejection_share: Share = Field(default=0.0, description="Of parcels that a node refuses.")
    short_pick_share: Share = Field(default=0.0, description="Of lines that are not there when they are picked.")
    inaccurate_share: Share = Field(default=0.0, description="Of positions whose count is wrong as the story begins.")
    inaccurate_units: Amount = Field(default=1.0, description="By how many units on average, if they are.")
    transit_late_share: Share = Field(default=0.0, description="Of parcels that take longer than their transit days.")
    transit_late_days: Amount = Field(default=1.0, description="By how many days on average, if they do.")
    transit_early_share: Share = Field(default=0.0, description="Of parcels that come a day earlier.")
    transit_deviations: Mapping[Identifier, Mapping[DaysOff, Share]] = Field(
        default={},
        description="By service, `*` for all others: the shares of parcels that take so many days more; the rest none.",
    )
    supply_delay_days: Amount = Field(default=0.0, description="How late supplies are on average.")
    return_share: Share = Field(default=0.0, description="Of units delivered that come back.")
    return_days: Amount = Field(default=14.0, description="After how many days on average.")
    restock_share: Share = Field(default=1.0, description="Of units that come back and can be sold again.")


class CustomersDocument(Part):
    """What customers make of a promise: they buy the cheapest option, unless it is too late or too dear."""

    patience_days: Amount = Field(default=365.0, description="They wait so long without a thought.")
    leave_share_per_day: Share = Field(default=0.0, description="Probability to leave for each day beyond it.")
    charge_share: Share = Field(default=0.0, description="Of the cost of an option, which they are charged.")
    pays_cents: Annotated[float, Field(strict=True, gt=0, le=10**9)] | None = Field(
        default=None, description="The most that they would pay for delivery, on average; null: any."
    )
    fast_share: Share = Field(default=0.0, description="Of customers who choose the fastest option.")
    cancel_share: Share = Field(
        default=0.0, description="Of orders that their customers cancel within a day, if nothing of them has left."
    )
    waits_days: Amount = Field(
        default=14.0, description="So long after the promised day an order that has no stock is cancelled."
    )


class ExpectationDocument(Part):
    """A bar on a KPI (docs/reference/kpis.md); `allot simulate` ends with exit code 3 when it is missed."""

    kpi: Identifier
    policy: Identifier | None = Field(default=None, description="null is every policy.")
    at_least: Annotated[float, Field(strict=True)] | None = None
    at_most: Annotated[float, Field(strict=True)] | None = None
    of_policy: Identifier | None = Field(
        default=None, description="The bars are shares of this policy's mean, such as 0.95 of it."
    )
