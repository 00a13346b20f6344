"""nexthour rollup: the market maps of several territories together, the territories, the partners."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

import nexthour.report.gaps as report
from nexthour.report.numbers import count_of, tenths, usd, usd_with_half_width, whole
from nexthour.report.text import one_line, with_capital
from nexthour.terminal.common import AsJson, EffortName, Seed, print_json, read_scenario, status_line
from nexthour.terminal.tables import effort_words, make_table, plain_console, print_again, print_block
from optimize.options import OPTIONS
from sim.study.options import SEED

if TYPE_CHECKING:
    from optimize.coverage.rollup import Rollup, SegmentRow


def command(
    scenario_files: Annotated[
        list[str], typer.Argument(metavar="SCENARIO...", help="A scenario file for each territory.")
    ],
    effort: EffortName = OPTIONS["effort"].default,
    seed: Seed = SEED.default,
    as_json: AsJson = False,
) -> None:
    """Add up the market maps of several territories.

    By segment: who sees what today in all territories together. By partner: what it brings and gets from all managers;
    a partner of several territories is one partner.

    \b
    Example:
      nexthour rollup two-territories-partner-rich two-territories-direct-rich
    """
    from optimize.coverage.rollup import roll_up

    scenarios = [read_scenario(file) for file in scenario_files]
    with status_line() as progress:
        rollup = roll_up(scenarios, seed, progress, effort)
    if as_json:
        print_json(rollup.as_dict())
        return
    print_rollup(rollup)
    print_again(scenarios[0], ["rollup", *scenario_files, *effort_words(effort), "--seed", seed], *scenarios[1:])


def print_rollup(rollup: Rollup) -> None:
    """Print several territories together: the market map, each territory, each partner once."""
    out = plain_console()
    total, over = rollup.total, f"over {count_of(rollup.quarters, 'quarter')}"
    many = len(rollup.territories)
    out.print(f"{'1 territory' if many == 1 else f'{many} territories'}, {over}", style="bold")
    unseen = with_capital(report.unseen_opportunities(rollup))
    out.print(f"\n{unseen}. {report.credit_against_quota(rollup)}")
    out.print(f"\nMarket map: opportunities {over}, and who sees them today")
    out.print(_map_table("segment", (*rollup.by_segment.items(), ("all", total))))
    territories = ((territory.scenario.name, territory.total) for territory in rollup.territories)
    print_block(out, "Territories", _map_table("territory", (*territories, ("all", total))))
    print_block(out, "Partners, each once; hours are a week, from all managers together", _partners(rollup))
    out.print(
        f"\n± 95%. {report.ALONE} Worth: mean amount times the manager's chance to win; nobody could work all of a "
        f"gap. {report.ADDED_UP}"
    )


def _map_table(first: str, rows: Iterable[tuple[str, SegmentRow]]) -> Any:
    seen_by = ("found by\nmanagers", "brought by\npartners", "seen by\nnobody")
    table = make_table(first, "opportu-\nnities", "worth", *seen_by, "gap,\nworth")
    for name, row in rows:
        opportunities, *seen = (whole(n.value) for n in (row.opportunities, row.found, row.brought, row.leaked))
        worth, gap = usd(row.value_usd.value), usd_with_half_width(row.gap_usd)
        table.add_row(one_line(name), opportunities, worth, *seen, gap)
    return table


def _partners(rollup: Rollup) -> Any:
    heads = ("quota\ncredit", "accounts'\nopportunities", "hours", "account\nmanagers'", "territories")
    table = make_table("partner", *heads)
    for one in rollup.partners:
        table.add_row(
            f"{one_line(one.name)} ({one_line(one.labels)})",
            usd_with_half_width(one.credit_usd),
            whole(one.opportunities.value),
            tenths(one.manager_hours),
            tenths(one.account_manager_hours),
            str(len(one.territories)),
        )
    return table
