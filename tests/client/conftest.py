"""A server of the demo as a newcomer starts it, and an unreliable wire to it.

`address`  once: a real `allot serve --demo` process with a store of its own
`wire`     per test: a proxy in front of it that loses answers, or answers 503, when it is told to
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from client.wire import Wire


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("demo")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ALLOT_")}
    command = [sys.executable, "-m", "api.cli.main", "serve", "--demo", "--port", "0", "--data", str(folder)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
            assert found
            yield found[0]
        finally:
            server.terminate()
            server.communicate(timeout=60)


@pytest.fixture
def wire(address: str) -> Iterator[Wire]:
    running = Wire(address)
    yield running
    running.close()
