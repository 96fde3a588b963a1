"""`allot policy` on a store of its own: put, list, show, and what one version has otherwise than another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api.cli.main import BAD_INPUT, DONE, main


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "peak.json"


def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, *words: str) -> tuple[int, str, str]:
    code = main(["policy", *words, "--data", str(tmp_path / "data")])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_the_whole_way_of_a_planner(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two versions are put, listed, shown and compared."""

    def ask(*words: str) -> str:
        code, shown, error = run(capsys, tmp_path, *words)
        assert code == DONE, error
        return shown

    assert "no policy yet" in ask("list")
    versions: list[dict[str, Any]] = [{"split_cost_cents": 100}, {"split_cost_cents": 250, "node_kinds": ["dc"]}]
    for n, fields in enumerate(versions, 1):
        file.write_text(json.dumps({"policy_id": "peak", "about": "Advent", **fields}))
        assert f"peak@{n} is what runs" in ask("put", str(file))
    assert json.loads(ask("list", "--json")) == [{"policy_id": "peak", "version": 2, "about": "Advent"}]
    assert "Advent" in ask("list")
    assert json.loads(ask("show", "peak@1", "--json")) == {
        "policy_id": "peak",
        "version": 1,
        "about": "Advent",
        "split_cost_cents": 100,
    }
    assert "as the network has it" in ask("show", "peak")
    rows = [line.split() for line in ask("diff", "peak@1", "peak").splitlines() if "split_cost" in line]
    assert [word for word in rows[0] if word[0].isalnum()] == ["split_cost_cents", "100", "250"]
    differences = json.loads(ask("diff", "peak@1", "peak@2", "--json"))
    assert (differences["before"], differences["after"]) == ("peak@1", "peak@2")
    assert differences["differences"] == [
        {"field": "split_cost_cents", "before": "100", "after": "250"},
        {"field": "node_kinds", "before": "every kind", "after": "dc"},
    ]
    assert "state the same" in ask("diff", "peak", "peak@2")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show",), "allot policy show POLICY"),
        (("diff", "peak"), "allot policy diff POLICY POLICY"),
        (("list", "peak"), "'peak' is too much"),
        (("put", "nowhere.json"), "nowhere.json: cannot be read"),
        (("show", "peak"), "no policy 'peak'; none is defined"),
    ],
)
def test_what_is_missing_or_too_much_is_told(
    words: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, error = run(capsys, tmp_path, *words)
    assert code == BAD_INPUT
    assert told in error


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"policy_id": "peak", "split": 1}, "peak.json:$.split: unknown key 'split'"),
        ({"split_cost_cents": 1}, "peak.json:$.policy_id: 'policy_id' is required"),
        ({"policy_id": "peak", "node_kinds": ["dc", "dc"]}, "peak.json:$.node_kinds[1]"),
    ],
)
def test_a_wrong_file_is_named_with_the_place(
    document: dict[str, Any], told: str, tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(json.dumps(document))
    code, _, error = run(capsys, tmp_path, "put", str(file))
    assert code == BAD_INPUT
    assert told in error
