"""`allot policy`: the policies of routing runs, in the terminal.

allot policy list
allot policy show POLICY
allot policy diff POLICY POLICY
allot policy put FILE

POLICY is an id, which means the latest version, or a version of it, such as peak@2.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from engine.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from engine.policies.document import RunPolicyDocument
    from engine.policies.model import Policy
    from engine.policies.service import PolicyService

Read = TypeVar("Read")


class Act(StrEnum):
    """What can be done with policies."""

    list = "list"
    show = "show"
    diff = "diff"
    put = "put"


_WANTED = {Act.list: "", Act.show: "POLICY", Act.diff: "POLICY POLICY", Act.put: "FILE"}


def command(
    act: Annotated[Act, typer.Argument(metavar="list|show|diff|put", help="What to do.")],
    first: Annotated[str, typer.Argument(metavar="[POLICY|FILE", help="peak, or a version: peak@2.")] = "",
    second: Annotated[str, typer.Argument(metavar="[POLICY]]", help="For diff, what it is compared with.")] = "",
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """List the policies of routing runs, show a version, compare two, or put the next version of one from a file."""
    _check_arguments(act, [argument for argument in (first, second) if argument])
    if act is Act.list:
        _list(asyncio.run(_ask(data, _all)), as_json=as_json)
    elif act is Act.show:
        _show(asyncio.run(_ask(data, lambda policies: policies.find(first, "POLICY"))), as_json=as_json)
    elif act is Act.diff:
        before, after = asyncio.run(_ask(data, lambda policies: _both(policies, first, second)))
        _diff(before, after, as_json=as_json)
    else:
        document, file = _read(Path(first)), Path(first)
        _put(asyncio.run(_ask(data, lambda policies: _stored(policies, document, file))), as_json=as_json)


def _check_arguments(act: Act, given: list[str]) -> None:
    wanted = _WANTED[act].split()
    if len(given) != len(wanted):
        problem = f"{' and '.join(wanted)} missing" if len(given) < len(wanted) else f"{given[-1]!r} is too much"
        raise InvalidInput(Fault(path=act, message=f"{problem}; write: allot policy {act} {_WANTED[act]}".rstrip()))


async def _ask(data: Path | None, ask: Callable[[PolicyService], Awaitable[Read]]) -> Read:
    from engine.bootstrap import allot_engine
    from engine.config import read_settings

    async with allot_engine(read_settings(data)) as engine:
        return await ask(engine.policies)


async def _all(policies: PolicyService) -> list[Policy]:
    found: list[Policy] = []
    has_more = True
    while has_more:
        page, has_more = await policies.page(after=found[-1].policy_id if found else None)
        found += page
    return found


async def _both(policies: PolicyService, first: str, second: str) -> tuple[Policy, Policy]:
    return await policies.find(first, "POLICY"), await policies.find(second, "POLICY")


def _read(file: Path) -> RunPolicyDocument:
    from engine.faults import read_document
    from engine.policies.document import RunPolicyDocument

    try:
        body = file.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror}; name a policy as a JSON file"
        raise InvalidInput(Fault(path=str(file), message=message)) from None
    document = read_document(RunPolicyDocument, body, str(file))
    if document.policy_id is None:
        message = "'policy_id' is required in a file; add it"
        raise InvalidInput(Fault(path=f"{file}:$.policy_id", message=message))
    return document


async def _stored(policies: PolicyService, document: RunPolicyDocument, file: Path) -> Policy:
    from engine.faults import prefixed

    assert document.policy_id is not None
    try:
        return await policies.put(document.policy_id, document)
    except InvalidInput as error:
        raise InvalidInput(prefixed(error.faults, str(file))) from None


def _list(policies: list[Policy], *, as_json: bool) -> None:
    if as_json:
        entries = [{"policy_id": p.policy_id, "version": p.version, "about": p.document.about} for p in policies]
        typer.echo(json.dumps(entries, ensure_ascii=False))
    elif not policies:
        typer.echo("there is no policy yet: runs keep to the network's own")
    else:
        _table(("policy", "version", "about"), [(p.policy_id, str(p.version), p.document.about) for p in policies])


def _show(policy: Policy, *, as_json: bool) -> None:
    from engine.policies.differences import in_words

    if as_json:
        stated = policy.document.model_dump(mode="json", exclude_unset=True)
        shown = {"policy_id": policy.policy_id, "version": policy.version, **stated}
        typer.echo(json.dumps(shown, ensure_ascii=False))
    else:
        _table(("field", policy.reference), list(in_words(policy.document).items()))


def _diff(before: Policy, after: Policy, *, as_json: bool) -> None:
    from engine.policies.differences import differences

    found = differences(before.document, after.document)
    if as_json:
        shown = [{"field": each.field, "before": each.before, "after": each.after} for each in found]
        typer.echo(json.dumps({"before": before.reference, "after": after.reference, "differences": shown}))
    elif not found:
        typer.echo(f"{before.reference} and {after.reference} state the same")
    else:
        rows = [(each.field, each.before, each.after) for each in found]
        _table(("field", before.reference, after.reference), rows)


def _put(policy: Policy, *, as_json: bool) -> None:
    if as_json:
        shown = {"policy_id": policy.policy_id, "version": policy.version, "policy": policy.reference}
        typer.echo(json.dumps(shown))
    else:
        typer.echo(f"{policy.reference} is what runs under {policy.policy_id!r} take from now on")


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.table import Table

    from api.cli.terminal import console

    table = Table()
    for heading in headings:
        table.add_column(heading)
    for row in rows:
        table.add_row(*row)
    console().print(table)
