"""A local server that speaks as much of Stripe's API as is used: payment intents, captures, refunds, keys.

Payment methods: pm_card_visa, pm_card_many (several captures), pm_card_declined, pm_card_expired (expires at once).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Reply = tuple[int, dict[str, Any]]


@dataclass(slots=True)
class StripeAccount:
    """What the server knows; `fails` makes it answer 500 to so many requests after it has done them.

    `fails_after` does so to captures.
    """

    url: str = ""
    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    answered: dict[str, tuple[str, Reply]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    fails: int = 0
    fails_after: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, form: dict[str, str], key: str | None) -> Reply:
        with self.lock:
            self.requests.append(f"{method} {path}")
            said = json.dumps([method, path, form], sort_keys=True)
            if key is not None and key in self.answered:
                before, reply = self.answered[key]
                if before != said:
                    return error(
                        400, "idempotency_error", "Keys for idempotent requests can only be used with the same"
                    )
                return reply
            reply = self.route(method, path, form)
            if key is not None and reply[0] < 500:
                self.answered[key] = (said, reply)
            if self.fails_after and path.endswith("/capture"):
                self.fails_after -= 1
                return error(500, "api_error", "something went wrong")
            if self.fails:
                self.fails -= 1
                return error(500, "api_error", "something went wrong")
            return reply

    def route(self, method: str, path: str, form: dict[str, str]) -> Reply:
        parts = path.strip("/").split("/")[1:]
        if parts == ["refunds"]:
            return self.refund(form)
        if parts == ["payment_intents"]:
            if method == "GET":
                return 200, {"object": "list", "data": list(self.intents.values()), "has_more": False, "url": path}
            return self.create(form)
        intent = self.intents.get(parts[1])
        if intent is None:
            return error(404, "invalid_request_error", "No such payment_intent", "resource_missing")
        act = parts[2] if len(parts) > 2 else ""
        if act and intent["status"] != "requires_capture":
            return error(400, "invalid_request_error", "status", "payment_intent_unexpected_state")
        if act == "capture":
            return self.capture(intent, form)
        if act == "cancel":
            intent.update(status="canceled", amount_capturable=0)
        return 200, intent

    def create(self, form: dict[str, str]) -> Reply:
        method = form["payment_method"]
        if method == "pm_card_declined":
            return error(402, "card_error", "Your card was declined.", "card_declined", "insufficient_funds")
        if not method.startswith("pm_card"):
            return error(400, "invalid_request_error", "No such PaymentMethod", "resource_missing")
        intent_id, now = f"pi_{len(self.intents) + 1}", int(time.time())
        card = {
            "capture_before": now + (0 if method == "pm_card_expired" else 7 * 86_400),
            "multicapture": {"status": "available" if method == "pm_card_many" else "unavailable"},
        }
        charge = {"id": f"ch_{intent_id}", "object": "charge", "amount_refunded": 0}
        charge["payment_method_details"] = {"type": "card", "card": card}
        self.intents[intent_id] = {
            "id": intent_id,
            "object": "payment_intent",
            "amount": int(form["amount"]),
            "amount_capturable": int(form["amount"]),
            "amount_received": 0,
            "currency": form["currency"],
            "created": now,
            "customer": form.get("customer"),
            "status": "requires_capture",
            "metadata": {name[9:-1]: value for name, value in form.items() if name.startswith("metadata[")},
            "latest_charge": charge,
        }
        return 200, self.intents[intent_id]

    def capture(self, intent: dict[str, Any], form: dict[str, str]) -> Reply:
        amount, card = int(form["amount_to_capture"]), intent["latest_charge"]["payment_method_details"]["card"]
        if card["capture_before"] <= time.time():
            return error(400, "invalid_request_error", "expired", "charge_expired_for_capture")
        if "final_capture" in form and card["multicapture"]["status"] != "available":
            return error(400, "invalid_request_error", "multicapture is not available")
        if form.get("final_capture") == "false":
            if intent.get("captures", 0) == 50:
                return error(400, "invalid_request_error", "at most 50 captures that are not the last")
            intent["captures"] = intent.get("captures", 0) + 1
        if amount > intent["amount_capturable"]:
            return error(400, "invalid_request_error", "too much", "amount_too_large")
        intent["amount_received"] += amount
        intent["amount_capturable"] -= amount
        if form.get("final_capture") != "false":  # without a last capture it stays open, though nothing is left
            intent.update(amount_capturable=0, status="succeeded")
        return 200, intent

    def refund(self, form: dict[str, str]) -> Reply:
        intent, amount = self.intents[form["payment_intent"]], int(form["amount"])
        charge = intent["latest_charge"]
        if amount > intent["amount_received"] - charge["amount_refunded"]:
            return error(400, "invalid_request_error", "too much", "amount_too_large")
        charge["amount_refunded"] += amount
        return 200, {"id": f"re_{charge['amount_refunded']}", "object": "refund", "status": "succeeded"}


def error(status: int, kind: str, message: str, code: str | None = None, decline_code: str | None = None) -> Reply:
    return status, {"error": {"type": kind, "message": message, "code": code, "decline_code": decline_code}}


@contextmanager
def stripe_server() -> Iterator[StripeAccount]:
    """Serve an account of its own."""
    account = StripeAccount()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self.reply("POST", form)

        def do_GET(self) -> None:
            self.reply("GET", urlsplit(self.path).query)

        def reply(self, method: str, form: str) -> None:
            found = {name: values[-1] for name, values in parse_qs(form, keep_blank_values=True).items()}
            path = urlsplit(self.path).path
            status, document = account.answer(method, path, found, self.headers.get("Idempotency-Key"))
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    account.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield account
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
