"""Several server processes on one port: one answers for all, one that is killed is replaced, and all stop well."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import httpx2
from operation.serving import ASK, serving

from api.siblings import merged


def process_ids(address: str, count: int) -> dict[str, float]:
    """Return when the process of each worker began, as soon as so many answer together."""
    end = time.monotonic() + 30
    found: dict[str, float] = {}
    while len(found) < count and time.monotonic() < end:
        found = process_ids_now(address)
    assert len(found) >= count
    return found


def process_ids_now(address: str) -> dict[str, float]:
    """Return the same of those that answer now; none if the one that was asked ended meanwhile."""
    try:
        shown = httpx2.get(f"{address}/metrics", timeout=10).text
    except httpx2.TransportError:
        return {}
    assert shown.count("# TYPE allot_holds_total counter") == 1
    rows = re.findall(r'^process_start_time_seconds\{worker="(\d+)"\} (\S+)', shown, re.MULTILINE)
    return {number: float(began) for number, began in rows}


def children(parent: int) -> list[int]:
    found = [int(each) for each in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return [each for each in found if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


def test_processes_that_end_are_replaced_and_nobody_waits_for_them(tmp_path) -> None:
    """Catches a parent that lets the port go with a process, and one that replaces nobody.

    And one that leaves the own store to them: it then ends with the last of them, and has nothing here when it is back.
    """
    with serving("--processes", "2", "--data", str(tmp_path), durability="memory") as server:
        server.fill()
        before = process_ids(server.address, 2)
        os.kill(children(server.process.pid)[1], signal.SIGKILL)
        answered = 0
        end = time.monotonic() + 30
        while True:
            try:
                httpx2.post(f"{server.address}/v1/availability", json=ASK, timeout=10).raise_for_status()
                answered += 1
            except httpx2.TransportError:  # it had the request, and was killed
                continue
            now = process_ids(server.address, 1)
            if len(now) == 2 and now != before:
                break
            assert time.monotonic() < end
        assert answered
        assert now.keys() == before.keys()
        for each in children(server.process.pid):
            os.kill(each, signal.SIGTERM)
        end = time.monotonic() + 60
        while set((later := process_ids_now(server.address)).values()) & set(now.values()) or len(later) < 2:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert httpx2.post(f"{server.address}/v1/availability", json=ASK, timeout=10).status_code == 200
        server.tell(signal.SIGTERM)
        code, err = server.end()
    assert code == 0, err
    assert "is replaced" in err
    assert not (tmp_path / "store.pid").exists()


def test_what_processes_count_is_told_together() -> None:
    texts = [
        b'# HELP a_total About a.\n# TYPE a_total counter\na_total{worker="%d"} %d.0\n'
        b'# HELP b About b.\n# TYPE b gauge\nb{worker="%d"} 1.0\n' % (number, number, number)
        for number in range(2)
    ]
    assert merged(texts).decode().splitlines() == [
        "# HELP a_total About a.",
        "# TYPE a_total counter",
        'a_total{worker="0"} 0.0',
        'a_total{worker="1"} 1.0',
        "# HELP b About b.",
        "# TYPE b gauge",
        'b{worker="0"} 1.0',
        'b{worker="1"} 1.0',
    ]
