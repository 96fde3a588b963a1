"""The table of KPIs, in the order in which reports and files show them; docs/reference/kpis.md says the same.

A story's orders are those placed after its warm-up. Not here: the sums that the formulas name (counts.py).
"""

from __future__ import annotations

from engine.scenarios.story import Story
from engine.simulation.counts import quantile
from engine.simulation.facts import Ledger
from engine.simulation.kpi import Better, Figures, Formula, Kpi, Unit, margin_share
from engine.simulation.tally import Tally

MARKDOWN_COVER_DAYS = 30
MARKDOWN_SHARE = 0.3
_BACKLOG_UNITS = 4
"""Its place in tally.NODE_COLUMNS."""

LOW, HIGH, NEITHER = Better.LOWER, Better.HIGHER, Better.NEITHER
SHARE, COUNT, DAYS, HOURS, KM, CENTS = Unit.SHARE, Unit.COUNT, Unit.DAYS, Unit.HOURS, Unit.KM, Unit.CENTS


def _count(name: str) -> Formula:
    """Return the formula of a sum."""
    return lambda figures: float(getattr(figures.counts, name))


def _over(name: str, by: str, scale: float = 1.0) -> Formula:
    """Return the formula of a quotient of two sums; None if there is nothing to divide by."""

    def value(figures: Figures) -> float | None:
        divisor = getattr(figures.counts, by)
        return float(getattr(figures.counts, name) / (divisor * scale)) if divisor else None

    return value


def _hours(histogram: str, share: float) -> Formula:
    """Return the formula of a percentile of minutes, in hours."""

    def value(figures: Figures) -> float | None:
        minutes = quantile(getattr(figures.tally, histogram), share)
        return None if minutes is None else minutes / 60

    return value


def _stock_out_cost(figures: Figures) -> float | None:
    counts = figures.counts
    return figures.margin_share * counts.lost_for_stock_cents / counts.asked if counts.asked else None


def _markdown_cost(figures: Figures) -> float | None:
    ledger = figures.ledger
    cover = MARKDOWN_COVER_DAYS * ledger.shipped_units / max(figures.tally.days, 1)
    excess = max(0.0, ledger.end_units - cover)
    return MARKDOWN_SHARE * excess * ledger.end_value_cents / ledger.end_units if excess else 0.0


def _contribution(figures: Figures) -> float | None:
    counts = figures.counts
    earned = figures.margin_share * counts.revenue_cents + counts.charged_cents - counts.refund_cents
    return (earned - counts.cost_cents) / counts.asked if counts.asked else None


def _dearness(figures: Figures) -> float | None:
    counts = figures.counts
    promised = counts.priced_promised_cents
    return (counts.priced_cost_cents - promised) / promised if promised else None


def _rejections(figures: Figures) -> float | None:
    counts = figures.counts
    given = counts.parcels + counts.rejections
    return counts.rejections / given if given else None


def _lost_sales(figures: Figures) -> float | None:
    counts = figures.counts
    wanted = counts.lost_cents + counts.revenue_cents
    return counts.lost_cents / wanted if wanted else None


def _utilisation_p95(figures: Figures) -> float | None:
    percent = quantile(figures.tally.utilisation_percent, 0.95)
    return None if percent is None else percent / 100


def _peak_backlog(figures: Figures) -> float | None:
    days = figures.tally.node_days.values()
    return float(max(sum(columns[_BACKLOG_UNITS]) for columns in days)) if days else None


def _nearest_zone(figures: Figures) -> float | None:
    parcels = figures.counts.parcels
    return figures.tally.zones.get(0, 0) / parcels if parcels else None


def _bound_gap(figures: Figures) -> float | None:
    counts = figures.counts
    return (counts.bounded_cost_cents - counts.bound_cents) / counts.bound_cents if counts.bound_cents else None


def _row(name: str, group: str, unit: Unit, better: Better, formula: str, value: Formula) -> Kpi:
    return Kpi(name=name, group=group, unit=unit, better=better, formula=formula, value=value)


def _costs() -> list[Kpi]:
    """Return the costs of an order, a unit and a parcel: in all, and by component."""
    divisors = (
        ("order", "orders with a parcel", "shipped_orders"),
        ("unit", "units in parcels", "parcel_units"),
        ("parcel", "parcels", "parcels"),
    )
    parts = (
        ("cost", "shipping, handling, units and packaging", "cost_cents"),
        ("shipping", "carrier rates, surcharges and transfers to hubs", "shipping_cents"),
        ("handling", "what nodes ask for parcels", "handling_cents"),
        ("units", "what nodes ask for units", "units_cents"),
        ("packaging", "what cartons cost", "packaging_cents"),
    )
    return [
        _row(f"{part}_per_{per}_cents", f"Cost per {per}", CENTS, LOW, f"{told} ÷ {by}", _over(summed, divisor))
        for per, by, divisor in divisors
        for part, told, summed in parts
    ]


_VOLUME = (
    ("orders_asked", "orders that customers wanted to place", "asked"),
    ("orders_accepted", "orders asked for, without lost ones", "accepted"),
    ("orders_shipped", "orders with a parcel", "shipped_orders"),
    ("units_shipped", "units in parcels", "parcel_units"),
    ("parcels_shipped", "parcels that left their node", "parcels"),
)

# fmt: off
KPIS: tuple[Kpi, ...] = (
    *(_row(name, "Volume", COUNT, NEITHER, told, _count(summed)) for name, told, summed in _VOLUME),
    *_costs(),
    _row("cost_above_promise_share", "Cost per order", SHARE, LOW,
         "(cost − promised cost) ÷ promised cost, of delivered orders", _dearness),
    _row("contribution_per_order_cents", "Money", CENTS, HIGH,
         "(margin share × price of what was shipped + delivery charges − refunds − all costs of parcels) ÷ orders "
         "asked; margin share: 1 − Σ cost ÷ Σ price over the catalog's products that have both, else 1", _contribution),
    _row("revenue_cents", "Money", CENTS, HIGH, "price of what was shipped", _count("revenue_cents")),
    _row("charged_per_order_cents", "Money", CENTS, NEITHER,
         "what customers paid for delivery ÷ orders accepted", _over("charged_cents", "accepted")),
    _row("split_rate", "Parcels", SHARE, LOW,
         "orders with more than one parcel ÷ orders with a parcel", _over("split_orders", "shipped_orders")),
    _row("parcels_per_order", "Parcels", COUNT, LOW,
         "parcels ÷ orders with a parcel", _over("parcels", "shipped_orders")),
    _row("units_per_parcel", "Parcels", COUNT, HIGH, "units in parcels ÷ parcels", _over("parcel_units", "parcels")),
    _row("distance_km_per_parcel", "Parcels", KM, LOW,
         "great-circle distance from node to customer ÷ parcels", _over("distance_m", "parcels", 1000.0)),
    _row("distance_km_per_unit", "Parcels", KM, LOW,
         "distance × units ÷ units", _over("unit_distance_m", "parcel_units", 1000.0)),
    _row("nearest_zone_share", "Parcels", SHARE, HIGH, "parcels in the network's first zone ÷ parcels", _nearest_zone),
    _row("on_time_promise_share", "Service", SHARE, HIGH,
         "delivered by the promised day ÷ orders accepted, without cancelled ones",
         _over("due_on_time", "due")),
    _row("on_time_request_share", "Service", SHARE, HIGH,
         "delivered by the day that the customer asked for ÷ orders accepted with such a day, without cancelled ones",
         _over("wanted_on_time", "wanted")),
    _row("promise_accuracy_share", "Service", SHARE, HIGH,
         "delivered on the promised day or the day before it ÷ delivered orders",
         _over("arrived_accurate", "arrived")),
    _row("promise_error_days", "Service", DAYS, LOW,
         "mean number of days between arrival and the expected (median) day, whichever is first, of delivered orders",
         _over("arrived_error_days", "arrived")),
    _row("promised_days", "Service", DAYS, LOW,
         "mean number of days from the order to the promised day, of accepted orders",
         _over("promised_days", "promised_orders")),
    _row("click_to_ship_p50_hours", "Speed", HOURS, LOW,
         "median time from the order to the departure of its last parcel, of orders shipped whole",
         _hours("ship_minutes", 0.5)),
    _row("click_to_ship_p95_hours", "Speed", HOURS, LOW, "95th percentile of the same", _hours("ship_minutes", 0.95)),
    _row("click_to_deliver_p50_hours", "Speed", HOURS, LOW,
         "median time from the order to the arrival of its last parcel, of orders delivered whole",
         _hours("deliver_minutes", 0.5)),
    _row("click_to_deliver_p95_hours", "Speed", HOURS, LOW,
         "95th percentile of the same", _hours("deliver_minutes", 0.95)),
    _row("late_parcel_share", "Speed", SHARE, LOW,
         "parcels that left after the day on which they were to leave ÷ parcels", _over("late_parcels", "parcels")),
    _row("fill_rate_orders", "Fill", SHARE, HIGH,
         "orders of which every unit was shipped ÷ orders asked for, lost and cancelled ones too, without open ones",
         _over("filled_orders", "over")),
    _row("fill_rate_lines", "Fill", SHARE, HIGH,
         "whole lines shipped ÷ lines of the same orders", _over("filled_lines", "over_lines")),
    _row("fill_rate_units", "Fill", SHARE, HIGH,
         "units shipped ÷ units of the same orders", _over("filled_units", "over_units")),
    _row("backordered_units", "Fill", COUNT, LOW,
         "units that waited for stock after a routing run, at most at a time, added up over orders",
         _count("backordered_units")),
    _row("backorder_rate", "Fill", SHARE, LOW,
         "accepted orders of which units waited ÷ orders accepted", _over("backordered_orders", "accepted")),
    _row("cancellation_rate", "Fill", SHARE, LOW,
         "accepted orders that were cancelled, in whole or in part ÷ orders accepted", _over("cancelled", "accepted")),
    _row("open_orders_share", "Fill", SHARE, LOW,
         "accepted orders that were still open when all was over ÷ orders accepted", _over("open", "accepted")),
    _row("stock_out_rate", "Fill", SHARE, LOW,
         "positions with nothing left to sell ÷ positions that have ever had stock, over all days",
         _over("stocked_out_days", "position_days")),
    _row("lost_orders_share", "Lost sales", SHARE, LOW, "orders lost ÷ orders asked", _over("lost", "asked")),
    _row("lost_no_offer_share", "Lost sales", SHARE, LOW,
         "orders lost since nothing could be promised ÷ orders asked", _over("lost_no_offer", "asked")),
    _row("lost_too_late_share", "Lost sales", SHARE, LOW,
         "orders lost since the customer did not want to wait so long ÷ orders asked", _over("lost_too_late", "asked")),
    _row("lost_too_dear_share", "Lost sales", SHARE, LOW,
         "orders lost since the customer did not want to pay so much ÷ orders asked", _over("lost_too_dear", "asked")),
    _row("lost_sales_cents", "Lost sales", CENTS, LOW,
         "price of lost orders and of cancelled units", _count("lost_cents")),
    _row("lost_sales_share", "Lost sales", SHARE, LOW,
         "price of lost orders and cancelled units ÷ (the same + price of what was shipped)", _lost_sales),
    _row("stock_out_cost_per_order_cents", "Lost sales", CENTS, LOW,
         "margin share × price of orders without an offer or promised too late, and of cancelled units ÷ orders asked",
         _stock_out_cost),
    _row("markdown_cost_cents", "Lost sales", CENTS, LOW,
         f"{MARKDOWN_SHARE:.0%} of the value at cost of stock left at the end beyond {MARKDOWN_COVER_DAYS} days of "
         "what was shipped a day, warm-up included", _markdown_cost),
    _row("node_utilisation_mean", "Nodes", SHARE, NEITHER,
         "mean over days and nodes with a limit of what left ÷ limit, of units or parcels, whichever is fuller",
         _over("utilisation_ppm", "node_days", 1_000_000.0)),
    _row("node_utilisation_p95", "Nodes", SHARE, NEITHER,
         "95th percentile of the same, in whole percent", _utilisation_p95),
    _row("backlog_units_mean", "Nodes", COUNT, LOW,
         "units that were to have left and have not as a day ends, all nodes, mean over days",
         _over("backlog_units", "days")),
    _row("backlog_units_peak", "Nodes", COUNT, LOW, "the same on the worst day", _peak_backlog),
    _row("reroute_rate", "Nodes", SHARE, LOW,
         "orders with a routing decision after the first ÷ orders that got a node",
         _over("rerouted_orders", "routed_orders")),
    _row("rejection_rate", "Nodes", SHARE, LOW,
         "refused parcels and short picks ÷ (the same + parcels that left)", _rejections),
    _row("return_rate", "Nodes", SHARE, LOW,
         "units that came back ÷ units shipped", _over("returned_units", "shipped_units")),
    _row("orders_per_run", "Routing", COUNT, NEITHER, "orders ÷ routing runs", _over("window_orders", "windows")),
    _row("bound_gap_share", "Routing", SHARE, LOW,
         "(cost of plans − proven bounds) ÷ proven bounds, over routing runs that proved one", _bound_gap),
)
# fmt: on

BY_NAME = {kpi.name: kpi for kpi in KPIS}
HEADLINES = {
    "cost_per_order_cents": "cost per order",
    "on_time_promise_share": "on time",
    "fill_rate_units": "units filled",
    "split_rate": "orders split",
}
"""The KPIs that cards of policies show, and what they call them."""


def kpis_of(tally: Tally, ledger: Ledger, story: Story) -> dict[str, float | None]:
    """Return every KPI of a replication by name, in the order of the table."""
    figures = Figures(tally=tally, ledger=ledger, margin_share=margin_share(story))
    return {kpi.name: kpi.value(figures) for kpi in KPIS}
