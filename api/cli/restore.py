"""`allot restore`: a backup put back into a store that is empty, or is to be replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of `allot backup`.")],
    replace: Annotated[bool, typer.Option("--replace", help="Lose what the store holds now.")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what came of it as JSON.")] = False,
) -> None:
    """Put a backup back into an empty store that no server uses; the file is checked before anything is written."""
    from api.cli.backup import libraries, opened
    from engine.backup.file import check
    from engine.backup.restoring import restore

    check(file)
    with opened(data) as link:
        restored = restore(link, file, libraries(), replace=replace)
    taken_at = restored.header.created_at
    if as_json:
        typer.echo(json.dumps({"keys": restored.keys, "created_at": taken_at, "wall_seconds": restored.seconds}))
        return
    typer.echo(f"{restored.keys:,} keys as of {taken_at} are back, in {restored.seconds:.1f} s")
