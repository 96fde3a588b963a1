"""Log lines: JSON for machines, with the request they are about, and nothing that must not be read."""

from __future__ import annotations

import io
import json
import logging

import pytest

from api.errors import InternalError
from api.logs import AccessLog, set_up_logs
from api.traffic import Lane, Traffic
from engine.events.actor import acting_as


@pytest.fixture
def log_stream():
    root = logging.getLogger()
    before, level, stream = list(root.handlers), root.level, io.StringIO()
    yield stream
    root.handlers[:], root.level = before, level


def test_a_line_is_json_and_names_its_request(log_stream) -> None:
    set_up_logs("info", "auto", log_stream)
    with acting_as("req_1"):
        logging.getLogger("allot.api").warning("request %s is slow", 7, extra={"route": "/v1/orders"})
    logging.getLogger("allot.api").debug("not this one")
    (line,) = [each for each in log_stream.getvalue().splitlines() if "allot.api" in each]  # others may log too
    said = json.loads(line)
    expected = {"level": "warning", "logger": "allot.api", "event": "request 7 is slow", "request_id": "req_1"}
    assert expected.items() <= said.items()
    assert said["route"] == "/v1/orders"
    assert said["timestamp"].endswith("Z")


@pytest.mark.parametrize("form", ["json", "text"])
def test_keys_tokens_and_passwords_are_cut_out_of_lines_and_tracebacks(form, log_stream) -> None:
    set_up_logs("info", form, log_stream)
    secrets = ["allot_abcdefghij12_VERYSECRET", "Bearer eyVERYSECRET", "redis://me:VERYSECRET@host", "whsec_VERYSECRET"]
    secrets += ["redis://me:12/VERYSECRET@host", "redis://me:1,VERYSECRET@host", "redis://me:VERYSECRET"]
    for secret in secrets:
        try:
            raise ValueError(secret)
        except ValueError:
            logging.getLogger("allot.api").exception("cannot use %s", secret)
    shown = log_stream.getvalue()
    assert shown.count("ValueError") >= len(secrets)
    assert "VERYSECRET" not in shown


def test_where_a_store_or_a_receiver_is_stays_readable(log_stream) -> None:
    """Seeded bug that it catches: a port and the path behind it are cut out like a password."""
    set_up_logs("info", "json", log_stream)
    said = "no store at redis://10.0.0.7:6379: refused; asked by https://shop.example:8443/hook"
    logging.getLogger("allot.api").warning("%s, redis://me:12345@10.0.0.7:6379", said)
    (line,) = [each for each in log_stream.getvalue().splitlines() if "allot.api" in each]
    assert json.loads(line)["event"] == f"{said}, redis://me:…@10.0.0.7:6379"


def test_the_access_log_has_the_share_that_was_asked_for_and_every_failure() -> None:
    traffic, stream = Traffic(), io.StringIO()
    way = traffic.way("POST", "/v1/promises", Lane.PROMISES)
    log = AccessLog(1e-9, "auto", stream)
    traffic.note = log.note
    for status in (200, 404, 500):
        flight = traffic.take_off(way, ({"type": "http", "allot.request_id": "req_9"}, None, None))  # type: ignore
        flight.code = InternalError.code if status == 500 else None
        traffic.land(flight, status)
    assert stream.getvalue() == ""
    log.flush()
    said = json.loads(stream.getvalue())
    expected = {"route": "/v1/promises", "status": 500, "code": "internal_error", "request_id": "req_9"}
    assert expected.items() <= said.items()
