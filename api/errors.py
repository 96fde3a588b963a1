"""Errors on the wire: one table from class to status, and RFC 9457 problem documents.

Not here: how an error comes about. Nothing that leaves through this file holds a stack trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from api.reply import Header, Reply, raw_headers
from api.schemas.problems import Problem, ProblemError, ProblemLine
from engine import errors
from engine.access.scopes import name
from engine.errors import AllotError, Fault, InsufficientStock, InvalidInput, StoredRefusal
from engine.promising.model import Promise

PROBLEM_JSON = "application/problem+json"
_PROBLEM: Header = (b"content-type", PROBLEM_JSON.encode())
MOST_PLACES = 100
_INVALID = ', error="invalid_token"'


class MissingIdempotencyKey(AllotError):
    """A POST that changes something came without a usable `Idempotency-Key` header."""

    code = "idempotency_key_missing"


class HostNotAllowed(AllotError):
    """The request is addressed to another host than this service is known by."""

    code = "host_not_allowed"


class RouteNotFound(AllotError):
    """No endpoint has this path."""

    code = "route_not_found"


class MethodNotAllowed(AllotError):
    """The path exists, with other methods."""

    code = "method_not_allowed"


class BodyTooLarge(AllotError):
    """The body is longer than the endpoint takes."""

    code = "body_too_large"


class UnsupportedMediaType(AllotError):
    """The body is declared as something else than JSON, or than what the endpoint takes."""

    code = "unsupported_media_type"


class Unauthenticated(AllotError):
    """The request brings no key or token, or one that is good for nothing; `is_bad` says which."""

    code = "unauthenticated"

    def __init__(self, message: str, *, is_bad: bool = False) -> None:
        super().__init__(message)
        self.headers = {"WWW-Authenticate": f'Bearer realm="allot"{_INVALID if is_bad else ""}'}


class MissingScope(AllotError):
    """The key or token is good, and not for this endpoint."""

    code = "missing_scope"

    def __init__(self, needed: int) -> None:
        scope = name(needed)
        super().__init__(f"This needs the scope {scope}, which your key does not have.")
        self.headers = {"WWW-Authenticate": f'Bearer realm="allot", error="insufficient_scope", scope="{scope}"'}


class TooManyRequests(AllotError):
    """The caller has sent as many requests as their key may."""

    code = "too_many_requests"

    def __init__(self, per_second: int, wait_seconds: int) -> None:
        super().__init__(f"Your key may send {per_second:,} requests a second. Try again in {wait_seconds} s.")
        self.headers = {"Retry-After": str(wait_seconds)}


class NotReady(AllotError):
    """The store answers, and does not keep what the durability mode promises."""

    code = "not_ready"


class Overloaded(AllotError):
    """More requests are being served than is good for them; lanes are refused in the order of `Lane`."""

    code = "overloaded"


class DeadlineExceeded(AllotError):
    """The request was not done within its time limit; a change may have happened, or may yet."""

    code = "deadline_exceeded"


class BodyTooSlow(AllotError):
    """The body had not arrived within the time limit of the request."""

    code = "body_too_slow"


class InternalError(AllotError):
    """Something broke that is no fault of the caller; the log has the details under the request id."""

    code = "internal_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How a class of errors is answered; `shown` replaces a text that is for the log only."""

    status: int
    title: str
    retryable: bool = False
    shown: str | None = None


KINDS: dict[type[AllotError], Kind] = {
    errors.InvalidInput: Kind(status=400, title="The input is not valid"),
    MissingIdempotencyKey: Kind(status=400, title="An Idempotency-Key header is needed"),
    HostNotAllowed: Kind(status=400, title="The request is addressed to another host"),
    Unauthenticated: Kind(status=401, title="A key is needed"),
    MissingScope: Kind(status=403, title="The key is not for this"),
    errors.NotFound: Kind(status=404, title="There is no such thing"),
    errors.ExplanationNotKept: Kind(status=404, title="The explanation is not kept"),
    RouteNotFound: Kind(status=404, title="There is no such endpoint"),
    MethodNotAllowed: Kind(status=405, title="The endpoint does not take this method"),
    BodyTooSlow: Kind(status=408, title="The body did not arrive in time", retryable=True),
    errors.InsufficientStock: Kind(status=409, title="Not enough stock"),
    errors.VersionConflict: Kind(status=409, title="The position moved since it was read"),
    errors.OnHandOutOfRange: Kind(status=409, title="Stock would leave what is possible"),
    errors.SupplyUnavailable: Kind(status=409, title="The supply cannot cover it"),
    errors.TooManySupplies: Kind(status=409, title="Too many supplies of one position"),
    errors.WrongCondition: Kind(status=409, title="The units are not in that condition"),
    errors.IllegalState: Kind(status=409, title="It is past that step"),
    errors.PromiseExpired: Kind(status=409, title="The promise is no longer valid"),
    errors.PromiseStale: Kind(status=409, title="The promise cannot be kept any more"),
    errors.NotRouted: Kind(status=409, title="No routing run has decided on it yet"),
    errors.SlotFull: Kind(status=409, title="The slot is full"),
    errors.SlotClosed: Kind(status=409, title="The slot cannot be booked now"),
    errors.Refused: Kind(status=409, title="The business says no"),
    errors.CursorExpired: Kind(status=410, title="Events after the cursor are no longer kept"),
    BodyTooLarge: Kind(status=413, title="The body is too large"),
    UnsupportedMediaType: Kind(status=415, title="The body is not of a kind that is taken"),
    errors.IdempotencyConflict: Kind(status=422, title="The idempotency key was used with another body"),
    errors.TooManyHolds: Kind(status=429, title="Too many open holds", retryable=True),
    TooManyRequests: Kind(status=429, title="Too many requests", retryable=True),
    NotReady: Kind(status=503, title="The service is not ready", retryable=True),
    Overloaded: Kind(status=503, title="There is too much to do now", retryable=True),
    DeadlineExceeded: Kind(status=503, title="The time limit is over", retryable=True),
    errors.Unavailable: Kind(
        status=503,
        title="A part of the service does not answer",
        retryable=True,
        shown="The store does not answer now. Send the same request again, with the same Idempotency-Key.",
    ),
    InternalError: Kind(status=500, title="The service failed"),
    AllotError: Kind(status=500, title="The service failed", shown="The service failed; the log says why."),
}


class Located(AllotError):
    """An error together with the places in the request that it is about."""

    def __init__(self, error: AllotError, faults: Sequence[Fault]) -> None:
        super().__init__(str(error))
        self.error = error
        self.replayed = error.replayed
        self.faults = list(faults)


def kind_of(error: AllotError | type[AllotError]) -> Kind:
    """Return how an error is answered: the entry of its own class, or of the nearest one above it."""
    if isinstance(error, Located):
        error = error.error
    family = (error if isinstance(error, type) else type(error)).__mro__
    return next(KINDS[ancestor] for ancestor in family if ancestor in KINDS)


def problem(error: AllotError, request_id: str, promise: Promise | None = None) -> Problem:
    """Return the problem document of an error, with a promise to choose from instead of what was refused."""
    kind = kind_of(error)
    places: list[Fault] = getattr(error, "faults", [])
    if isinstance(error, Located):
        error = error.error
    lines = None
    if isinstance(error, InsufficientStock):
        lines = [
            ProblemLine(sku=line.sku, node_id=line.node_id, quantity=line.quantity, available=line.available)
            for line in error.lines
        ]
    detail = kind.shown or str(error)
    if isinstance(error, InvalidInput) and len(error.faults) > 1:
        detail = f"{len(error.faults)} things are wrong; nothing was changed."
    return Problem(
        type=f"/docs#{error.code}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        code=error.code,
        request_id=request_id,
        retryable=kind.retryable,
        errors=[ProblemError(path=fault.path, message=fault.message) for fault in places[:MOST_PLACES]],
        lines=lines if lines is not None else msgspec.UNSET,
        promise=promise if promise is not None else msgspec.UNSET,
    )


def problem_reply(error: AllotError, request_id: str, headers: Mapping[str, str] | None = None) -> Reply:
    """Return how an error is answered; a stored refusal comes back as it was, byte for byte."""
    if isinstance(error, StoredRefusal):
        return Reply(error.status, (_PROBLEM, *raw_headers((headers or {}).items())), error.body)
    document = problem(error, request_id)
    named = {**({"Retry-After": "1"} if document.retryable else {}), **(headers or {})}
    return Reply(document.status, (_PROBLEM, *raw_headers(named.items())), msgspec.json.encode(document))
