"""What the terminal shows of several territories together: the market map, the territories, the partners.

Left out: any computing. A number printed here is a field of what optimize returned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nexthour.report.numbers import count_of, usd, usd_interval, usd_with_half_width
from nexthour.report.text import one_line
from nexthour.terminal.tables import make_table, plain_console

if TYPE_CHECKING:
    from optimize.coverage.rollup import Organisation, Row


def print_organisation(organisation: Organisation) -> None:
    out = plain_console()
    total, over = organisation.total, f"over {count_of(organisation.quarters, 'quarter')}"
    many = len(organisation.territories)
    out.print(f"{'1 territory' if many == 1 else f'{many} territories'}, {over}", style="bold")
    out.print()
    out.print(
        f"Nobody sees {total.leaked.value:,.0f} of {total.opportunities.value:,.0f} opportunities today, worth "
        f"{usd(total.gap_usd.value)} ({usd_interval(total.gap_usd)}). Quota credit today is "
        f"{usd_with_half_width(organisation.credit_usd)} against quotas of {usd(organisation.quota_usd)}; "
        f"{usd(organisation.partner_credit_usd.value)} of it comes from partners."
    )
    out.print()
    out.print(f"Market map: opportunities {over}, and who sees them today")
    table = _rows_table("segment")
    for name, row in (*organisation.by_segment.items(), ("all", total)):
        table.add_row(one_line(name), *_cells(row))
    out.print(table)
    out.print()
    out.print("Territories")
    table = _rows_table("territory")
    for one in organisation.territories:
        table.add_row(one_line(one.scenario.name), *_cells(one.total))
    table.add_row("all", *_cells(total))
    out.print(table)
    out.print()
    out.print("Partners, each once; hours are a week, from all managers together")
    out.print(_partners(organisation))
    out.print()
    out.print(
        "± 95%. Each territory is simulated on its own: no manager knows of another's deals or partners. Worth: mean "
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


def _cells(row: Row) -> list[str]:
    counts = (row.found, row.brought, row.leaked)
    seen = [f"{its.value:,.0f}" for its in counts]
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
