"""The terminal's gap analysis: nexthour gap.

Left out: how gaps and remedies are computed (optimize/gaps.py), and what they look like (terminal_gap.py).
"""

from __future__ import annotations

from typing import Annotated

import typer

from cli_common import AsJson, Seed, print_json, saying
from terminal import print_again
from terminal_gap import print_gaps


def gap(
    scenario_file: Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario file.", show_default=False)],
    plan: Annotated[
        str | None, typer.Option(help="A plan file: its coverage too, and remedies on top of it.", metavar="FILE")
    ] = None,
    seed: Seed = 7,
    as_json: AsJson = False,
) -> None:
    """Say what nobody sees, and what it costs to see more.

    By segment: who sees what today, with a plan and at best; what each remedy costs and gains. By partner: what the
    plan does with it.

    \b
    Examples:
      nexthour gap scenarios/baseline.yaml
      nexthour plan scenarios/baseline.yaml --out plan.yaml
      nexthour gap scenarios/baseline.yaml --plan plan.yaml
    """
    import sim
    from optimize.gaps import gap_analysis
    from optimize.treatment import treatments

    scenario = sim.load_scenario(scenario_file)
    chosen = None if plan is None else sim.TimePlan.load(plan)
    with saying() as told:
        gaps = gap_analysis(scenario, chosen, seed, told)
        partners = treatments(scenario, gaps.plan, seed)
    if as_json:
        print_json({**gaps.as_dict(), "treatments": [its.as_dict() for its in partners]})
        return
    print_gaps(gaps, partners)
    print_again(scenario, ["gap", scenario_file, *([] if plan is None else ["--plan", plan]), "--seed", seed])
