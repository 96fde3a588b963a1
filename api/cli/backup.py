"""`allot backup`: all that a store holds as one file, taken while it is in use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from engine.storage.direct import DirectLink


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="Where to; in a folder the file is named for now.")],
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    no_archive: Annotated[bool, typer.Option("--no-archive", help="Without archived orders.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what came of it as JSON.")] = False,
) -> None:
    """Write all that the store holds to one file, as it was at one instant, while servers go on.

    Writes wait for a moment at the end; how long is told.
    """
    from engine.backup.archive import archive_path
    from engine.backup.taking import take

    path = _place(file)
    with opened(data, is_old=True) as link:
        taken = take(link, path, libraries(), None if no_archive else archive_folder(data))
    if as_json:
        found = {"file": str(path), "keys": taken.keys, "size_bytes": taken.size_bytes}
        found["archive_files"] = taken.archive_files
        typer.echo(json.dumps({**found, "paused_seconds": taken.paused_seconds, "wall_seconds": taken.seconds}))
        return
    typer.echo(
        f"{path}: {taken.keys:,} keys, {taken.size_bytes:,} bytes in {taken.seconds:.1f} s; "
        f"writes waited for {1000 * taken.paused_seconds:.0f} ms"
    )
    if taken.archive_files:
        typer.echo(f"{archive_path(path)}: {taken.archive_files:,} files of archived orders")


def archive_folder(data: Path | None) -> Path:
    """Return where the archives of all tenants are."""
    from engine.config import read_settings

    settings = read_settings(data)
    return settings.archive_dir or settings.data_dir / "archive"


def libraries() -> dict[str, int]:
    """Return the majors of the function libraries that work on the store."""
    from engine.stores import LIBRARIES

    return {library.name: library.major for library in LIBRARIES}


@contextmanager
def opened(data: Path | None, *, is_old: bool = False) -> Iterator[DirectLink]:
    """Connect to the store of the settings; starts the embedded server for as long, if it does not run.

    Raises InvalidInput for a folder without a store, where one that `is_old` is meant.
    """
    from engine.config import read_settings
    from engine.storage.address import Address, parse_address
    from engine.storage.datadir import holds_store
    from engine.storage.direct import DirectLink
    from engine.storage.embedded import ensure_server

    settings = read_settings(data)
    with ExitStack() as stack:
        if settings.redis_url is not None:
            address = parse_address(settings.redis_url)
        elif settings.durability == "replicated":
            message = "'replicated' needs ALLOT_REDIS_URL; set it, or use 'standard'."
            raise InvalidInput(Fault(path="ALLOT_DURABILITY", message=message))
        elif is_old and not holds_store(settings.data_dir):
            message = "holds no store; give the folder of `allot serve` with --data (that of --demo is .allot/demo)"
            raise InvalidInput(Fault(path=str(settings.data_dir), message=message))
        else:
            server = ensure_server(settings.data_dir, settings.durability)
            stack.callback(server.stop)
            address = Address(socket_path=str(server.socket_path))
        yield stack.enter_context(DirectLink(address))


def _place(file: Path) -> Path:
    from datetime import UTC, datetime

    if file.is_dir():
        file = file / f"allot-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.backup"
    if not file.parent.is_dir():
        raise InvalidInput(Fault(path=str(file), message="is in a folder that does not exist; make it first"))
    if file.exists():
        raise InvalidInput(Fault(path=str(file), message="exists; name another file"))
    return file
