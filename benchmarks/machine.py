"""Names the machine a figure was measured on."""

from __future__ import annotations

import os
import platform
import sysconfig
from pathlib import Path


def machine() -> str:
    """Return processor, cores and Python in one line; a Python built without optimisation takes half as long again."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = names[0] if names else cpu
    is_plain = "--enable-optimizations" not in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    python = f"Python {platform.python_version()}{' built without optimisation' if is_plain else ''}"
    return f"{cpu}, {os.cpu_count()} cores, {python}"
