"""Every error the engine raises on purpose; each has a stable `code` that clients may rely on.

    AllotError
    ├── InvalidInput          the caller's document, file or argument is wrong (nothing was changed)
    ├── NotFound              the named thing does not exist
    │   └── ExplanationNotKept    how the order was routed is not kept any more
    ├── Refused               the request is well formed, but the business says no
    │   ├── InsufficientStock     lines that are short, each named
    │   ├── VersionConflict       the position moved since it was read
    │   ├── OnHandOutOfRange      an adjustment would take on_hand out of its range, or is of unlimited stock
    │   ├── SupplyUnavailable     a supply is unknown, overdue, or too small for what is asked of it
    │   ├── TooManySupplies       positions have no room for so many supplies
    │   ├── WrongCondition        units are not in the condition that they would leave
    │   ├── TooManyHolds          whoever holds has as many open holds as may be
    │   ├── StoredRefusal         the stored answer, as bytes, to an idempotency key that came back
    │   ├── IllegalState          the reservation, order or run is past that step
    │   ├── PromiseExpired        the promise is no longer valid
    │   ├── PromiseStale          what was promised cannot be kept any more
    │   ├── NotRouted             no routing run has decided on the order yet
    │   ├── SlotFull              a window has no place left
    │   └── SlotClosed            a window cannot be booked any more
    ├── CursorExpired         what a cursor points behind is no longer kept
    ├── IdempotencyConflict   the key came back with another body
    ├── DocumentsMoved        the network or the catalog is another than was believed; nothing was done
    ├── LeaseLost             another process has taken the work up; whoever gets this stops
    ├── PlanNotVerified       a plan does not hold against an independent check; nothing of it was committed
    ├── RunFailed             a routing run of a simulation failed
    ├── BooksDisagree         a simulation counted other units than are in stock
    ├── ExpectationMissed     the work was done, and a stated expectation was not met
    ├── Unavailable           a part we need does not answer; worth retrying
    ├── StoreReplyError       the store refused a command: a fault in this program or in the store's set-up
    └── IncompatibleStore     the store is too old, or is used by another version of allot

Infeasible is a result, not an exception: a routing run that can serve nothing returns a plan of backorders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with an input: where (`path`), and what is wrong and how to mend it (`message`).

    `path` is a JSON path (`$.nodes[3].latitude`) or a place in a file (`nodes.csv:7:latitude`).
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class AllotError(Exception):
    """The root of every deliberate error; `code` is stable, the text is for people.

    `replayed` is set when the refusal is the stored answer to an idempotency key that came back.
    """

    code = "error"
    replayed = False


class InvalidInput(AllotError):
    """The input is wrong; `faults` names every place that was found, and nothing was changed."""

    code = "invalid_input"

    def __init__(self, faults: Sequence[Fault] | Fault) -> None:
        self.faults = [faults] if isinstance(faults, Fault) else list(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class NotFound(AllotError):
    """The named thing does not exist."""

    code = "not_found"


class ExplanationNotKept(NotFound):
    """How the order was routed is not kept, or not any more."""

    code = "explanation_not_kept"


class Refused(AllotError):
    """The request is well formed, and the business says no."""

    code = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortLine:
    """A line that cannot be held: what was asked for at a node, and what is available there."""

    sku: str
    node_id: str
    quantity: int
    available: int


class InsufficientStock(Refused):
    """At least one line asks for more than is available to promise; `lines` names each short one."""

    code = "insufficient_stock"

    def __init__(self, lines: Sequence[ShortLine]) -> None:
        self.lines = list(lines)
        short = "; ".join(
            f"{line.sku} at {line.node_id}: {line.quantity} asked, {line.available} available" for line in self.lines
        )
        super().__init__(f"Not enough stock: {short}. Ask for a new promise.")


class VersionConflict(Refused):
    """The position moved since it was read."""

    code = "version_conflict"


class OnHandOutOfRange(Refused):
    """An adjustment would take on_hand below zero or beyond what a cell holds, or is of unlimited stock.

    `faults` names each line.
    """

    code = "on_hand_out_of_range"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class SupplyUnavailable(Refused):
    """A supply is unknown, overdue, or too small for what is asked of it; `faults` names each line."""

    code = "supply_unavailable"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class TooManySupplies(Refused):
    """Positions have no room for so many supplies; `faults` names each that does not fit."""

    code = "too_many_supplies"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        others = f"\nand {len(self.faults) - 1} more" if len(self.faults) > 1 else ""
        super().__init__(f"{self.faults[0]}{others}")


class WrongCondition(Refused):
    """Units are not in the condition that they would leave, or do not fit into the other; `faults` names each line."""

    code = "wrong_condition"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class TooManyHolds(Refused):
    """Whoever holds has as many open holds as may be; it is never kept for an idempotency key."""

    code = "too_many_holds"

    def __init__(self, holder: str, open_holds: int, most: int) -> None:
        self.holder, self.open_holds, self.most = holder, open_holds, most
        super().__init__(
            f"{holder!r} has {open_holds} open hold{'s' * (open_holds != 1)}, and {most} may be open at once. "
            "Confirm or cancel some, or wait until they expire; then send the same request again."
        )


class StoredRefusal(Refused):
    """The answer once given to this idempotency key, to be given again byte for byte: `status` and `body`."""

    code = "stored_refusal"
    replayed = True

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body
        super().__init__(f"This idempotency key was answered with status {status} before.")


class IllegalState(Refused):
    """The reservation, order or run is past the step that was asked for."""

    code = "illegal_state"


class PromiseExpired(Refused):
    """The promise is no longer valid."""

    code = "promise_expired"


class PromiseStale(Refused):
    """What was promised cannot be kept any more, though the promise has not expired."""

    code = "promise_stale"


class NotRouted(Refused):
    """No routing run has decided on the order yet."""

    code = "not_routed"


class SlotFull(Refused):
    """A window has no place left; `is_recorded` says that stock was held under the idempotency key, and given back."""

    code = "slot_full"

    def __init__(self, slot_id: str, *, is_recorded: bool = False) -> None:
        self.slot_id, self.is_recorded = slot_id, is_recorded
        super().__init__(f"The slot {slot_id} is full. Take another one.")


class SlotClosed(Refused):
    """A window cannot be booked any more, or not yet."""

    code = "slot_closed"


class CursorExpired(AllotError):
    """Events after a cursor are no longer kept, or it is of another life of the store."""

    code = "cursor_expired"


class IdempotencyConflict(AllotError):
    """The idempotency key came back with another body."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("The idempotency key was used before with another body. Use a new key.")


class DocumentsMoved(AllotError):
    """The network or the catalog is another than whoever asked believed; nothing was done, and they look again."""

    code = "documents_moved"

    def __init__(self) -> None:
        super().__init__("The network or the catalog has just been changed. Send the request again.")


class LeaseLost(AllotError):
    """Another process has taken the work up, or it is over: whoever gets this stops, and nothing of it was done."""

    code = "lease_lost"


class PlanNotVerified(AllotError):
    """A plan breaks a rule or does not cost what it says: a fault in this program; nothing of it was committed."""

    code = "plan_not_verified"


class RunFailed(AllotError):
    """A routing run of a simulation failed: a fault in this program, or a scenario that no run can work on."""

    code = "run_failed"


class BooksDisagree(AllotError):
    """A simulation counted other units than are in stock: a fault in this program; its results are not to be used."""

    code = "books_disagree"


class ExpectationMissed(AllotError):
    """The work was done, and something the caller stated about its result did not hold (exit code 3)."""

    code = "expectation_missed"


class Unavailable(AllotError):
    """A part we need does not answer in time; the call may be retried with the same key."""

    code = "unavailable"


class StoreReplyError(AllotError):
    """The store answered a command with an error: a fault in this program or in the store's set-up."""

    code = "store_error"


class IncompatibleStore(AllotError):
    """The store is too old, or holds what another version of allot must not work beside."""

    code = "incompatible_store"
