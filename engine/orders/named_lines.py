"""Lines of an order as nodes and people name them: those that it does not have, and those named twice."""

from __future__ import annotations

from engine.errors import Fault
from engine.faults import nearest
from engine.orders.model import Order


class NamedLines:
    """The lines named so far in one request about an order; `remedy` is told of one that is named again."""

    def __init__(self, order: Order, remedy: str) -> None:
        self._order_id, self._remedy = order.order_id, remedy
        self._known = {line.line_id for line in order.demand}
        self._seen = set[str]()

    def faults(self, line_id: str, path: str) -> list[Fault]:
        """Return what is wrong with naming this line, too."""
        faults = list[Fault]()
        if line_id not in self._known:
            message = f"order {self._order_id} has no line {line_id!r}; {nearest(line_id, self._known)}"
            faults.append(Fault(path=path, message=message))
        if line_id in self._seen:
            faults.append(Fault(path=path, message=f"{line_id!r} stands twice; {self._remedy}"))
        self._seen.add(line_id)
        return faults
