"""Function libraries: small Lua files joined into one library per capability, loaded when absent or older.

The library `inventory`, major 1, is called `allot_inventory_v1`, and its functions end in `_v1` too, so that two
majors can be loaded side by side during a rolling upgrade. Its second line is a header that says what is loaded:

    -- allot library=inventory major=1 revision=3 compatible_from=1 digest=<sha256 of the files>

Not here: the functions themselves (they live with their capability, in a folder `lua/`), and calling them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from engine.errors import IncompatibleStore
from engine.storage.client import StoreClient

_HEADER = re.compile(
    r"^-- allot library=(?P<name>\w+) major=(?P<major>\d+) revision=(?P<revision>\d+)"
    r" compatible_from=(?P<compatible_from>\d+) digest=(?P<digest>[0-9a-f]{64})$",
    re.MULTILINE,
)

REPLAY = files("engine.storage") / "lua" / "replay.lua"
"""The shared idempotency snippet; pass it first in `library(..., files=[REPLAY, ...])`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One function library as it is loaded: `code` starts with the shebang and the header."""

    name: str
    major: int
    revision: int
    compatible_from: int
    digest: str
    code: str

    @property
    def loaded_name(self) -> str:
        """Return the name under which the server knows it."""
        return f"allot_{self.name}_v{self.major}"


def library(
    name: str, major: int, files: Sequence[Traversable], *, revision: int = 1, compatible_from: int | None = None
) -> Library:
    """Join Lua `files`, in the order given, into one library.

    Raise `revision` when a change must win over an older build of the same major. `compatible_from` (default: `major`)
    is the oldest major whose callers may still work on data this one has written.
    """
    parts = [f"-- file: {file.name}\n{file.read_text(encoding='utf-8').rstrip()}\n" for file in files]
    body = "\n".join(parts)
    digest = sha256(body.encode()).hexdigest()
    oldest = major if compatible_from is None else compatible_from
    header = f"-- allot library={name} major={major} revision={revision} compatible_from={oldest} digest={digest}"
    return Library(
        name=name,
        major=major,
        revision=revision,
        compatible_from=oldest,
        digest=digest,
        code=f"#!lua name=allot_{name}_v{major}\n{header}\n\n{body}",
    )


async def ensure(client: StoreClient, libraries: Sequence[Library]) -> None:
    """Load each library unless the same or a newer build of it is there; the client reloads it if it is flushed.

    Raises IncompatibleStore, before anything is loaded, when the store is used by a newer major that our callers
    must not work beside, or when something that is not ours has our name.
    """
    await _load_what_is_needed(client, libraries)
    client.on_missing_function(lambda: _load_what_is_needed(client, libraries))


async def missing(client: StoreClient, libraries: Sequence[Library]) -> list[str]:
    """Return one sentence for each library that is not there in our build or a newer revision of our major.

    Raises Unavailable, and IncompatibleStore as `ensure` does.
    """
    return [sentence for wanted in libraries if (sentence := await _lack(client, wanted)) is not None]


async def _lack(client: StoreClient, wanted: Library) -> str | None:
    for major, _, revision, digest in await _loaded(client, wanted):
        if major == wanted.major:
            if digest == wanted.digest or revision > wanted.revision:
                return None
            return (
                f"The store holds another build (revision {revision}, {digest[:8]}) of the function library "
                f"{wanted.loaded_name} than this process (revision {wanted.revision}, {wanted.digest[:8]}); "
                "restart this process, which loads its own."
            )
    return f"The store lacks the function library {wanted.loaded_name}; the next call loads it again."


async def _load_what_is_needed(client: StoreClient, libraries: Sequence[Library]) -> None:
    to_load = [wanted for wanted in libraries if await _is_needed(client, wanted)]
    for wanted in to_load:
        await client.call("FUNCTION", "LOAD", "REPLACE", wanted.code)


async def _is_needed(client: StoreClient, wanted: Library) -> bool:
    """Say whether `wanted` has to be loaded; raises IncompatibleStore."""
    loaded = await _loaded(client, wanted)
    for major, compatible_from, _, _ in loaded:
        if major > wanted.major and compatible_from > wanted.major:
            raise IncompatibleStore(
                f"The store holds function library {wanted.name} v{major}, which this allot "
                f"(v{wanted.major}) cannot work beside. Upgrade this process."
            )
    for major, _, revision, digest in loaded:
        if major == wanted.major:
            return digest != wanted.digest and revision <= wanted.revision
    return True


async def _loaded(client: StoreClient, wanted: Library) -> list[tuple[int, int, int, str]]:
    """Return what every loaded major of a library says of itself; raises IncompatibleStore."""
    pattern = f"allot_{wanted.name}_v*"
    return [_parse(entry) for entry in await client.call("FUNCTION", "LIST", "LIBRARYNAME", pattern, "WITHCODE")]


def _parse(entry: Sequence[object]) -> tuple[int, int, int, str]:
    """Return (major, compatible_from, revision, digest) of a FUNCTION LIST entry; raises IncompatibleStore."""
    fields = {_text(entry[i]): entry[i + 1] for i in range(0, len(entry), 2)}
    header = _HEADER.search(_text(fields["library_code"]))
    if header is None:
        raise IncompatibleStore(
            f"The store holds a function library {_text(fields['library_name'])!r} that allot did not write. "
            "Use another Redis database server, or remove it with FUNCTION DELETE."
        )
    return int(header["major"]), int(header["compatible_from"]), int(header["revision"]), header["digest"]


def _text(value: object) -> str:
    """Return a reply string as text."""
    return value.decode() if isinstance(value, bytes) else str(value)
