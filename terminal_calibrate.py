"""What the terminal shows of a calibration: what was read, fitted and rejected, and what the data could not say.

Left out: any computing. A number printed here is a field of what calibrate returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from terminal import count, make_table, one_line, plain_console, usd

if TYPE_CHECKING:
    from calibrate import Check, Fit

REASONS_SHOWN = 5


def print_fit(fit: Fit, out: str, checks: Sequence[Check]) -> None:
    reasons = fit.rejected_by_reason()
    console = plain_console()
    console.print(f"Wrote {out}, fitted to {fit.rows_used:,} of {fit.rows_read:,} closed deals.", style="bold")
    console.print()
    console.print(calibration_table(fit.report_rows()))
    console.print("Amounts are of won deals; the interval of the win rate is 95%.")
    if reasons:
        console.print()
        console.print(f"{len(fit.rejected):,} rows were not used:")
        for reason, rows in list(reasons.items())[:REASONS_SHOWN]:
            console.print(f"  {rows:,}: {one_line(reason)}")
        if len(reasons) > REASONS_SHOWN:
            console.print(f"  and {len(reasons) - REASONS_SHOWN:,} more reasons (all with --json)")
    console.print()
    for line in _checked_again(checks, rows=len(fit.cells)):
        console.print(line)


def _checked_again(checks: Sequence[Check], rows: int) -> Iterator[str]:
    """Whether the simulated funnel gives back what it was fitted to."""
    shown: dict[str, Callable[[float], str]] = {"win rate": "{:.1%}".format, "cycle weeks": "{:.1f}".format}
    off = [check for check in checks if not check.agrees]
    yield f"Simulated again: {len(checks) - len(off)} of {count(len(checks), 'figure')} agree with the table."
    for its in off:
        words = shown.get(its.what, usd)
        yield (
            f"  {one_line(its.segment)}, {its.route}, {its.what}: {words(its.observed)} in the table, "
            f"{words(its.simulated)} simulated (allowed: {words(its.tolerance)} off)"
        )
    missing = rows - len({(its.segment, its.route) for its in checks})
    if missing:
        yield f"  Nothing can be said of {count(missing, 'row')} of {rows}: too few simulated deals."


def calibration_table(rows: list[dict[str, str | float]]) -> Any:
    table = make_table(
        "segment", "route", "deals", "win rate", "95% interval", "median\namount", "mean\namount", "cycle\nweeks"
    )
    for row in rows:
        its = {name: value for name, value in row.items() if not isinstance(value, str)}
        table.add_row(
            str(row["segment"]),
            str(row["route"]),
            f"{its['deals']:,}",
            f"{its['win rate']:.1%}",
            f"{its['win rate low']:.1%}-{its['win rate high']:.1%}",
            usd(its["median amount"]),
            usd(its["mean amount"]),
            f"{its['cycle weeks']:.1f}",
        )
    return table
