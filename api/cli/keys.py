"""`allot keys`: the API keys of those who may call, in the terminal.

allot keys create NAME --scope inventory:read --scope promises:read
allot keys create NAME --role agent
allot keys list
allot keys rotate KEY_ID
allot keys revoke KEY_ID

The secret of a key is shown once, when it is made or rotated.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from engine.access.roles import PREFIX
from engine.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from engine.access.model import ApiKey
    from engine.access.service import AccessService, NewSecret
    from engine.config import Settings

Done = TypeVar("Done")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Act(StrEnum):
    """What can be done with keys."""

    create = "create"
    list = "list"
    rotate = "rotate"
    revoke = "revoke"


_WANTED = {Act.create: "NAME", Act.list: "", Act.rotate: "KEY_ID", Act.revoke: "KEY_ID"}


def command(
    act: Annotated[Act, typer.Argument(metavar="create|list|rotate|revoke", help="What to do.")],
    which: Annotated[str, typer.Argument(metavar="[NAME|KEY_ID]", help="A name, or the key to change.")] = "",
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="What it may do, such as inventory:read, or *; repeat it.")
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option("--role", help="What its owner is: agent, warehouse, planner, admin; repeat it.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="Whose key it is.", show_default="ALLOT_TENANT or main; list: all")
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="How long it is good: 90d.", show_default="for ever")
    ] = None,
    requests_per_second: Annotated[
        int | None,
        typer.Option(
            "--requests-per-second",
            min=0,
            max=1_000_000,
            help="How many requests it may send; 0: any number.",
            show_default="ALLOT_REQUESTS_PER_SECOND",
        ),
    ] = None,
    most_open_holds: Annotated[
        int | None,
        typer.Option(
            "--most-open-holds", min=1, help="How much it may hold at once.", show_default="ALLOT_MOST_OPEN_HOLDS"
        ),
    ] = None,
    grace: Annotated[
        str, typer.Option("--grace", metavar="TIME", help="How long a rotated secret stays good; 0s: not at all.")
    ] = "1d",
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Make a key for a caller, list the keys there are, give one a new secret, or make one good for nothing.

    A server sees each change within 5 seconds.
    """
    if bool(which) != bool(_WANTED[act]):
        problem = f"{which!r} is too much" if which else f"{_WANTED[act]} is missing"
        raise InvalidInput(Fault(path=act, message=f"{problem}; write: allot keys {act} {_WANTED[act]}".rstrip()))
    lasts, stays = None if expires is None else _seconds("--expires", expires), _seconds("--grace", grace)
    settings = _settings(data, tenant)
    if act is Act.list:
        _list(asyncio.run(_ask(settings, lambda access: access.every(tenant))), as_json=as_json)
    elif act is Act.revoke:
        _revoked(asyncio.run(_ask(settings, lambda access: access.revoke(which))), as_json=as_json)
    elif act is Act.rotate:
        _made(asyncio.run(_ask(settings, lambda access: access.rotate(which, stays))), as_json=as_json)
    else:
        chosen = [*(scope or []), *(PREFIX + name for name in role or [])]
        make = _ask(
            settings,
            lambda access: access.create(
                name=which,
                tenant=settings.tenant,
                scopes=chosen,
                lasts_seconds=lasts,
                requests_per_second=requests_per_second,
                most_open_holds=most_open_holds,
            ),
        )
        _made(asyncio.run(make), as_json=as_json)


def _settings(data: Path | None, tenant: str | None) -> Settings:
    """Return the settings, for a tenant if one is named; raises InvalidInput if it cannot be one."""
    from engine.config import TENANT, read_settings

    if tenant is not None and not re.fullmatch(TENANT, tenant):
        message = f"{tenant!r}: give 1 to 32 of a–z, 0–9 and -, no - first"
        raise InvalidInput(Fault(path="--tenant", message=message))
    settings = read_settings(data)
    return settings if tenant is None else settings.model_copy(update={"tenant": tenant})


async def _ask(settings: Settings, ask: Callable[[AccessService], Awaitable[Done]]) -> Done:
    from engine.bootstrap import allot_access

    async with allot_access(settings) as access:
        return await ask(access)


def _seconds(option: str, text: str) -> float:
    """Return a time such as 90d, 12h, 30m or 0s in seconds; raises InvalidInput."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if found is None:
        raise InvalidInput(Fault(path=option, message=f"{text!r} is no time; write such as 90d, 12h, 30m or 45s"))
    return int(found[1]) * _SECONDS[found[2]]


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")


def _shown(key: ApiKey) -> dict[str, object]:
    """Return a key as JSON shows it; nothing of its secrets."""
    return {
        "key_id": key.key_id,
        "name": key.name,
        "tenant": key.tenant,
        "scopes": list(key.scopes),
        "state": key.state(datetime.now(UTC).timestamp()),
        "created_at": _time(key.created_at),
        "expires_at": _time(key.expires_at),
        "revoked_at": _time(key.revoked_at),
        "requests_per_second": key.requests_per_second,
        "most_open_holds": key.most_open_holds,
        "old_secret_until": _time(key.secrets[1].until) if len(key.secrets) > 1 else None,
    }


def _made(made: NewSecret, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**_shown(made.key), "token": made.token}, ensure_ascii=False))
        return
    key = made.key
    typer.echo(made.token)
    good = "for ever" if key.expires_at is None else f"until {_time(key.expires_at)}"
    typer.echo(f"{key.key_id} ({key.name}) of {key.tenant} may {', '.join(key.scopes)}, {good}", err=True)
    if len(key.secrets) > 1:
        typer.echo(f"the secret it had stays good until {_time(key.secrets[1].until)}", err=True)
    typer.echo("Keep the line above: nobody can show it again. Send it as: Authorization: Bearer …", err=True)


def _revoked(key: ApiKey, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_shown(key), ensure_ascii=False))
    else:
        typer.echo(f"{key.key_id} ({key.name}) of {key.tenant} is good for nothing, in every server within 5 seconds")


def _list(keys: list[ApiKey], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_shown(key) for key in keys], ensure_ascii=False))
        return
    if not keys:
        typer.echo("there is no key yet; make one with: allot keys create NAME --scope SCOPE")
        return
    from rich.table import Table

    from api.cli.terminal import console

    table = Table()
    for heading in ("key", "name", "tenant", "state", "expires", "scopes"):
        table.add_column(heading, no_wrap=heading == "key")
    now = datetime.now(UTC).timestamp()
    for key in keys:
        expires = _time(key.expires_at) or "never"
        table.add_row(key.key_id, key.name, key.tenant, key.state(now), expires, ", ".join(key.scopes))
    console().print(table)
