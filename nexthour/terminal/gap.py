"""The terminal's gap analysis: nexthour gap, and nexthour rollup for several territories.

Left out: how they are computed (optimize/coverage/), and what they look like (show_gap.py,
nexthour/terminal/show_rollup.py).
"""

from __future__ import annotations

from typing import Annotated

import typer

from nexthour.terminal.common import AsJson, ScenarioFile, Seed, print_json, status_line
from nexthour.terminal.show_gap import print_gaps
from nexthour.terminal.show_rollup import print_organisation
from nexthour.terminal.tables import print_again


def gap(
    scenario_file: ScenarioFile,
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
    from optimize.coverage.gaps import gap_analysis
    from optimize.coverage.treatment import treatments

    scenario = sim.load_scenario(scenario_file)
    chosen = None if plan is None else sim.TimePlan.load(plan)
    with status_line() as progress:
        gaps = gap_analysis(scenario, chosen, seed, progress)
        partners = treatments(scenario, gaps.plan, seed)
    if as_json:
        print_json({**gaps.as_dict(), "treatments": [partner.as_dict() for partner in partners]})
        return
    print_gaps(gaps, partners)
    print_again(scenario, ["gap", scenario_file, *([] if plan is None else ["--plan", plan]), "--seed", seed])


def rollup(
    scenario_files: Annotated[
        list[str], typer.Argument(metavar="SCENARIO...", help="A scenario file for each territory.", show_default=False)
    ],
    seed: Seed = 7,
    as_json: AsJson = False,
) -> None:
    """Add up the market maps of several territories.

    By segment: who sees what today in all territories together. By partner: what it brings and gets from all managers;
    a partner of several territories is one partner.

    \b
    Example:
      nexthour rollup scenarios/two-territories-partner-rich.yaml scenarios/two-territories-direct-rich.yaml
    """
    import sim
    from optimize.coverage.rollup import roll_up

    scenarios = [sim.load_scenario(file) for file in scenario_files]
    with status_line() as progress:
        its = roll_up(scenarios, seed, progress)
    if as_json:
        print_json(its.as_dict())
        return
    print_organisation(its)
    print_again(scenarios[0], ["rollup", *scenario_files, "--seed", seed], *scenarios[1:])
