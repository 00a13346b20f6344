"""nexthour compare: plans on the same markets, the verdict on each first, then levels, quarters and hours."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nexthour.report.comparison import challengers, hours_note, turning_point, verdict
from nexthour.report.numbers import (
    count_of,
    narrow_half_width,
    tenths,
    thousands,
    usd,
    whole,
    whole_percent,
)
from nexthour.report.text import CAVEAT, one_line, with_article
from nexthour.terminal.common import AsJson, ScenarioFile, Seed, print_json, progress, read_scenario
from nexthour.terminal.options import Baseline, PlanOption, Replications, Workers, comparison_request, resolve
from nexthour.terminal.tables import make_table, plain_console, print_again, print_block
from sim.study.options import REPLICATIONS, SEED, WORLDS

if TYPE_CHECKING:
    from sim import Comparison, Sensitivity

COLUMNS_AT_ONCE = 3
"""Plans side by side in the tables under the main one."""
BAR_WIDTH = 8


def command(
    context: typer.Context,
    scenario_file: ScenarioFile,
    plan: PlanOption = None,
    baseline: Baseline = None,
    replications: Replications = REPLICATIONS.default,
    seed: Seed = SEED.default,
    worlds: Annotated[int, typer.Option(help=WORLDS.help)] = WORLDS.default,
    flips: Annotated[
        bool,
        typer.Option("--flips", help="Also say which assumption turns each verdict; nexthour sensitivity says more."),
    ] = False,
    workers: Workers = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Run on other machines: where their Dask scheduler is, as in tcp://host:8786.", metavar="ADDRESS"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare plans on the same markets: which is better, by how much, how surely.

    \b
    Examples:
      nexthour compare baseline
      nexthour compare baseline --plan "20% with Believers" --worlds 100
      nexthour compare baseline --plan my-plan.yaml --json > result.json
    """
    from sim import NextHourError
    from sim.study.experiment import run_comparison
    from sim.study.request import RunSettings
    from sim.study.sensitivity import run_sensitivity

    scenario = read_scenario(scenario_file)
    asked = comparison_request(context, replications, plans=plan, baseline=baseline, seed=seed, worlds=worlds)
    request = resolve(asked, scenario, scenario_file)
    with progress(f"{len(request.plans_by_name)} plans in {whole(request.replications)} markets") as bar:
        settings = RunSettings(workers=workers, scheduler=scheduler, progress=bar)
        comparison = run_comparison(scenario, request, settings)
    known, why_not = None, ""
    if flips:
        try:
            with progress("what turns the verdicts") as bar:
                without_worlds = request.model_copy(update={"worlds": 0})
                known = run_sensitivity(scenario, without_worlds, workers=workers, progress=bar)
        except NextHourError as problem:
            why_not = f"No flips: {problem}"
    if as_json:
        print_json({**comparison.as_dict(), **({"sensitivity": known.as_dict()} if known else {})})
        return
    print_comparison(comparison, known)
    if why_not:
        typer.echo(f"\n{why_not}", err=True)
    again = asked.model_copy(update={"replications": request.replications}).options("replications", "seed")
    print_again(scenario, ["compare", scenario_file, *again, *(["--flips"] if flips else [])])


def print_comparison(comparison: Comparison, known: Sensitivity | None = None) -> None:
    """Print a comparison, the verdicts first; `known` adds to each what would turn it."""
    scenario, base = comparison.scenario, comparison.baseline
    out = plain_console()
    best_first = sorted(challengers(comparison), key=lambda name: -comparison[name].difference_usd.value)
    out.print(one_line(scenario.question or scenario.name), style="bold")
    for name in best_first:
        sentence = verdict(comparison, name)
        print_block(out, f"{sentence.removesuffix('.')}; {turning_point(known[name])}." if known else sentence)
    print_block(
        out,
        _levels_table(comparison, [base, *best_first]),
        f"Over {count_of(scenario.horizon_quarters, 'quarter')}, mean of "
        f"{count_of(comparison.replications, 'market')}, the same for every plan. P10-P90: 8 of 10 markets lie there. "
        "Chance of quota: in an average quarter. "
        f"Difference: from {with_article(base)}, with its 95% interval.",
    )
    for names in _chunks(best_first):
        title = f"Difference from {with_article(base)} by quarter, $k of quota credit (in brackets: not clear)"
        print_block(out, title, _quarter_table(comparison, names))
    for names in _chunks([base, *best_first]):
        print_block(out, "Planned hours a week, mean of the quarters", _hours_table(comparison, names))
    if note := hours_note(scenario, comparison.seed, comparison.worlds):
        print_block(out, note)
    print_block(out, CAVEAT)


def _levels_table(comparison: Comparison, names: list[str]) -> Any:
    measures = ("quota\ncredit", "P10-P90", "attain-\nment", "chance\nof quota", "through\npartners", "difference")
    table = make_table("plan", *measures)
    for name in names:
        result = comparison[name]
        difference, ends = result.difference_usd, ""
        if difference.high < inf:
            ends = f" {narrow_half_width(difference)}"
        table.add_row(
            name,
            usd(result.credit_usd.value),
            f"{usd(result.credit_p10_usd)}-{usd(result.credit_p90_usd)[1:]}",
            whole_percent(result.attainment.value),
            whole_percent(result.quarters_at_quota.value),
            whole_percent(result.partner_share_of_credit),
            "" if name == comparison.baseline else usd(difference.value, sign=True) + ends,
        )
    return table


def _quarter_table(comparison: Comparison, names: list[str]) -> Any:
    from rich.text import Text

    by_plan = {name: comparison[name].difference_by_quarter_usd for name in names}
    largest = max(abs(estimate.value) for quarters in by_plan.values() for estimate in quarters) or 1.0
    table = make_table("quarter", *names, right=False)
    for quarter in range(comparison.scenario.horizon_quarters):
        cells = []
        for name in names:
            estimate = by_plan[name][quarter]
            amount = thousands(estimate.value, sign=True)
            number = amount if estimate.clear else f"({amount})"
            bar = ("+" if estimate.value > 0 else "-") * round(abs(estimate.value) / largest * BAR_WIDTH)
            colour = "green" if estimate.value > 0 else "red"
            cells.append(Text(f"{number:>7} {bar}", style=colour if estimate.clear else "dim"))
        table.add_row(f"Q{quarter + 1}", *cells)
    return table


def _hours_table(comparison: Comparison, names: list[str]) -> Any:
    from sim.plan import ACTIVITY_WORDS

    hours = {name: comparison[name].plan.hours_by_activity(comparison.scenario) for name in names}
    table = make_table("activity", *names)
    for activity in ("sell", *(a for a in next(iter(hours.values())) if a != "sell")):
        means = [float(hours[name][activity].mean()) for name in names]
        if max(means) >= 0.05:
            table.add_row(ACTIVITY_WORDS[activity], *(tenths(mean) for mean in means))
    return table


def _chunks(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), COLUMNS_AT_ONCE):
        yield names[start : start + COLUMNS_AT_ONCE]
