"""The policy document: what a routing run optimises and keeps to, in one frozen pydantic model.

Here: the shape, units and ranges of every field. Not here: which nodes there are (service.py), what is in force where a
field is left out (effect.py). Money is whole cents of the network's currency, distances are kilometres.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.network.document import Cents, Identifier, NodeKind, PostalPrefix, TimeOfDay, UnitRuleDocument

POLICY_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""No `@`, which stands before a version."""

MOST_NODES = 10_000
MOST_RULES = 1_000

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Distance = Annotated[float, Field(strict=True, gt=0, le=50_000)]
Units = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
Weight = Annotated[float, Field(ge=0, le=100)]
Names = Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=1_000)]
NodeIds = Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=MOST_NODES)]


def _stated(description: str) -> Any:
    """Return a field that may be left out; its value is then never read, and it has no default of its own."""
    return Field(default=None, description=description, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class NodesDocument(BaseModel):
    """Which nodes get new orders; what an order has reserved at another node still ships from there."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    node_kinds: Annotated[tuple[NodeKind, ...], Field(min_length=1)] | None = Field(
        default=None, description="Nodes of other kinds get no new orders; null is every kind."
    )
    allowed_node_ids: NodeIds | None = Field(
        default=None, description="Other nodes get no new orders; null is every node."
    )
    forbidden_node_ids: Annotated[tuple[Identifier, ...], Field(max_length=MOST_NODES)] = Field(
        default=(), description="These nodes get no new orders."
    )


class ProductRuleDocument(NodesDocument):
    """Which nodes get new orders of the products of a class."""

    sku_class: Identifier = Field(description="The `class` of products in the catalog.")


class WhenDocument(BaseModel):
    """Which orders and products a rule is for: those of which every condition that is stated holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    countries: Annotated[tuple[Country, ...], Field(min_length=1, max_length=300)] | None = Field(
        default=None, description="Orders to these countries (ISO 3166 alpha-2); null is every order."
    )
    postal_prefixes: Annotated[tuple[PostalPrefix, ...], Field(min_length=1, max_length=10_000)] | None = Field(
        default=None, description="Postal codes that begin so, in the one country of `countries`; null is all of them."
    )
    customer_classes: Names | None = Field(
        default=None, description="Orders of this `customer_class`; null is every order."
    )
    channels: Names | None = Field(default=None, description="Orders of these channels; null is every order.")
    sku_classes: Names | None = Field(
        default=None, description="Products of this `class` in the catalog; null is every product."
    )


class RuleDocument(NodesDocument):
    """Which nodes get new orders of some orders or products, of those that get any; and which are preferred."""

    rule: Identifier | None = Field(default=None, description="What to call it; null: its place, such as `rules[0]`.")
    when: WhenDocument = Field(default=WhenDocument(), description="What it is for; without a condition, everything.")
    max_distance_km: Distance | None = Field(
        default=None, description="From a node to the customer, as the crow flies; null is unlimited."
    )
    preferred_node_ids: NodeIds | None = Field(
        default=None, description="Each unit that another node ships counts `preference_cost_cents_per_unit` more."
    )
    preferred_node_kinds: Annotated[tuple[NodeKind, ...], Field(min_length=1)] | None = Field(
        default=None, description="Nodes of these kinds are preferred as well."
    )
    preference_cost_cents_per_unit: Cents = Field(
        default=0, description="It ranks plans, and is no part of the costs told; nobody waits for it."
    )

    relaxed_cost_cents_per_unit: Annotated[Cents, Field(gt=0)] | None = Field(
        default=None,
        description="What a unit counts that breaks it, for orders that would wait; null: none does.",
    )

    @property
    def has_preference(self) -> bool:
        """Whether it prefers some nodes."""
        return self.preferred_node_ids is not None or self.preferred_node_kinds is not None

    @property
    def limits(self) -> bool:
        """Whether it lets some nodes have nothing."""
        nodes = self.node_kinds is not None or self.allowed_node_ids is not None or bool(self.forbidden_node_ids)
        return nodes or self.max_distance_km is not None


class SoftenedDocument(BaseModel):
    """Limits that are broken at a price for orders that would wait; null: this one never is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    late_day_cost_cents: Annotated[Cents, Field(gt=0)] | None = Field(
        default=None, description="For each day that a parcel is late, where nothing ships late otherwise."
    )
    extra_node_cost_cents: Annotated[Cents, Field(gt=0)] | None = Field(
        default=None, description="For each parcel beyond `max_nodes_per_order`."
    )
    incomplete_order_cost_cents: Annotated[Cents, Field(gt=0)] | None = Field(
        default=None, description="For an order that ships in part, against `ship_complete`."
    )


class BalanceDocument(BaseModel):
    """What units count more at nodes that are loaded so far; of several steps the highest that is reached counts."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    load_share: Annotated[float, Field(ge=0, le=1)] = Field(
        description="Of the day's capacity in units or parcels, whichever is fuller, as the run begins."
    )
    cost_cents_per_unit: Cents


class PositionsDocument(BaseModel):
    """Positions at nodes of a kind, of products of a class, or both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    node_kind: NodeKind | None = Field(default=None, description="null is every kind.")
    sku_class: Identifier | None = Field(default=None, description="The `class` of products; null is every product.")


class MarkdownDocument(PositionsDocument):
    """A credit for each unit that ships from overstock, which would be marked down."""

    above_units: Units = Field(description="A position is overstock if it has more available as the run begins.")
    credit_cents_per_unit: Annotated[Cents, Field(gt=0)]


class StockOutDocument(PositionsDocument):
    """What each unit counts more that a line takes from the last units of a position."""

    below_units: Annotated[Units, Field(gt=0)] = Field(description="How many of a position's units are its last.")
    cost_cents_per_unit: Annotated[Cents, Field(gt=0)]


class RunPolicyDocument(NodesDocument):
    """What a routing run optimises and keeps to; for a field that is left out, the network's own policy counts."""

    policy_id: Annotated[str, Field(pattern=f"^{POLICY_ID}$")] | None = Field(
        default=None, description="Its name, as in the path; a file for `allot policy put` has to say it."
    )
    about: Annotated[str, Field(max_length=1000)] = Field(default="", description="What it is for, in words.")
    split_cost_cents: Cents = _stated("For each parcel of an order beyond the first.")
    backorder_cost_cents_per_unit: Cents = _stated("For each unit that no node ships.")
    late_day_cost_cents: Cents | None = _stated(
        "For each day that an order arrives after its `need_by`; null: it is never late, and waits rather."
    )
    move_cost_cents: Cents = _stated("For a line that does not ship from where its order's reservation has it.")
    line_split: Literal["never", "allowed"] = _stated("Whether the units of one line may ship from several nodes.")
    max_nodes_per_order: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = _stated("null is unlimited.")
    max_distance_km: Distance | None = _stated("From a node to the customer, as the crow flies; null is unlimited.")
    min_acceptance: Annotated[float, Field(strict=True, ge=0, le=1)] = _stated(
        "A vendor whose `acceptance` is below it gets no new orders."
    )
    rules: Annotated[tuple[RuleDocument, ...], Field(max_length=MOST_RULES)] = Field(
        default=(), description="Which nodes get new orders by region, customer class, channel and product class."
    )
    shipping_weight: Weight = Field(default=1.0, description="Freight ranks as if it cost so many times what it does.")
    handling_weight: Weight = Field(default=1.0, description="So do the costs of nodes for parcels and units.")
    node_balance: Annotated[tuple[BalanceDocument, ...], Field(max_length=100)] = Field(
        default=(), description="Units count more at nodes that are loaded already."
    )
    markdowns: Annotated[tuple[MarkdownDocument, ...], Field(max_length=MOST_RULES)] = Field(
        default=(), description="Units of overstock count less; of several the largest credit."
    )
    stock_out_costs: Annotated[tuple[StockOutDocument, ...], Field(max_length=MOST_RULES)] = Field(
        default=(), description="The last units of positions count more; prices of several add up."
    )
    ship_complete: bool = Field(default=False, description="An order ships when all of it does; until then it waits.")
    max_nodes_per_line: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="Where lines may be split: over so many nodes at most; null is unlimited."
    )
    cut_off: TimeOfDay | None = Field(
        default=None, description="Orders routed at or after it, in the node's time zone, count as the next day's."
    )
    capacity_share: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="Nodes are filled up to this share of their daily capacity, rounded down."
    )
    safety_stock: Annotated[tuple[UnitRuleDocument, ...], Field(max_length=MOST_RULES)] = Field(
        default=(),
        description="Units kept back from the run. With the network's buffers, the largest that fits counts.",
    )
    softened: SoftenedDocument = Field(
        default=SoftenedDocument(), description="Limits that are broken at a price, for orders that would wait."
    )
    product_rules: Annotated[tuple[ProductRuleDocument, ...], Field(max_length=MOST_RULES)] = Field(
        default=(), description="As a rule with `sku_classes`: which nodes get new orders of products of a class."
    )

    def stated(self) -> dict[str, Any]:
        """Return what the policy states, by field; a field that was left out is not in it."""
        return self.model_dump(mode="json", exclude_unset=True, exclude={"policy_id", "about"})
