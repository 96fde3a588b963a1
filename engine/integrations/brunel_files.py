"""Reads and checks the seven files of the microchip maker's data set.

Here: columns, references, exact numbers, every fault told. Not here: what follows from them (`brunel.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.routing.csv_table import MOST_FAULTS, Column, CsvTable, find_table, read_table

IGNORED_PLANT = "CND9"
OWN_FREIGHT = "CRF"
SERVICES = ("DTD", "DTP", OWN_FREIGHT)
MODES = ("AIR", "GROUND")


def _texts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name=name) for name in names)


_TABLES: dict[str, tuple[Column, ...]] = {
    "orders": (
        *_texts("order_id", "order_date", "hist_origin_port", "hist_carrier", "hist_tpt_days", "service_level"),
        *_texts("ship_ahead_days", "ship_late_days", "customer", "product_id", "hist_plant", "dest_port"),
        Column(name="qty", kind=int),
        *_texts("weight_kg"),
    ),
    "freight_rates": (
        *_texts("rate_id", "carrier", "orig_port", "dest_port", "min_kg", "max_kg", "service", "min_cost", "rate"),
        *_texts("mode"),
        Column(name="transit_days", kind=int, most=365),
        *_texts("carrier_type"),
    ),
    "plant_costs": _texts("plant", "cost_per_unit"),
    "plant_capacity": (Column(name="plant"), Column(name="orders_per_day", kind=int, most=10**9)),
    "plant_ports": _texts("plant", "port"),
    "plant_products": _texts("plant", "product_id"),
    "vmi_customers": _texts("plant", "customer"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Freight:
    """One row of the freight tariff; money in dollars, weights in kilograms, both exact."""

    carrier: str
    mode: str
    min_kg: Decimal
    max_kg: Decimal
    min_cost: Decimal
    rate: Decimal
    transit_days: int

    def cost(self, weight_kg: Decimal) -> Decimal:
        """Return the dollars for one shipment: by the kilogram in the air, flat on the ground, with a minimum."""
        return max(self.min_cost, self.rate * weight_kg if self.mode == "AIR" else self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """What the files say, checked: orders in file order, the tariff by (origin port, destination port, service)."""

    order_ids: list[str]
    services: list[str]
    customers: list[str]
    products: list[str]
    destination_ports: list[str]
    quantities: list[int]
    weights_kg: list[Decimal]
    plant_costs: dict[str, Decimal]
    """Dollars per unit."""
    orders_per_day: dict[str, int]
    ports: list[tuple[str, str]]
    """(plant, port) pairs; also `stocked` (plant, product) and `customers_of` (plant, customer)."""
    stocked: list[tuple[str, str]]
    customers_of: list[tuple[str, str]]
    freights: dict[tuple[str, str, str], list[Freight]]


def read_data_set(source: Path) -> DataSet:
    """Read and check the seven files (`.csv` or `.csv.gz`) in `source`; raises InvalidInput naming every fault."""
    tables = _read_tables(source)
    checks = _Checks(tables)
    costs = dict(
        zip(checks.unique("plant_costs", "plant"), checks.decimals("plant_costs", "cost_per_unit"), strict=True)
    )
    capacities = dict(
        zip(
            checks.unique("plant_capacity", "plant"),
            tables["plant_capacity"].number["orders_per_day"].tolist(),
            strict=True,
        )
    )
    checks.refer("plant_capacity", "plant", costs, "plant_costs.csv")
    checks.refer("plant_costs", "plant", capacities, "plant_capacity.csv")
    for table in ("plant_ports", "plant_products", "vmi_customers"):
        checks.refer(table, "plant", {*costs, IGNORED_PLANT}, "plant_costs.csv")
    checks.choice("orders", "service_level", SERVICES)
    checks.choice("freight_rates", "mode", MODES)
    order_ids = checks.unique("orders", "order_id")
    weights_kg = checks.decimals("orders", "weight_kg")
    freights = checks.freights()
    checks.refuse()
    orders = tables["orders"]
    return DataSet(
        order_ids=order_ids,
        services=orders.text["service_level"],
        customers=orders.text["customer"],
        products=orders.text["product_id"],
        destination_ports=orders.text["dest_port"],
        quantities=orders.number["qty"].tolist(),
        weights_kg=weights_kg,
        plant_costs=costs,
        orders_per_day=capacities,
        ports=_pairs(tables["plant_ports"], "port"),
        stocked=_pairs(tables["plant_products"], "product_id"),
        customers_of=_pairs(tables["vmi_customers"], "customer"),
        freights=freights,
    )


def _pairs(table: CsvTable, column: str) -> list[tuple[str, str]]:
    pairs = zip(table.text["plant"], table.text[column], strict=True)
    return [(plant, value) for plant, value in pairs if plant != IGNORED_PLANT]


def _read_tables(source: Path) -> dict[str, CsvTable]:
    if not source.is_dir():
        raise InvalidInput(Fault(path=str(source), message="is not a folder; name the one that holds the data set"))
    found = {name: find_table(source, name) for name in _TABLES}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        remedy = "copy it there (scenarios/real/brunel/README.md lists the files)"
        raise InvalidInput(
            [Fault(path=str(source), message=f"has no {name}.csv or {name}.csv.gz; {remedy}") for name in missing]
        )
    tables = {name: read_table(path, _TABLES[name]) for name, path in found.items() if path is not None}
    empty = [table.file for table in tables.values() if table.rows == 0]
    if empty:
        raise InvalidInput([Fault(path=f"{file}:2", message="holds no rows; is it cut short?") for file in empty])
    return tables


class _Checks:
    """Reads columns and collects what is wrong with them, so that one run tells all."""

    def __init__(self, tables: dict[str, CsvTable]) -> None:
        self.tables = tables
        self.faults: list[Fault] = []

    def refuse(self) -> None:
        """Raise if anything was found."""
        if self.faults:
            raise InvalidInput(self.faults)

    def decimals(self, table: str, column: str) -> list[Decimal]:
        """Return a column of finite numbers ≥ 0, exactly as written."""
        values, told = [], 0
        for row, text in enumerate(self.tables[table].text[column]):
            try:
                value = Decimal(text)
            except InvalidOperation:
                value = Decimal("NaN")
            if not (value.is_finite() and 0 <= value < 10**12):
                told += 1
                value = Decimal(0)
                if told <= MOST_FAULTS:
                    self._add(table, row, column, f"{text!r} is not valid; give a number from 0 to 10^12")
            values.append(value)
        return values

    def unique(self, table: str, column: str) -> list[str]:
        """Return a column whose values may not repeat."""
        values = self.tables[table].text[column]
        seen: set[str] = set()
        for row, value in enumerate(values):
            if value in seen:
                self._add(table, row, column, f"{value!r} stands twice; keep one")
            seen.add(value)
        return values

    def refer(self, table: str, column: str, known: Collection[str], where: str) -> None:
        """Check that a column names only what `where` holds."""
        wrong = [(row, value) for row, value in enumerate(self.tables[table].text[column]) if value not in known]
        for row, value in wrong[:MOST_FAULTS]:
            self._add(table, row, column, f"{value!r} is not in {where}; {nearest(value, known)}")

    def choice(self, table: str, column: str, choices: Sequence[str]) -> None:
        """Check that a column holds only the given words."""
        wrong = [(row, value) for row, value in enumerate(self.tables[table].text[column]) if value not in choices]
        for row, value in wrong[:MOST_FAULTS]:
            self._add(table, row, column, f"{value!r} is not known; {nearest(value, choices)}")

    def freights(self) -> dict[tuple[str, str, str], list[Freight]]:
        """Return the tariff by (origin port, destination port, service)."""
        table = self.tables["freight_rates"]
        numbers = zip(
            *(self.decimals("freight_rates", name) for name in ("min_kg", "max_kg", "min_cost", "rate")),
            table.number["transit_days"].tolist(),
            strict=True,
        )
        texts = zip(
            *(table.text[name] for name in ("orig_port", "dest_port", "service", "carrier", "mode")), strict=True
        )
        found = defaultdict(list)
        for row, (text, (min_kg, max_kg, min_cost, rate, transit_days)) in enumerate(zip(texts, numbers, strict=True)):
            if max_kg < min_kg:
                self._add("freight_rates", row, "max_kg", f"{max_kg} is below min_kg {min_kg}; swap the two")
            found[text[:3]].append(
                Freight(
                    carrier=text[3],
                    mode=text[4],
                    min_kg=min_kg,
                    max_kg=max_kg,
                    min_cost=min_cost,
                    rate=rate,
                    transit_days=transit_days,
                )
            )
        return dict(found)

    def _add(self, table: str, row: int, column: str, message: str) -> None:
        self.faults.append(self.tables[table].fault(row, column, message))
