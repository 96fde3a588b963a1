"""The examples, and those of the client's page, work as a newcomer runs them: against `allot serve --demo`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PAGE = ROOT / "docs" / "reference" / "python-client.md"


@pytest.mark.parametrize("command", [[sys.executable, "checkout.py"], ["bash", "checkout.sh"]], ids=["python", "curl"])
def test_a_checkout_ends_with_an_order_that_is_promised(command: list[str], address: str, tmp_path: Path) -> None:
    """Catches a field, path or option that is misspelt in either."""
    if "bash" in command and shutil.which("curl") is None:
        pytest.skip("this example needs curl")
    python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [command[0], str(EXAMPLES / command[1]), address],
        cwd=tmp_path,
        env={**os.environ, "PATH": python},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is promised for 20" in done.stdout
    assert not done.stderr


def test_what_the_page_of_the_client_shows_works(address: str) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    script = "\n".join(blocks).replace("http://127.0.0.1:8000", address)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
