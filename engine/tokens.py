"""Random names: of reservations, promises and the like, too many to be guessed or to meet.

The system is asked for the random bytes of many names at a time, which takes less than asking for each. Not here:
secrets that are kept for long, such as API keys, which ask for themselves.
"""

from __future__ import annotations

import os
from collections import deque

MOST_BYTES = 16
_PIECES = 256
_pieces = deque[bytes]()
"""Those that were not used yet; threads may share it, since taking one is a single step."""


def new_token(size: int) -> str:
    """Return a name of `size` random bytes, at most `MOST_BYTES`, in hexadecimal."""
    try:
        piece = _pieces.popleft()
    except IndexError:
        drawn = os.urandom(MOST_BYTES * (_PIECES + 1))
        _pieces.extend(drawn[at : at + MOST_BYTES] for at in range(MOST_BYTES, len(drawn), MOST_BYTES))
        piece = drawn[:MOST_BYTES]
    return piece[:size].hex()


os.register_at_fork(after_in_child=_pieces.clear)  # a child must not give the names that its parent gives
