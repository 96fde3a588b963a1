"""Python processes that work for a test until it kills them; `-m MODULE ARGUMENTS`, with their stdout in a file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Worker:
    """One process; what it has printed can be read at any time, also after its end."""

    def __init__(self, module: str, *arguments: object, printed: Path, settings: dict[str, str] | None = None) -> None:
        self.printed_path = printed
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ALLOT_")}
        paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        with printed.open("wb") as stdout:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-m", module, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.STDOUT,
                env={**kept, **(settings or {}), "PYTHONPATH": paths},
                cwd=ROOT,
            )

    @property
    def lines(self) -> list[str]:
        """Return the whole lines it has printed so far."""
        return self.printed_path.read_text().rpartition("\n")[0].splitlines()

    def has_printed(self) -> bool:
        return self.printed_path.stat().st_size > 0

    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        if self.is_running():
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def check(self) -> None:
        """Fail the test if the process ended by itself other than well."""
        code = self._process.poll()
        assert code in {None, 0, -signal.SIGKILL}, self.printed_path.read_text()[-2000:]
