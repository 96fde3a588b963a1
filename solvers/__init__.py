"""Pure mathematics of order routing: arrays in, plans and proven bounds out.

No Redis, no HTTP, no clock, no files: those live in `engine` and `api`. The one exception is below: where the compiled
kernels are cached.
"""

import hashlib
import os

_CONSTANTS = ("plan.py", "problem.py")


def _cache_kernels_by_source() -> None:
    """Keep compiled kernels in a folder named after the sources of the kernels, and of the constants they fold in.

    numba renews a cached kernel when its own file changes, not when a kernel it calls does; this way any change does.
    Where the folder cannot be made, or NUMBA_CACHE_DIR is set, numba decides.
    """
    home = os.path.dirname(__file__)
    digest = hashlib.sha256()
    for name in sorted(os.listdir(home)):
        if name.endswith(".py"):
            with open(os.path.join(home, name), "rb") as file:
                source = file.read()
            if b"@njit" in source or b"@inner" in source or name in _CONSTANTS:
                digest.update(name.encode() + b"\0" + source)
    folder = os.path.join(home, "__pycache__", f"kernels-{digest.hexdigest()[:16]}")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        os.environ.setdefault("NUMBA_CACHE_DIR", folder)


_cache_kernels_by_source()
