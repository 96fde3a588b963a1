"""Every command that the documentation shows works, page by page, in the order in which a reader types them.

The fenced `sh` blocks of a page are one session in an empty folder that looks like a checkout. `allot serve` becomes a
process of its own on a free port, since a reader gives it a terminal of its own. What CI runs anyway (`make …`) is left
out. A reply of 4xx or 5xx fails the page. The seeded bugs: a misspelt option, field or path in any block.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN_ADDRESS = "http://127.0.0.1:8000"
LEFT_OUT = re.compile(r"\s*(make|git|cd)\s")
SESSION_SECONDS = 240
STRICT_CURL = 'curl() { command curl --fail-with-body --max-time 60 "$@"; }'

SHOWN = {
    "README.md": ["optimal", "The result agrees with its problem"],
    "docs/quickstart.md": [
        '"state":"held"',
        '"state":"confirmed"',
        '"state":"sourced"',
        '"state":"backordered"',
        '"reason":"insufficient_stock"',
        "The result agrees with its problem",
    ],
    "docs/how-to/order-life.md": ["2 delivered, 1 returned", "captured 39.75, refunded 19.95", "the books agree"],
}
"""What a page says that its reader will see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What one page tells to type: servers to start first, and the rest as a script."""

    servers: tuple[str, ...]
    script: str


def session_of(text: str) -> Session:
    """Return the session of a page."""
    servers, script = [], []
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("allot serve"):
                servers.append(line.partition("#")[0])
            elif not LEFT_OUT.match(line):
                script.append(line)
    return Session(servers=tuple(servers), script="\n".join(script))


SESSIONS = {str(page.relative_to(ROOT)): session_of(page.read_text(encoding="utf-8")) for page in PAGES}


def environment() -> dict[str, str]:
    """Return the environment of somebody who has set nothing, and for whom `allot` is on the PATH."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALLOT_")}
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@contextmanager
def serving(command: str, folder: Path) -> Iterator[str]:
    """Run an `allot serve …` line on a free port, and yield its address."""
    arguments = [sys.executable, "-m", "api.cli.main", *shlex.split(command)[1:], "--port", "0"]
    with subprocess.Popen(arguments, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            ready = server.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", ready)
            assert found, f"{command}: {ready!r}"
            yield found[0]
        finally:
            server.terminate()
            server.communicate(timeout=60)


def needs(word: str, session: Session) -> bool:
    return word in session.script


@pytest.mark.parametrize("page", [page for page, session in SESSIONS.items() if session.script.strip()])
def test_the_commands_of_a_page_work_as_they_are_written(page: str, tmp_path: Path) -> None:
    session = SESSIONS[page]
    if needs("curl", session) and shutil.which("curl") is None:
        pytest.skip("this page needs curl")
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    script = session.script
    with ExitStack() as stack:
        for command in session.servers:
            script = script.replace(SHOWN_ADDRESS, stack.enter_context(serving(command, tmp_path)))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{STRICT_CURL}\n{script}"],
            cwd=tmp_path,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SESSION_SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-4000:]
    for words in SHOWN.get(page, []):
        assert words in done.stdout, words


def test_the_pages_that_show_commands_are_found() -> None:
    shown = {page for page, session in SESSIONS.items() if session.script.strip()}
    assert {"README.md", "docs/quickstart.md", "docs/reference/http.md", "docs/reference/cli.md"} <= shown
    assert SESSIONS["docs/quickstart.md"].servers == ("allot serve --demo",)
