"""A local server that speaks as much of EasyPost's API as is used: shipments, buying, refunds, trackers.

Postal codes: `00000` is refused; what goes elsewhere has rates of USPS and UPS.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Reply = tuple[int, dict[str, Any]]
RATES = (("USPS", "Priority", "7.58"), ("USPS", "GroundAdvantage", "5.10"), ("UPS", "Ground", "11.25"))


@dataclass(slots=True)
class EasyPostAccount:
    """What the server knows; `fails` makes it answer 500 to so many requests, after it has done what they ask."""

    url: str = ""
    shipments: dict[str, dict[str, Any]] = field(default_factory=dict)
    bought: list[str] = field(default_factory=list)
    refunded: list[str] = field(default_factory=list)
    fails: int = 0
    key_is_good: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Reply:
        with self.lock:
            if not self.key_is_good:
                return error(401, "APIKEY.INACTIVE", "This api key is no longer active.")
            reply = self.route(method, path.removeprefix("/v2/").split("/"), query, body)
            if self.fails and method == "POST":
                self.fails -= 1
                return error(500, "INTERNAL_SERVER_ERROR", "We're sorry, something went wrong.")
            return reply

    def route(self, method: str, parts: list[str], query: dict[str, list[str]], body: dict[str, Any]) -> Reply:
        if parts == ["shipments"] and method == "POST":
            return self.create(body["shipment"])
        if parts == ["trackers"]:
            code = query["tracking_code"][0]
            found = [each for each in self.shipments.values() if each["tracking_code"] == code]
            told = [{"id": "trk_1", "tracking_code": code, "shipment_id": each["id"]} for each in found]
            return 200, {"trackers": told, "has_more": False}
        shipment = self.found(parts[1])
        if shipment is None:
            return error(404, "NOT_FOUND", "The requested resource could not be found.")
        if parts[2:] == ["buy"]:
            if shipment["postage_label"] is not None:
                return error(422, "SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.")
            rate = next(each for each in shipment["rates"] if each["id"] == body["rate"]["id"])
            number = f"94001{len(self.bought):015d}"
            shipment |= {"selected_rate": rate, "tracking_code": number}
            shipment["postage_label"] = {"label_url": f"https://labels.example/{number}.png"}
            self.bought.append(number)
        if parts[2:] == ["refund"]:
            shipment["refund_status"] = "submitted"
            self.refunded.append(shipment["tracking_code"])
        return 200, shipment

    def found(self, name: str) -> dict[str, Any] | None:
        known = self.shipments.values()
        return next((each for each in known if name in {each["id"], each["reference"]}), None)

    def create(self, asked: dict[str, Any]) -> Reply:
        if asked["to_address"].get("zip") == "00000":
            fields = [{"field": "to_address.zip", "message": "is no postal code"}]
            return error(422, "ADDRESS.VERIFY.FAILURE", "Unable to verify address.", fields)
        number = f"shp_{len(self.shipments)}"
        rates = [
            {"id": f"rate_{number}_{place}", "carrier": carrier, "service": service, "rate": price, "currency": "USD"}
            for place, (carrier, service, price) in enumerate(RATES)
        ]
        self.shipments[number] = {
            "id": number,
            "object": "Shipment",
            "reference": asked["reference"],
            "parcel": asked["parcel"],
            "to_address": asked["to_address"],
            "from_address": asked["from_address"],
            "rates": rates,
            "postage_label": None,
            "tracking_code": None,
            "selected_rate": None,
            "refund_status": None,
        }
        return 201, self.shipments[number]


def error(status: int, code: str, message: str, errors: list[dict[str, str]] | None = None) -> Reply:
    return status, {"error": {"code": code, "message": message, "errors": errors or []}}


@contextmanager
def easypost_server() -> Iterator[EasyPostAccount]:
    account = EasyPostAccount()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            at = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            status, reply = account.answer(self.command, at.path, parse_qs(at.query), body)
            written = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def do_GET(self) -> None:
            self.handle_any()

        def do_POST(self) -> None:
            self.handle_any()

        def log_message(self, *_: object) -> None:
            """Tell nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    account.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield account
    finally:
        server.shutdown()
        server.server_close()
