"""A plausible parcel tariff for synthetic instances: eight zones, three services, stepped weights."""

from __future__ import annotations

from engine.routing.folder_writer import Columns

ZONE_KM = (80, 240, 480, 960, 1600, 2250, 2900, None)
GROUND_STEPS_G = (250, 500, 1000, 2000, 3000, 5000, 10_000, 20_000, 40_000, 100_000, 600_000)
# service: (transit days by zone, price of the first 250 g by zone, price per further kilogram by zone, heaviest step)
SERVICES = {
    "ground": (
        (1, 2, 2, 3, 4, 4, 5, 5),
        (620, 650, 700, 770, 840, 900, 960, 1020),
        (50, 62, 80, 110, 145, 175, 205, 235),
        600_000,
    ),
    "priority": (
        (1, 1, 2, 2, 2, 3, 3, 3),
        (860, 900, 980, 1080, 1210, 1330, 1440, 1560),
        (75, 95, 130, 180, 240, 290, 330, 370),
        40_000,
    ),
    "express": (
        (1, 1, 1, 1, 1, 2, 2, 2),
        (2450, 2550, 2700, 2900, 3150, 3400, 3650, 3900),
        (180, 220, 280, 360, 450, 540, 620, 700),
        20_000,
    ),
}


def zone_columns() -> Columns:
    """Return the zones table: `1` … `8` by distance in kilometres, the last one unbounded."""
    return {"zone": [str(number + 1) for number in range(len(ZONE_KM))], "max_km": list(ZONE_KM)}


def rate_columns() -> Columns:
    """Return the rates table; a step costs its first 250 g plus what its full weight has beyond that."""
    rows = [
        (
            service,
            str(zone + 1),
            step,
            first[zone] + round(per_kg[zone] * (step - 250) / 1000),
            transit_days[zone],
        )
        for service, (transit_days, first, per_kg, heaviest) in SERVICES.items()
        for zone in range(len(ZONE_KM))
        for step in GROUND_STEPS_G
        if step <= heaviest
    ]
    names = ("service", "zone", "max_weight_g", "cost_cents", "transit_days")
    return dict(zip(names, zip(*rows, strict=True), strict=True))
