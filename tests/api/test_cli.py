"""The command line's frame: lazy verbs, exit codes, and errors a person can act upon."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from api.cli import main as cli
from engine.errors import ExpectationMissed, Fault, InvalidInput, NotFound, Unavailable


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def verb_that(monkeypatch):
    """Install a verb `try` that does what it is given."""

    def install(function):
        module = ModuleType("api.cli.try_")
        module.command = function
        monkeypatch.setitem(sys.modules, "api.cli.try_", module)
        monkeypatch.setattr(cli, "VERBS", (cli.Verb(name="try", module="api.cli.try_", line="Try."),))

    return install


def test_help_imports_no_numbers_and_no_server():
    heavy = ["numpy", "numba", "scipy", "ortools", "fastapi", "uvicorn", "pydantic", "redis"]
    done = run_python(
        "import sys; from api.cli.main import main; code = main(['--help'])\n"
        f"sys.stderr.write(repr([name for name in {heavy!r} if name in sys.modules])); sys.exit(code)"
    )
    assert done.returncode == 0
    assert done.stderr == "[]"
    for verb in cli.VERBS:
        assert verb.name in done.stdout
        assert verb.line in done.stdout


def test_an_unknown_verb_is_bad_input_and_names_the_nearest(capsys):
    assert cli.main(["rout"]) == 2
    assert "route" in capsys.readouterr().err


def test_an_unknown_option_is_bad_input(verb_that, capsys):
    def command(*, depth: int = 1) -> None:
        """Try."""

    verb_that(command)
    assert cli.main(["try", "--dept", "2"]) == 2
    assert "--depth" in capsys.readouterr().err
    assert cli.main(["try", "--depth", "two"]) == 2


def failing_with(error: BaseException):
    def command() -> None:
        """Try."""
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput(Fault(path="nodes.csv:7:latitude", message="is nan; give degrees from -90 to 90")), 2),
        (NotFound("There is no order o-1; see orders.csv."), 2),
        (ExpectationMissed("The gap is 0.02, above the target of 0.01."), 3),
        (Unavailable("The store does not answer."), 1),
        (RuntimeError("broken"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_kind_of_error_has_its_exit_code(verb_that, capsys, error, code):
    verb_that(failing_with(error))
    assert cli.main(["try"]) == code
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    assert str(error) in shown.err
    assert shown.out == ""


def test_bad_input_shows_one_fault_a_line(verb_that, capsys):
    faults = [Fault(path=f"stock.csv:{row}:available", message="is -1; give 0 or more") for row in range(2, 102)]
    verb_that(failing_with(InvalidInput(faults)))
    assert cli.main(["try"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "error: stock.csv:2:available: is -1; give 0 or more"
    assert lines[-1] == "error: … and 50 more like these"
    assert len(lines) == 51


def test_debug_shows_the_traceback_wherever_it_stands(verb_that, capsys, monkeypatch):
    verb_that(failing_with(RuntimeError("broken")))
    assert cli.main(["try", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err
    assert cli.main(["--debug", "try"]) == 1
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv("ALLOT_DEBUG", "1")
    assert cli.main(["try"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_closed_pipe_is_not_a_traceback():
    done = subprocess.run(
        f"{sys.executable} -m api.cli.main --help | true",
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
