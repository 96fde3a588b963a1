"""Every refusal is one form of problem document, whoever refuses; nothing of our inside leaves."""

from __future__ import annotations

from dataclasses import replace

import httpx2
import pytest

from api.app import create_app
from api.cli.serve_one import LOOPBACK_NAMES
from api.routes.network import EXAMPLE as NETWORK

JSON = {"Content-Type": "application/json"}


def is_problem(response, status, code):
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["title"]
    assert problem["detail"]
    return problem


async def test_an_unknown_path_is_a_problem(http):
    is_problem(await http.get("/v1/nothing"), 404, "route_not_found")
    is_problem(await http.get("/v1/network/"), 404, "route_not_found")


async def test_a_wrong_method_names_the_right_ones(http):
    refused = await http.delete("/v1/network")
    is_problem(refused, 405, "method_not_allowed")
    assert set(refused.headers["allow"].split(", ")) >= {"GET", "PUT"}


async def test_a_body_that_is_too_large_is_refused_before_it_is_kept(http):
    async def endless():
        for _ in range(40):
            yield b" " * 2**20

    is_problem(await http.put("/v1/network", content=endless(), headers=JSON), 413, "body_too_large")
    declared = await http.put("/v1/network", content=b" " * (33 * 2**20), headers=JSON)
    is_problem(declared, 413, "body_too_large")


async def test_a_body_that_is_not_declared_as_json_is_refused(http):
    refused = await http.put("/v1/network", content=b"{}", headers={"Content-Type": "text/plain"})
    is_problem(refused, 415, "unsupported_media_type")
    is_problem(await http.put("/v1/network", content=b"{}"), 415, "unsupported_media_type")


async def test_every_answer_has_a_request_id_and_its_own(http):
    answers = [await http.get("/v1/health/live") for _ in range(3)]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3
    assert answers[0].json() == {"status": "live"}


@pytest.mark.parametrize("key", [None, "", "k" * 256, "schlüssel".encode()])
async def test_a_post_that_changes_something_needs_a_usable_key(http, key):
    headers = {"Idempotency-Key": key}
    refused = await http.post("/v1/orders", json={}, headers=headers)
    problem = is_problem(refused, 400, "idempotency_key_missing")
    assert "Idempotency-Key" in problem["detail"]


class BrokenNetwork:
    async def current(self):
        raise RuntimeError("secret: /etc/allot at line 7")


async def test_what_breaks_inside_stays_inside(app, caplog):
    broken = create_app(engine=replace(app.state.engine, network=BrokenNetwork()))
    transport = httpx2.ASGITransport(app=broken)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.get("/v1/network")
    problem = is_problem(answer, 500, "internal_error")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert problem["request_id"] in caplog.text
    assert "secret" in caplog.text


async def test_a_store_that_does_not_answer_is_503_and_worth_retrying(settings, store_address, tmp_path):
    from engine.storage.client import connect

    application = create_app(settings)
    async with application.router.lifespan_context(application):
        client = application.state.engine.client
        await client.close()
        dead = connect(str(tmp_path / "nobody.sock"), deadline_seconds=0.2)
        client._address = dead._address
        transport = httpx2.ASGITransport(app=application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            answer = await http.put("/v1/network", json=NETWORK)
            assert is_problem(answer, 503, "unavailable")["retryable"] is True
            assert "nobody.sock" not in answer.text
            assert answer.headers["retry-after"] == "1"
            is_problem(await http.get("/v1/health/ready"), 503, "unavailable")
            assert (await http.get("/v1/health/live")).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "[::1]", "LOCALHOST"])
async def test_a_service_for_this_machine_answers_to_its_names(app, host):
    assert (await addressed(app, host)).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", ":8000", "[::2]"])
async def test_a_service_for_this_machine_answers_to_no_other_name(app, host):
    is_problem(await addressed(app, host), 400, "host_not_allowed")


async def addressed(app, host):
    local = create_app(engine=app.state.engine, hosts=LOOPBACK_NAMES)
    transport = httpx2.ASGITransport(app=local)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.get("/v1/health/live", headers={"Host": host})


async def test_readiness_names_a_function_library_that_is_gone_until_it_is_loaded_again(app, http):
    await app.state.engine.client.call("FUNCTION", "DELETE", "allot_documents_v1")
    problem = is_problem(await http.get("/v1/health/ready"), 503, "not_ready")
    assert "allot_documents_v1" in problem["detail"]
    assert (await http.put("/v1/network", json=NETWORK)).status_code == 200
    assert (await http.get("/v1/health/ready")).status_code == 200


async def test_readiness_compares_the_store_with_the_durability_that_is_stated(http, settings):
    ready = await http.get("/v1/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "durability": "memory"})
    stricter = create_app(settings.model_copy(update={"durability": "standard"}))
    async with stricter.router.lifespan_context(stricter):
        transport = httpx2.ASGITransport(app=stricter)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as other:
            problem = is_problem(await other.get("/v1/health/ready"), 503, "not_ready")
            assert "appendonly" in problem["detail"]
