"""Each reference page has all that the code has, and nothing else: verbs, options, settings, codes, routes, columns."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import pytest
import typer

from api.cli.main import BAD_INPUT, DONE, EXPECTATION_MISSED, FAILED, INTERRUPTED, VERBS, _build
from api.errors import KINDS
from api.table import ENDPOINTS
from engine.config import Settings
from engine.errors import AllotError
from engine.feed.model import TYPES
from engine.integrations.generate import Recipe, generate
from engine.promising.explanation import Standing
from engine.promising.model import Reason
from engine.routing import reasons
from engine.routing.folder import TABLES
from engine.routing.route_folder import Options, route_folder
from engine.routing.run_model import RunStatus
from engine.routing.settings import ProblemSettings
from solvers import search
from solvers.params import Method
from solvers.textbook import ExactSolver

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, down to the next one of its rank or above."""
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert found, f"there is no heading {heading!r}"
    rest = text[found.end() :]
    end = re.search(
        rf"^#{{1,{len(found[1])}}} ", re.sub(r"^```.*?^```$", _blank, rest, flags=re.M | re.S), re.MULTILINE
    )
    return rest[: end.start()] if end else rest


def _blank(block: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", block[0])


def first_column(text: str) -> set[str]:
    """Return what stands as code in the first column of the tables of a text."""
    return {name for row in re.findall(r"^\| ([^|]+)\|", text, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)}


def options_of(verb: str) -> dict[str, click.Parameter]:
    """Return the options that a verb takes, by their long names."""
    program = typer.main.get_command(_build(verb))
    command = program.commands[verb]  # type: ignore[attr-defined]
    return {option: found for found in command.params for option in found.opts if option.startswith("--")}


def test_every_verb_has_its_section_and_there_is_no_other() -> None:
    headings = set(re.findall(r"^## ([\w-]+)$", page("cli"), re.MULTILINE))
    assert headings == {verb.name for verb in VERBS}


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS])
def test_every_option_of_a_verb_is_in_its_table_and_no_other(verb: str) -> None:
    text = section(page("cli"), verb)
    known = options_of(verb)
    in_table = {name.split()[0] for name in first_column(text)}
    assert in_table == set(known)
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", prose)) <= set(known)


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS])
def test_every_default_of_an_option_is_stated(verb: str) -> None:
    text = section(page("cli"), verb)
    for name, option in options_of(verb).items():
        row = next(row for row in text.splitlines() if row.startswith(f"| `{name}"))
        default = row.split("|")[2].strip().strip("`")
        if option.required:
            assert default == "required", name
        elif isinstance(option.default, bool):
            assert default == ("on" if option.default else "off"), name
        elif option.default is not None:
            assert default == str(option.default), name


def test_every_exit_code_is_explained() -> None:
    rows = re.findall(r"^\| (\d+)", section(page("cli"), "Exit codes"), re.MULTILINE)
    assert [int(code) for code in rows] == [DONE, FAILED, BAD_INPUT, EXPECTATION_MISSED, INTERRUPTED]


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(ALLOT_\w+)` +\| ([^|]+?) +\|", page("configuration"), re.MULTILINE))
    for name, field in Settings.model_fields.items():
        default = "not set" if field.default is None else str(field.default)
        assert rows[f"ALLOT_{name.upper()}"].strip("`") == default, name


def test_no_setting_is_documented_that_is_not_there() -> None:
    known = {f"ALLOT_{name.upper()}" for name in Settings.model_fields} | {"ALLOT_DEBUG"}
    for path in [*REFERENCE.parents[1].glob("*.md"), *REFERENCE.parent.rglob("*.md")]:
        assert set(re.findall(r"ALLOT_[A-Z_]+", path.read_text(encoding="utf-8"))) <= known, path


def refusals(kind: type[AllotError] = AllotError) -> Iterator[tuple[int, str]]:
    """Yield (status, code) of every error that the API may answer."""
    inside = {"error", "stored_refusal", "expectation_missed"}  # the root, a wrapper, and what only commands raise
    for child in kind.__subclasses__():
        if child.__dict__.get("code", "error") not in inside:
            yield next(KINDS[ancestor] for ancestor in child.__mro__ if ancestor in KINDS).status, child.code
        yield from refusals(child)


def test_every_error_code_is_documented_with_its_status() -> None:
    rows = re.findall(r"^\| (\d{3}) +\| `(\w+)`", section(page("http"), "Errors"), re.MULTILINE)
    assert {(int(status), code) for status, code in rows} == set(refusals())


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda row: f"{row.method} {row.public_path}")
def test_every_endpoint_is_documented_with_a_command(endpoint: object) -> None:
    text, method, path = page("http"), endpoint.method, endpoint.public_path  # type: ignore[attr-defined]
    at = text.index(f"`{method} {path}`")
    block = text.index("```sh\n", at)
    command = text[block : text.index("\n```", block + 1)]
    called = re.sub(r"\{\w+\}", lambda _: r"[\w$-]+", path)
    assert re.search(rf"\$api{called}(?![\w/])", command), f"the block after {method} {path} calls something else"
    assert ("Idempotency-Key" in command) == (endpoint.is_keyed)  # type: ignore[attr-defined]


def test_no_endpoint_is_documented_that_is_not_there() -> None:
    known = {f"{row.method} {row.public_path}" for row in ENDPOINTS}
    assert set(re.findall(r"`((?:GET|PUT|POST|DELETE|PATCH) /v1[^`]*)`", page("http"))) == known


def test_every_type_of_event_is_documented() -> None:
    assert first_column(section(page("events"), "Events")) == set(TYPES)


def test_every_reason_of_a_promise_and_every_standing_of_a_node_is_documented() -> None:
    assert first_column(section(page("http"), "Promises")) == {*get_args(Reason), *get_args(Standing)}


def test_every_reason_for_a_backorder_is_documented() -> None:
    known = set(re.findall(r"^(\w+) {2,}", reasons.__doc__ or "", re.MULTILINE))
    assert first_column(section(page("routing"), "Why something is backordered")) == known


def test_every_method_and_every_status_of_a_run_is_documented() -> None:
    assert first_column(section(page("routing"), "Methods")) == set(Method)
    assert first_column(section(page("routing"), "The referee")) == set(ExactSolver)
    assert set(RunStatus) <= first_column(section(page("routing"), "Routing runs"))


def test_every_file_and_column_of_a_problem_folder_is_documented() -> None:
    text = page("problem-folder")
    for table, columns in TABLES.items():
        assert first_column(section(text, f"{table}.csv")) == {column.name for column in columns}, table
    assert first_column(section(text, "problem.json")) == set(ProblemSettings.model_fields)
    assert first_column(section(text, "Files").split("###")[0]) == {"problem.json", *(f"{t}.csv" for t in TABLES)}


def test_every_key_of_a_result_is_documented(tmp_path: Path) -> None:
    generate(Recipe(orders=3, nodes=2, skus=2, seed=1), tmp_path / "day")
    routed = route_folder(tmp_path / "day", tmp_path / "plan", Options(method=Method.NEAREST))
    text = page("problem-folder")
    assert first_column(section(text, "summary.json")) == set(routed.summary)
    assert first_column(section(text, "timing.json")) == set(routed.timing)
    for name in ("plan", "prices"):
        header = (tmp_path / "plan" / f"{name}.csv").read_text(encoding="utf-8").partition("\n")[0]
        assert first_column(section(text, f"{name}.csv")) == set(header.split(","))
    costs = next(row for row in section(text, "summary.json").splitlines() if row.startswith("| `costs`"))
    assert set(routed.summary["costs"]) <= set(re.findall(r"`(\w+)`", costs))


def test_every_reason_to_stop_is_documented() -> None:
    source = inspect.getsource(search)
    known = set(re.findall(r'reason = "(\w+)"', source))
    assert "time_limit" in known
    assert first_column(section(page("routing"), "When it stops")) == {"stop_reason", *known}
