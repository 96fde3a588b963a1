"""What parcels are made of: a bar of shares a policy."""

from __future__ import annotations

from collections.abc import Sequence

from engine.reporting.charts.svg import box, cut, picture, text

WIDTH, LEFT, ROW = 500.0, 118.0, 28.0


def share_bars(
    rows: Sequence[tuple[str, Sequence[float]]], names: Sequence[str], kinds: Sequence[str], told: str
) -> str:
    """Return a bar of whole width a row, divided as its amounts are; amounts follow `names`, colours are `kinds`."""
    parts = []
    for number, (row, amounts) in enumerate(rows):
        total, at, top = sum(amounts), LEFT, number * ROW + 4
        parts.append(text(LEFT - 10, top + 14, cut(row, 18), kind="soft", anchor="end"))
        for place, amount in enumerate(amounts):
            width = (WIDTH - LEFT) * amount / total if total else 0.0
            if width > 0:
                said = f"{names[place]}: {amount / total:.1%}"
                parts.append(box(at, top, max(width - 1, 0.5), 20, kinds[place], said))
                if width > 46:
                    middle, kind = at + width / 2, f"inside on-{kinds[place]}"
                    parts.append(text(middle, top + 14, f"{amount / total:.0%}", kind=kind, anchor="middle"))
            at += width
    return picture(WIDTH, len(rows) * ROW + 4, told, parts)
