"""The receiver of the how-to page takes what is sent, once each, and refuses what others send."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx2

from engine.bootstrap import Engine
from engine.inventory.model import PositionCount

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "receive-webhooks.md"


async def test_the_receiver_of_the_how_to_takes_events_once(engine: Engine, tmp_path: Path) -> None:
    assert engine.webhooks is not None
    assert engine.deliveries is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (program,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "receiver.py").write_text(program)
    webhook_id, _, secret = (await engine.webhooks.create(f"http://127.0.0.1:{port}/", (), 1, None)).value
    receiver = subprocess.Popen(  # noqa: ASYNC220 - it is waited for at the end only
        [sys.executable, str(tmp_path / "receiver.py"), str(port)],
        env={**os.environ, "WEBHOOK_SECRET": secret},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        for _ in range(200):
            if (await engine.webhooks.ping(webhook_id)).is_taken:
                break
            await asyncio.sleep(0.05)
        await engine.stock.put_positions([PositionCount(node_id="east", sku="mug", on_hand=3)])
        await engine.deliveries.step()
        await engine.deliveries.settle()
        async with httpx2.AsyncClient() as client:
            forged = await client.post(f"http://127.0.0.1:{port}/", json={"id": "evt_1"})
        assert forged.status_code == 401
    finally:
        receiver.kill()
        printed, _ = receiver.communicate()
    assert [line.split()[1] for line in printed.splitlines()] == ["webhook.ping", "inventory.changed"]
