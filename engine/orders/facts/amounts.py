"""Amounts of money as people read them: minor units of a currency, with the digits that it has (ISO 4217)."""

from __future__ import annotations

_NO_DIGITS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"}
    | {"RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_THREE_DIGITS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def shown_amount(cents: int, currency: str) -> str:
    """Return an amount with a comma for each three digits, and its currency: 1,234.50 USD."""
    return f"{bare_amount(cents, currency)} {currency}".rstrip()


def bare_amount(cents: int, currency: str) -> str:
    """Return an amount without its currency, which is told beside it: 1,234.50."""
    digits = 0 if currency in _NO_DIGITS else 3 if currency in _THREE_DIGITS else 2
    sign, cents = ("-" if cents < 0 else ""), abs(cents)
    whole, rest = divmod(cents, 10**digits)
    part = f".{rest:0{digits}d}" if digits else ""
    return f"{sign}{whole:,}{part}"
