"""`allot serve` as a person starts it: a real process, a real port, its own store."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import httpx2
import pytest

from api.cli import main as cli
from api.cli.serve import auth_of


def serve(*arguments, cwd):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ALLOT_")}
    return subprocess.Popen(
        [sys.executable, "-m", "api.cli.main", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=environment,
    )


@pytest.mark.parametrize(("how", "options"), [(signal.SIGTERM, ["--demo"]), (signal.SIGINT, [])])
def test_serve_says_when_it_is_ready_serves_and_stops_clean(tmp_path, how, options):
    with serve("--data", str(tmp_path / "data"), *options, cwd=os.getcwd()) as process:
        try:
            line = process.stdout.readline()
            assert line.startswith("allot is ready on http://127.0.0.1:")
            address = line.split()[4]
            assert httpx2.get(f"{address}/v1/health/ready").json() == {"status": "ready", "durability": "standard"}
            if options:
                assert len(httpx2.get(f"{address}/v1/network").json()["nodes"]) == 60
                sku = httpx2.get(f"{address}/v1/catalog?limit=1").json()["products"][0]["sku"]
                assert httpx2.get(f"{address}/v1/inventory/{sku}").json()["positions"]
            assert httpx2.get(f"{address}/v1/nothing").json()["code"] == "route_not_found"
            process.send_signal(how)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.com"])
def test_serve_refuses_other_machines_while_auth_is_off(host, capsys, monkeypatch):
    monkeypatch.setenv("ALLOT_AUTH", "off")
    assert cli.main(["serve", "--host", host, "--port", "0"]) == 2
    shown = capsys.readouterr().err
    assert "--host" in shown
    assert "auth is off" in shown


def test_keys_are_asked_for_unless_only_this_machine_can_call():
    assert [auth_of(host, None) for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "example.com")] == [
        "off", "off", "off", "keys", "keys",
    ]  # fmt: skip
    assert auth_of("127.0.0.1", "keys") == "keys"


def test_serve_says_that_a_port_is_taken(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.main(["serve", "--port", str(port)]) == 2
    assert f"127.0.0.1:{port} is taken by another program" in capsys.readouterr().err


def test_bad_settings_are_named_by_their_variable(capsys, monkeypatch):
    monkeypatch.setenv("ALLOT_TENANT", "No Good")
    monkeypatch.setenv("ALLOT_REDIS_URL", "http://127.0.0.1")
    assert cli.main(["serve", "--port", "0"]) == 2
    assert "ALLOT_TENANT" in capsys.readouterr().err
    monkeypatch.delenv("ALLOT_TENANT")
    assert cli.main(["serve", "--port", "0"]) == 2
    assert "ALLOT_REDIS_URL" in capsys.readouterr().err


def test_serve_names_what_is_wrong_with_lead_times_before_it_starts(tmp_path, capsys):
    path = tmp_path / "learned.json"
    for content, words in ((None, "No such file"), ('{"version": 2}', "learned.json:$.version"), ("", "learned.json")):
        if content is not None:
            path.write_text(content)
        assert cli.main(["serve", "--lead-times", str(path), "--port", "0"]) == 2
        assert words in capsys.readouterr().err
