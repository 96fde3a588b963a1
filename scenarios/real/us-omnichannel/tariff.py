"""USPS retail zones and prices (real), transit days and a freight service above 70 lb (ours)."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

KM_PER_MILE = Decimal("1.609344")
GRAMS_PER_POUND = Decimal("453.59237")
ZONE_MILES = {"1": 50, "2": 150, "3": 300, "4": 600, "5": 1000, "6": 1400, "7": 1800, "8": None}
SERVICE_LEVELS = {
    "ground_advantage_retail": "standard",
    "priority_mail_retail": "expedited",
    "priority_mail_express": "next_day",
    "freight": "standard",
}
TRANSIT_DAYS = {
    "ground_advantage_retail": (2, 2, 3, 3, 4, 4, 5, 5),
    "priority_mail_retail": (1, 2, 2, 2, 3, 3, 3, 3),
    "priority_mail_express": (1, 1, 1, 1, 2, 2, 2, 2),
    "freight": (2, 2, 3, 3, 4, 5, 6, 7),
}
FREIGHT_STEPS_LB = (100, 150, 200, 300, 400, 500, 750, 1000, 1500, 2000, 3000, 5000)
FREIGHT_SURCHARGE_CENTS = 1500
FREIGHT_SHARE_OF_PARCEL_RATE = Decimal("0.30")


def zones() -> list[dict[str, Any]]:
    """Return the zones with their mile limits in kilometres, the last one unbounded."""
    return [
        {"zone": zone, "max_km": None if miles is None else float(miles * KM_PER_MILE)}
        for zone, miles in ZONE_MILES.items()
    ]


def services(source: Path) -> list[dict[str, Any]]:
    """Return the carrier services of a network document with their rate cards."""
    cards = _usps_cards(source)
    cards["freight"] = _freight(cards["ground_advantage_retail"])
    return [
        {
            "service": service,
            "carrier": "generated-freight" if service == "freight" else "usps",
            "service_level": level,
            "calendar": "freight" if service == "freight" else "usps",
            "rates": [
                {"zone": zone, "max_weight_g": grams, "cost_cents": cents, "transit_days": days}
                for zone, days in zip(ZONE_MILES, TRANSIT_DAYS[service], strict=True)
                for grams, cents in sorted(cards[service][zone].items())
            ],
        }
        for service, level in SERVICE_LEVELS.items()
    ]


def _usps_cards(source: Path) -> dict[str, dict[str, dict[int, int]]]:
    """Read the price list as service → zone → grams → cents; zone 9 (far territories) is left out.

    A step's grams are its pounds rounded down, so that nothing heavier slips in. 0.9999 lb and 1 lb, equal in price,
    fall on the same gram.
    """
    cards: dict[str, dict[str, dict[int, int]]] = {}
    with (source / "us_geo" / "usps_retail_rates_2025-10-05.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["zone"] not in ZONE_MILES:
                continue
            grams = int(Decimal(row["max_weight_lb"]) * GRAMS_PER_POUND)
            cents = int(Decimal(row["price_usd"]) * 100)
            known = cards.setdefault(row["service"], {}).setdefault(row["zone"], {}).setdefault(grams, cents)
            if known != cents:
                raise ValueError(f"{row} has another price than the step before on the same gram: {known}")
    return cards


def _freight(parcel: dict[str, dict[int, int]]) -> dict[str, dict[int, int]]:
    """Return a freight tariff: a surcharge on the 70 lb parcel, then a fraction of its price per pound.

    Its lightest step costs more than any parcel step, so that it carries only what is too heavy for the post.
    """
    card: dict[str, dict[int, int]] = {}
    for zone, steps in parcel.items():
        heaviest = max(steps.values())
        per_pound = heaviest * FREIGHT_SHARE_OF_PARCEL_RATE / 70
        card[zone] = {
            int(pounds * GRAMS_PER_POUND): heaviest + FREIGHT_SURCHARGE_CENTS + round(per_pound * (pounds - 70))
            for pounds in FREIGHT_STEPS_LB
        }
    return card
