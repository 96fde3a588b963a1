"""`allot restore`: a backup put back into a store that is empty, or is to be replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of `allot backup`.")],
    replace: Annotated[bool, typer.Option("--replace", help="Lose what the store holds now.")] = False,
    keys: Annotated[
        Path | None,
        typer.Option("--keys", metavar="FILE", help="Keys of customers, of a later backup.", show_default="FILE.keys"),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option("--archive", metavar="FILE", help="Archived orders.", show_default="FILE.archive"),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what came of it as JSON.")] = False,
) -> None:
    """Put a backup back into an empty store that no server uses; the file is checked before anything is written."""
    from api.cli.backup import archive_folder, libraries, opened
    from engine.backup.archive import archive_path
    from engine.backup.file import check, keys_path
    from engine.backup.restoring import ArchiveCopy, restore

    check(file)
    beside = keys_path(file)
    chosen = keys if keys is not None else beside if beside.exists() else None
    if chosen is not None:
        check(chosen)
    place = archive if archive is not None else archive_path(file)
    copy = ArchiveCopy(path=place, folder=archive_folder(data)) if archive is not None or place.exists() else None
    with opened(data) as link:
        restored = restore(link, file, libraries(), replace=replace, customer_keys=chosen, archive=copy)
    taken_at = restored.header.created_at
    if restored.lacks_archive:
        typer.echo(f"without archived orders: {place} is not there, and no --archive was named", err=True)
    if as_json:
        found = {"keys": restored.keys, "created_at": taken_at, "wall_seconds": restored.seconds}
        typer.echo(json.dumps(found | {"archive_files": restored.archive_files}))
        return
    if chosen is None:
        typer.echo(f"without keys of customers: {beside} is not there, and no --keys were named", err=True)
    typer.echo(f"{restored.keys:,} keys as of {taken_at} are back, in {restored.seconds:.1f} s")
