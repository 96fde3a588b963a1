"""`allot promote`: the policy of a simulation goes live; the work is in engine/simulation/promoting.py.

allot promote RESULT_FOLDER POLICY
allot promote --list
"""

from __future__ import annotations

import asyncio
import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from engine.policies.promotions import Promotion
    from engine.simulation.promoting import Winner


def command(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[RESULT_FOLDER", help="What `allot simulate` wrote.", show_default=False)
    ] = None,
    policy: Annotated[str, typer.Argument(metavar="POLICY]", help="Which of its policies.", show_default=False)] = "",
    policy_id: Annotated[
        str | None, typer.Option("--as", metavar="ID", help="The id of the live policy; by default its name.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also where the live network is not the one that was simulated.")
    ] = False,
    who: Annotated[str | None, typer.Option("--who", metavar="NAME", help="Who does it; by default the user.")] = None,
    shown: Annotated[bool, typer.Option("--list", help="Tell what was promoted so far instead.")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print entries as JSON.")] = False,
) -> None:
    """Put the policy of a simulation as the next version of a live one, and what it states of the network's own.

    An entry in the book says who did it when, and from which results.
    """
    from engine.simulation.promoting import winner_of

    if shown:
        _list(asyncio.run(_all(data)), as_json=as_json)
        return
    if folder is None or not policy:
        missing = "RESULT_FOLDER" if folder is None else "POLICY"
        raise InvalidInput(Fault(path=missing, message="is missing; write: allot promote RESULT_FOLDER POLICY"))
    winner = winner_of(folder, policy)
    done = asyncio.run(_promoted(data, winner, policy_id, who or _user(), force=force))
    if as_json:
        typer.echo(_json(done))
        return
    for line in _told(done, winner):
        typer.echo(line)


def _told(done: Promotion, winner: Winner) -> list[str]:
    lines = []
    if done.version:
        lines.append(f"{done.policy_id}@{done.version} is what runs under {done.policy_id!r} take from now on")
    if done.network_version is not None:
        fields = ", ".join(done.network_fields)
        lines.append(f"version {done.network_version} of the network has its {fields}")
    if not lines:
        lines.append("the live network states all of it already")
    policy = winner.policy
    settings = [f"ALLOT_ROUTE_EVERY_SECONDS={policy.window_minutes * 60}"] if policy.window_minutes else []
    settings += [f"ALLOT_ROUTE_POLICY={done.policy_id}"] if done.version else []
    if settings:
        lines.append(f"it was simulated as with {' '.join(settings)}: settings of the server, which were left alone")
    lines.append(f"noted: by {done.who}, from results {done.results_sha256[:12]}")
    return lines


def _list(entries: list[Promotion], *, as_json: bool) -> None:
    if as_json:
        typer.echo("[" + ",".join(map(_json, entries)) + "]")
        return
    if not entries:
        typer.echo("nothing was promoted yet")
        return
    from rich.table import Table

    from api.cli.terminal import console

    table = Table()
    for heading in ("at", "policy", "network", "who", "story", "results"):
        table.add_column(heading)
    for each in entries:
        network = "" if each.network_version is None else f"version {each.network_version}"
        forced = " (forced)" if each.forced else ""
        policy = f"{each.policy_id}@{each.version}" if each.version else each.policy_id
        at = f"{each.at:%Y-%m-%d %H:%M}"
        table.add_row(at, policy, network, each.who, each.story + forced, each.results_sha256[:12])
    console().print(table)


def _json(entry: Promotion) -> str:
    import msgspec

    return json.dumps(msgspec.to_builtins(entry), ensure_ascii=False)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # nobody with this number is known here
        return "unknown"


async def _promoted(data: Path | None, winner: Winner, policy_id: str | None, who: str, *, force: bool) -> Promotion:
    from engine.bootstrap import allot_engine
    from engine.config import read_settings
    from engine.simulation.promoting import promote

    async with allot_engine(read_settings(data)) as engine:
        return await promote(engine, winner, policy_id=policy_id, who=who, force=force)


async def _all(data: Path | None) -> list[Promotion]:
    from engine.bootstrap import allot_engine
    from engine.config import read_settings

    async with allot_engine(read_settings(data)) as engine:
        return await engine.promotions.all()
