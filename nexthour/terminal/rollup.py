"""nexthour rollup: the market maps of several territories together, the territories, the partners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nexthour.report.numbers import count_of, usd, usd_interval, usd_with_half_width
from nexthour.report.text import one_line
from nexthour.terminal.common import AsJson, Seed, print_json, read_scenario, status_line
from nexthour.terminal.tables import make_table, plain_console, print_again

if TYPE_CHECKING:
    from optimize.coverage.rollup import Organisation, SegmentRow


def command(
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
    from optimize.coverage.rollup import roll_up

    scenarios = [read_scenario(file) for file in scenario_files]
    with status_line() as progress:
        organisation = roll_up(scenarios, seed, progress)
    if as_json:
        print_json(organisation.as_dict())
        return
    print_organisation(organisation)
    print_again(scenarios[0], ["rollup", *scenario_files, "--seed", seed], *scenarios[1:])


def print_organisation(organisation: Organisation) -> None:
    """Print several territories together: the market map, each territory, each partner once."""
    out = plain_console()
    total, over = organisation.total, f"over {count_of(organisation.quarters, 'quarter')}"
    many = len(organisation.territories)
    out.print(f"{'1 territory' if many == 1 else f'{many} territories'}, {over}", style="bold")
    out.print(
        f"\nNobody sees {total.leaked.value:,.0f} of {total.opportunities.value:,.0f} opportunities today, worth "
        f"{usd(total.gap_usd.value)} ({usd_interval(total.gap_usd)}). Quota credit today is "
        f"{usd_with_half_width(organisation.credit_usd)} against quotas of {usd(organisation.quota_usd)}; "
        f"{usd(organisation.partner_credit_usd.value)} of it comes from partners."
    )
    out.print(f"\nMarket map: opportunities {over}, and who sees them today")
    table = _rows_table("segment")
    for name, row in (*organisation.by_segment.items(), ("all", total)):
        table.add_row(one_line(name), *_cells(row))
    out.print(table)
    out.print("\nTerritories")
    table = _rows_table("territory")
    for one in organisation.territories:
        table.add_row(one_line(one.scenario.name), *_cells(one.total))
    table.add_row("all", *_cells(total))
    out.print(table)
    out.print("\nPartners, each once; hours are a week, from all managers together")
    out.print(_partners(organisation))
    out.print(
        "\n± 95%. Each territory is simulated on its own: no manager knows of another's deals or partners. Worth: mean "
        "amount times the manager's chance to win; nobody could work all of a gap. Segments and partners are added up "
        "by their names."
    )


def _rows_table(first: str) -> Any:
    return make_table(
        first,
        "opportu-\nnities",
        "worth",
        "found by\nmanagers",
        "brought by\npartners",
        "seen by\nnobody",
        "gap,\nworth",
    )


def _cells(row: SegmentRow) -> list[str]:
    seen = [f"{count.value:,.0f}" for count in (row.found, row.brought, row.leaked)]
    return [f"{row.opportunities.value:,.0f}", usd(row.value_usd.value), *seen, usd_with_half_width(row.gap_usd)]


def _partners(organisation: Organisation) -> Any:
    table = make_table(
        "partner", "quota\ncredit", "accounts'\nopportunities", "hours", "account\nmanagers'", "territories"
    )
    for one in organisation.partners:
        table.add_row(
            f"{one_line(one.name)} ({one_line(one.labels)})",
            usd_with_half_width(one.credit_usd),
            f"{one.opportunities.value:,.0f}",
            f"{one.manager_hours:.1f}",
            f"{one.account_manager_hours:.1f}",
            str(len(one.territories)),
        )
    return table
