"""What the checker has to say: one line per check, with the first few disagreements in full.

Here: the types. Not here: the checks, and how they are shown on a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Progress = Callable[[str, int, int], None]
"""Told the name of the step at hand, how much of it is done, and how much there is."""
State = Literal["ok", "failed", "not re-proved"]
MOST_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """One concrete thing that does not agree: the file and row (or order, or node), and the values."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The outcome of one check.

    `disagreements` holds at most the first five of `found`; `remark` says what was confirmed, or why it could not be.
    """

    name: str
    title: str
    state: State
    remark: str = ""
    found: int = 0
    disagreements: tuple[Disagreement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All checks of one result folder; `proven_bound_cents` is what prices.csv proves, None if it proves nothing."""

    checks: tuple[Check, ...]
    proven_bound_cents: int | None

    @property
    def agrees(self) -> bool:
        """Whether no check failed; what was not re-proved does not count against the result."""
        return all(check.state != "failed" for check in self.checks)


def check(name: str, title: str, disagreements: Iterable[Disagreement], remark: str = "") -> Check:
    """Return a check that is ok if there is nothing to disagree about."""
    found = list(disagreements)
    return Check(
        name=name,
        title=title,
        state="failed" if found else "ok",
        remark="" if found else remark,
        found=len(found),
        disagreements=tuple(found[:MOST_SHOWN]),
    )


def not_proved(name: str, title: str, why: str) -> Check:
    """Return a check that could not be made, and why."""
    return Check(name=name, title=title, state="not re-proved", remark=why)
