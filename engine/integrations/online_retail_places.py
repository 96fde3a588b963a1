"""Where orders of the web shop go, as its data name countries only: towns with their people, all of it ours.

For the United Kingdom large towns with rounded populations, so that distances differ; of other countries the capital,
or where most people live. Coordinates in degrees, to two decimals.
"""

from __future__ import annotations

Town = tuple[float, float, int]
"""Latitude, longitude, thousands of people."""

PLACES: dict[str, tuple[Town, ...]] = {
    "United Kingdom": (
        (51.51, -0.13, 9000),
        (52.48, -1.90, 2900),
        (53.48, -2.24, 2800),
        (53.80, -1.55, 1900),
        (55.86, -4.25, 1200),
        (50.91, -1.40, 1000),
        (53.41, -2.98, 900),
        (54.98, -1.61, 800),
        (52.95, -1.15, 750),
        (53.38, -1.47, 700),
        (51.45, -2.59, 650),
        (54.60, -5.93, 600),
        (52.63, -1.13, 550),
        (55.95, -3.19, 500),
        (50.82, -0.14, 480),
        (51.48, -3.18, 450),
        (50.37, -4.14, 260),
        (52.63, 1.30, 210),
        (57.15, -2.09, 200),
    ),
    **{
        country: ((latitude, longitude, 1),)
        for country, latitude, longitude in (
            ("Australia", -33.87, 151.21),
            ("Austria", 48.21, 16.37),
            ("Bahrain", 26.23, 50.58),
            ("Belgium", 50.85, 4.35),
            ("Brazil", -23.55, -46.63),
            ("Canada", 43.65, -79.38),
            ("Channel Islands", 49.19, -2.11),
            ("Cyprus", 35.17, 33.37),
            ("Czech Republic", 50.08, 14.44),
            ("Denmark", 55.68, 12.57),
            ("EIRE", 53.35, -6.26),
            ("European Community", 50.85, 4.35),
            ("Finland", 60.17, 24.94),
            ("France", 48.86, 2.35),
            ("Germany", 52.52, 13.41),
            ("Greece", 37.98, 23.73),
            ("Hong Kong", 22.32, 114.17),
            ("Iceland", 64.15, -21.94),
            ("Israel", 32.09, 34.78),
            ("Italy", 41.90, 12.50),
            ("Japan", 35.68, 139.69),
            ("Lebanon", 33.89, 35.50),
            ("Lithuania", 54.69, 25.28),
            ("Malta", 35.90, 14.51),
            ("Netherlands", 52.37, 4.90),
            ("Norway", 59.91, 10.75),
            ("Poland", 52.23, 21.01),
            ("Portugal", 38.72, -9.14),
            ("RSA", -26.20, 28.05),
            ("Saudi Arabia", 24.71, 46.68),
            ("Singapore", 1.35, 103.82),
            ("Spain", 40.42, -3.70),
            ("Sweden", 59.33, 18.07),
            ("Switzerland", 47.38, 8.54),
            ("USA", 40.71, -74.01),
            ("United Arab Emirates", 25.20, 55.27),
        )
    },
}
"""By country as the data name it; what is not here (`Unspecified`) goes to the United Kingdom."""
