"""The `allot` command: the table of verbs, the exit codes, and nothing that takes long to import.

A verb's module is imported only when that verb runs, so `allot --help` needs neither numpy nor numba.
What a verb does is in `api/cli/<verb>.py`, whose `command` function has a typer signature.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

import typer

from engine.errors import AllotError, ExpectationMissed, InvalidInput, NotFound, NotRouted
from engine.events.actor import acting_as

DONE, FAILED, BAD_INPUT, EXPECTATION_MISSED, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143
MOST_FAULTS_SHOWN = 50

EXIT_CODES: dict[type[AllotError], int] = {
    InvalidInput: BAD_INPUT,
    NotFound: BAD_INPUT,
    NotRouted: BAD_INPUT,
    ExpectationMissed: EXPECTATION_MISSED,
}
"""The exit code of each deliberate error; a class that is not named here (or below one) is a failure, 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One verb: the word typed, the module whose `command` it runs, and its line in `allot --help`."""

    name: str
    module: str
    line: str
    hands_on: bool = False
    """Whether all words from its first argument on, options too, are for what that argument names."""


VERBS = (
    Verb(name="demo", module="api.cli.demo", line="See the main job run on real data, in one command."),
    Verb(name="serve", module="api.cli.serve", line="Serve the HTTP API, by default with its own store."),
    Verb(name="keys", module="api.cli.keys", line="Make, list, rotate and revoke the keys of API callers."),
    Verb(
        name="inventory", module="api.cli.inventory", line="Tell what happened to a position, and check the stock book."
    ),
    Verb(name="bid-prices", module="api.cli.bid_prices", line="Make bid prices of a forecast, and publish them."),
    Verb(name="order", module="api.cli.order", line="Find orders, and show the whole life of one."),
    Verb(name="shipment", module="api.cli.shipment", line="List what nodes have to ship, and show one shipment."),
    Verb(name="alerts", module="api.cli.alerts", line="List orders in jeopardy, and ways out for one."),
    Verb(name="node", module="api.cli.node", line="Switch nodes off in an emergency, and on again."),
    Verb(name="payments", module="api.cli.payments", line="Reconcile payments, and show the money of an order."),
    Verb(name="policy", module="api.cli.policy", line="Put, show and compare policies of routing runs."),
    Verb(name="load", module="api.cli.load", line="Put network, catalog, stock and orders from files in the store."),
    Verb(name="backup", module="api.cli.backup", line="Write all that the store holds to a file."),
    Verb(name="restore", module="api.cli.restore", line="Put a backup back into an empty store."),
    Verb(name="route", module="api.cli.route", line="Route a problem folder, with a proven gap."),
    Verb(name="verify", module="api.cli.verify", line="Check a result independently of the solvers."),
    Verb(name="explain", module="api.cli.explain", line="Say why each line of an order went where it went."),
    Verb(name="scenario", module="api.cli.scenario", line="Check scenario files, and say what they hold."),
    Verb(name="simulate", module="api.cli.simulate", line="Run what-if scenarios, and compare their policies."),
    Verb(name="compare", module="api.cli.compare", line="Compare two simulations, with intervals."),
    Verb(name="sweep", module="api.cli.sweep", line="Run a scenario over a grid of values of its fields."),
    Verb(name="import", module="api.cli.import_", line="Turn known data sets into problem folders."),
    Verb(name="generate", module="api.cli.generate", line="Write a synthetic problem folder of any size."),
    Verb(name="calibrate", module="api.cli.calibrate", line="Learn date distributions from shipments, and score them."),
    Verb(name="snapshot", module="api.cli.snapshot", line="Write the live engine down as the base of scenarios."),
    Verb(name="promote", module="api.cli.promote", line="Take the policy of a simulation live."),
    Verb(name="bench", module="api.cli.bench", line="Run the benchmarks and print their tables.", hands_on=True),
    Verb(name="schema", module="api.cli.schema", line="Print the JSON Schema of a document."),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0 done, 1 the program failed, 2 bad input, 3 a stated expectation was not met, 130 interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    _leave_on_terminate()
    debug = _take_debug(arguments) or os.environ.get("ALLOT_DEBUG", "") not in {"", "0"}
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_standard_output()
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one place that turns any failure into an exit code
        if debug:
            traceback.print_exc()
        return _report(error, debug=debug)
    return code


def _leave_on_terminate() -> None:
    """Let SIGTERM end the program as Ctrl-C does, through every clean-up: no embedded store is left behind."""

    def leave(*_: object) -> None:
        sys.exit(TERMINATED)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, leave)


def _take_debug(arguments: list[str]) -> bool:
    """Remove `--debug` wherever it stands before a bare `--`, and say whether it was there."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    if "--debug" not in arguments[:end]:
        return False
    arguments[:end] = [argument for argument in arguments[:end] if argument != "--debug"]
    return True


def _run(arguments: list[str]) -> int:
    chosen = next((argument for argument in arguments if not argument.startswith("-")), None)
    program = typer.main.get_command(_build(chosen))
    try:
        with acting_as(f"allot {chosen}"):
            program(args=arguments, prog_name="allot")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else DONE if stop.code is None else FAILED
    return DONE


def _build(chosen: str | None) -> typer.Typer:
    """Build the program: the chosen verb for real, the others as a line of help."""
    app = typer.Typer(
        name="allot",
        help="Order management: availability, dated promises, reservations and routing with a proven gap.",
        epilog="Exit codes: 0 done, 1 failed, 2 bad input, 3 a stated expectation was not met.",
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for verb in VERBS:
        function: Callable[..., object] = _line_of_help
        if verb.name == chosen:
            function = import_module(verb.module).command
        app.command(
            verb.name,
            short_help=verb.line,
            help=function.__doc__ or verb.line,
            context_settings={"allow_interspersed_args": not verb.hands_on},
        )(function)
    return app


def _line_of_help() -> None:
    """Stand in for a verb that was not chosen."""


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"allot {version('allot')}")
        except PackageNotFoundError:
            typer.echo("allot, from a source tree that is not installed")
        raise typer.Exit


def _root(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Print the version and stop."
    ),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of a failure (also ALLOT_DEBUG=1)."),
) -> None:
    pass


def _report(error: Exception, *, debug: bool) -> int:
    """Print what went wrong on standard error, one fault a line, and return the exit code."""
    if isinstance(error, InvalidInput):
        for fault in error.faults[:MOST_FAULTS_SHOWN]:
            _say(f"error: {fault}")
        if len(error.faults) > MOST_FAULTS_SHOWN:
            _say(f"error: … and {len(error.faults) - MOST_FAULTS_SHOWN} more like these")
    elif isinstance(error, AllotError):
        _say(f"error: {error}")
    else:
        hint = "" if debug else " Run it again with --debug for the traceback."
        _say(f"error: allot failed: {type(error).__name__}: {error}.{hint}")
    for kind in type(error).__mro__:
        if kind in EXIT_CODES:
            return EXIT_CODES[kind]
    return FAILED


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _forget_standard_output() -> None:
    """Point standard output at nothing, so that the interpreter's last flush does not fail once more."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return


if __name__ == "__main__":
    sys.exit(main())
