"""nexthour schema: the JSON Schema of scenario and plan files."""

from typing import Annotated

import typer


def command(
    plan: Annotated[bool, typer.Option("--plan", help="That of plan files, not of scenario files.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Changes nothing: a schema is JSON.")] = False,
) -> None:
    """Print the JSON Schema of scenario files: every field with its unit, meaning and bounds.

    \b
    Example:
      nexthour schema > scenario.schema.json
    """
    from sim import Scenario, TimePlan
    from sim.documents.declared import schema_text

    print(schema_text(TimePlan if plan else Scenario), end="")
