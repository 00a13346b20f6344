"""nexthour simulate: one plan in one market, quarter by quarter."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nexthour.report.numbers import count_of, exponents, plain_whole, tenths, thousands, usd, whole, whole_percent
from nexthour.report.text import one_line
from nexthour.terminal.common import AsJson, ScenarioFile, Seed, print_json, read_scenario
from nexthour.terminal.tables import make_table, plain_console, print_again, print_block
from sim.study.options import SEED

if TYPE_CHECKING:
    from sim import Ledger, Scenario, TimePlan


def command(
    scenario_file: ScenarioFile,
    plan: Annotated[
        str | None, typer.Option(help="A plan named in the scenario, or a plan file. Default: the status quo.")
    ] = None,
    seed: Seed = SEED.default,
    replication: Annotated[int, typer.Option(help="Which market of the seed.")] = 0,
    ledger: Annotated[bool, typer.Option("--ledger", help="Print everything that happened, a line each.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run one plan in one market and show the quarters.

    \b
    Examples:
      nexthour simulate baseline
      nexthour simulate baseline --plan "20% with Believers" --seed 8
      nexthour simulate baseline --ledger | less
    """
    import sim
    from sim.study.request import find_plan

    scenario = read_scenario(scenario_file)
    chosen = find_plan(scenario, scenario_file, scenario.status_quo.name if plan is None else plan)
    happened = sim.simulate(scenario, chosen, sim.draw_market(scenario, seed, replication))
    if as_json:
        print_json(_ledger_as_dict(scenario, chosen, happened, with_lines=ledger))
    elif ledger:
        for line in happened.lines():
            print(line)
    else:
        print_market(scenario, chosen, happened)
        again = ["simulate", scenario_file, "--plan", plan or chosen.name, "--seed", seed, "--replication", replication]
        print_again(scenario, again)


def _ledger_as_dict(scenario: Scenario, plan: TimePlan, ledger: Ledger, with_lines: bool) -> dict[str, Any]:
    from sim import kpis

    tally = kpis.Tally.of(ledger)
    return {
        "scenario": scenario.name,
        "scenario_digest": scenario.digest(),
        "plan": plan.name,
        "seed": ledger.seed,
        "replication": ledger.replication,
        "ledger_digest": ledger.digest(),
        "kpis": {kpi.name: kpi.of(tally).tolist() for kpi in kpis.KPIS},
        "segments": {
            name: {how: int(seen[i]) for how, seen in kpis.coverage_by_segment(ledger).items()}
            for i, name in enumerate(scenario.segment_names)
        },
        "partners": {
            name: {"credit_usd": credit_usd, "weeks_to_first_deal": weeks}
            for name, credit_usd, weeks in _partners(scenario, ledger)
        },
        **({"ledger": list(ledger.lines())} if with_lines else {}),
    }


def _partners(scenario: Scenario, ledger: Ledger) -> Iterator[tuple[str, float, float | None]]:
    """The name of each partner with its credit in dollars and its weeks to the first win; None if it won nothing."""
    from sim import kpis

    credit_usd, weeks = kpis.credit_by_partner_usd(ledger).tolist(), kpis.weeks_to_first_deal(ledger).tolist()
    for name, credit, first in zip(scenario.partner_names, credit_usd, weeks, strict=True):
        yield name, credit, None if isnan(first) else first


def print_market(scenario: Scenario, plan: TimePlan, ledger: Ledger) -> None:
    """Print what became of a plan in one market: quarters, segments and partners."""
    from sim import kpis

    out, tally = plain_console(), kpis.Tally.of(ledger)
    values = {kpi.name: kpi.of(tally) for kpi in kpis.KPIS}
    credit, quota = values["credit_usd"].sum(), sum(scenario.quota_usd())
    made = int((values["attainment"] >= 1).sum())
    part = f", {whole_percent(values['partner_credit_usd'].sum() / credit)} of it through partners" if credit else ""
    out.print(
        f"{plan.name}: {usd(credit)} of quota credit for {usd(quota)} of quota{part}; "
        f"quota made in {made} of {count_of(scenario.horizon_quarters, 'quarter')}.",
        style="bold",
    )
    out.print("One market, so much of this is luck; nexthour compare tells plans apart.")
    print_block(out, plan.summary(scenario))
    rows = [_kpi_row(scenario, kpi, values[kpi.name]) for kpi in kpis.KPIS if values[kpi.name].any()]
    nothing = [kpi.label for kpi in kpis.KPIS if not values[kpi.name].any()]
    width = max((len(label) for label, _ in rows), default=0)
    most = max(1, (out.width - width) // (2 + max((len(cell) for _, cells in rows for cell in cells), default=5)))
    blocks = -(-scenario.horizon_quarters // most)
    size = -(-scenario.horizon_quarters // blocks)
    for first in range(0, scenario.horizon_quarters, size):
        quarters = range(first, min(first + size, scenario.horizon_quarters))
        table = make_table("", *(f"Q{q + 1}" for q in quarters))
        for label, cells in rows:
            table.add_row(label, *(cells[q] for q in quarters))
        print_block(out, table)
    if nothing:
        print_block(out, f"Nothing in any quarter: {', '.join(nothing)}.")
    print_block(out, _coverage_table(scenario, ledger))
    if scenario.all_partners:
        about = "Weeks to first win: from the first day, or from when a candidate became active."
        print_block(out, _partner_table(scenario, ledger), about)


def _coverage_table(scenario: Scenario, ledger: Ledger) -> Any:
    from sim import kpis

    seen = kpis.coverage_by_segment(ledger)
    heads = ("found by\nthe manager", "registered\nby partners", "leaked: seen\nby nobody")
    table = make_table("opportunities of", *heads)
    for i, name in enumerate(scenario.segment_names):
        table.add_row(one_line(name), *(whole(seen[how][i]) for how in ("found", "registered", "leaked")))
    return table


def _partner_table(scenario: Scenario, ledger: Ledger) -> Any:
    table = make_table("partner", "quota\ncredit", "weeks to\nfirst win")
    for name, credit_usd, weeks in _partners(scenario, ledger):
        table.add_row(one_line(name), usd(credit_usd), "none" if weeks is None else tenths(weeks))
    return table


def _kpi_row(scenario: Scenario, kpi: Any, values: Any) -> tuple[str, list[str]]:
    """Label with its unit, and a cell a quarter. Skill and engagement become what they do to deals."""
    powers = exponents(scenario)
    if kpi.name in powers:
        words = {"skill": "% of your wins", "engagement": "brings of 100"}[kpi.name]
        return f"{kpi.label}: {words}", [plain_whole(v) for v in 100 * values ** powers[kpi.name]]
    if kpi.unit == "US dollars":
        return f"{kpi.label}, $k", [thousands(v) for v in values]
    if kpi.unit.startswith("share"):
        return f"{kpi.label}, %", [whole_percent(v)[:-1] for v in values]
    if kpi.unit == "times quota":
        return f"{kpi.label}, x quota", [tenths(v) for v in values]
    return kpi.label, [whole(v) for v in values]
