"""The command nexthour: the group of its commands, each in the file of its name.

Everything heavy is imported inside a command, so that help is instant.
"""

from collections.abc import Callable
from typing import Annotated

import typer

from nexthour import version
from nexthour.terminal import (
    backtest,
    calibrate,
    check,
    compare,
    frontier,
    gap,
    hours,
    judgement,
    mapping,
    monday,
    partners,
    plan,
    recruiting,
    rollup,
    schema,
    sensitivity,
    serve,
    simulate,
)  # fmt: skip
from nexthour.terminal.common import Commands

app = typer.Typer(cls=Commands, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

COMMANDS: dict[str, Callable[..., None]] = {
    "check": check.command,
    "simulate": simulate.command,
    "compare": compare.command,
    "sensitivity": sensitivity.command,
    "app": serve.command,
    "plan": plan.command,
    "frontier": frontier.command,
    "gap": gap.command,
    "rollup": rollup.command,
    "monday": monday.command,
    "mapping": mapping.command,
    "calibrate": calibrate.command,
    "backtest": backtest.command,
    "partners": partners.command,
    "judgement": judgement.command,
    "hours": hours.command,
    "recruiting": recruiting.command,
    "schema": schema.command,
}
"""The commands in the order in which help lists them."""
SHORTER_HELP = {
    "check": "Say what is wrong in scenario and plan files.",
    "compare": "Compare plans on the same markets: which is better?",
    "sensitivity": "Say which assumption turns each verdict, and where.",
    "schema": "Print the JSON Schema of scenario files.",
}
"""What the list of commands says of those whose first sentence is too long for it."""


def commands() -> Callable[..., None]:
    """What runs the command line in sys.argv when it is called; to make it takes a while."""
    return typer.main.get_command(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"nexthour {version()}")
        raise typer.Exit


HELP = """Where should a territory manager's next hour go?

\b
Start here:
  nexthour app
  nexthour compare baseline
"""


@app.callback(invoke_without_command=True, help=HELP)
def nexthour(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Print the help of the command where it stands alone."""
    if context.invoked_subcommand is None:
        print(context.get_help())


for _name, _command in COMMANDS.items():
    app.command(_name, short_help=SHORTER_HELP.get(_name))(_command)
