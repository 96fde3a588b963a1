"""The stories that come with allot: each fits the published schema, is read without a fault, and is in the index."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from runpy import run_path

import jsonschema
import pytest

from engine.scenarios.change_document import KINDS
from engine.scenarios.document import ScenarioDocument
from engine.scenarios.reading import read_story
from engine.scenarios.schema import schema_text
from engine.scenarios.yaml_tree import plain, read_tree
from engine.simulation.expectations import check
from engine.simulation.running import run_story

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "scenarios"
STORIES = sorted([*SCENARIOS.glob("*.yaml"), *SCENARIOS.glob("small/*.yaml")])
NAMES = [path.relative_to(SCENARIOS).as_posix() for path in STORIES]


def test_the_published_schema_is_that_of_the_code() -> None:
    published = (SCENARIOS / "scenario.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), "allot schema scenario > scenarios/scenario.schema.json"
    jsonschema.Draft7Validator.check_schema(json.loads(published))


@pytest.mark.parametrize("path", STORIES, ids=NAMES)
def test_a_story_names_the_schema_and_fits_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
    assert named is not None, "the first line names the schema"
    schema = json.loads((path.parent / named[1]).read_text(encoding="utf-8"))
    faults = jsonschema.Draft7Validator(schema).iter_errors(plain(read_tree(text, path.name, [])))
    assert [fault.message for fault in faults] == []


@pytest.mark.parametrize("path", STORIES, ids=NAMES)
def test_a_story_is_read_without_a_fault_and_expects_something(path: Path) -> None:
    story = read_story(path)
    assert story.about
    assert story.expect


def test_the_index_has_every_story_and_no_other() -> None:
    index = (SCENARIOS / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\]\(([\w/]+\.yaml)\)", index)) == sorted(NAMES)


def test_what_the_schema_refuses_the_code_refuses_too() -> None:
    schema = json.loads(schema_text())
    mistakes = (Path(__file__).parent / "mistakes.yaml").read_text(encoding="utf-8")
    document = plain(read_tree(mistakes, "mistakes.yaml", []))
    refused = {tuple(fault.absolute_path)[:1] for fault in jsonschema.Draft7Validator(schema).iter_errors(document)}
    assert {("version",), ("name",), ("nodes",), ("changes",), ("customers",), ("policies",)} <= refused


def test_the_page_has_every_key_and_every_change() -> None:
    page = (ROOT / "docs" / "reference" / "scenarios.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE))
    assert set(ScenarioDocument.model_fields) | set(KINDS) <= rows


@pytest.mark.parametrize("path", [path for path in STORIES if path.parent != SCENARIOS], ids=lambda path: path.stem)
def test_a_small_story_is_as_it_was_worked_out_by_hand(path: Path, tmp_path: Path) -> None:
    expect_it(path, tmp_path)


@pytest.mark.parametrize("name", ["brunel_day", "dc_outage", "late_supplier"])
def test_stories_of_the_library_are_as_they_say(name: str, tmp_path: Path) -> None:
    expect_it(SCENARIOS / f"{name}.yaml", tmp_path)  # the others: allot simulate scenarios/*.yaml


def expect_it(path: Path, tmp_path: Path) -> None:
    story = read_story(path)
    checked = check(story, run_story(story, tmp_path))
    assert checked
    assert [bar for bar in checked if not bar.holds] == []


def test_the_documents_of_the_brunel_story_are_those_of_the_data() -> None:
    built = run_path(str(SCENARIOS / "real" / "brunel" / "build_story.py"))["documents"]()
    for name, document in built.items():
        packed = (SCENARIOS / "real" / "brunel" / "story" / f"{name}.json.gz").read_bytes()
        assert json.loads(gzip.decompress(packed)) == document
