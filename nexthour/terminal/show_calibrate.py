"""What the terminal shows of a calibration: what was read, fitted and rejected, and what the data could not say.

Left out: any computing. A number printed here is a field of what calibrate returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import nexthour.report.calibration as told
from nexthour.report.numbers import count_of, interval
from nexthour.report.text import CAVEAT, one_line
from nexthour.terminal.tables import make_table, plain_console, print_items

if TYPE_CHECKING:
    from nexthour.calibrate import Backtest, Check, Fit
    from nexthour.calibrate.calendar.audit import Audit
    from nexthour.calibrate.deals.mapping_proposal import Proposal
    from nexthour.calibrate.people.judgement import Judgement
    from nexthour.calibrate.people.partner_intake import Intake
    from nexthour.calibrate.people.recruiting import HoldOut, Recruiting
    from nexthour.calibrate.people.recruiting_contacts import Contacts
    from sim import Scenario

REASONS_SHOWN = 5
UNKNOWN_SHOWN = 15
DAYS_SHOWN = 5


def print_proposal(proposal: Proposal, out: str) -> None:
    console, questions = plain_console(), proposal.questions
    crm = f"an export of {proposal.crm}" if proposal.crm else "an export of no CRM that is known"
    console.print(f"Wrote {out} for {one_line(proposal.file)}, {crm}.", style="bold")
    console.print()
    for name, column in proposal.columns().items():
        console.print(f"  {name:<16} {one_line(column)}")
    console.print()
    if questions:
        said = "this question stands" if len(questions) == 1 else f"these {len(questions)} questions stand"
        console.print(f'What no program can know: {said} in {out} as "?", beside what the file says.')
        print_items(console, map(one_line, questions))
    else:
        console.print("Nothing is open; read it through before you use it.")


def print_fit(fit: Fit, out: str, checks: Sequence[Check]) -> None:
    reasons = fit.rejected_by_reason()
    console = plain_console()
    console.print(f"Wrote {out}, {told.fitted_to(fit)}.", style="bold")
    console.print(told.rows_read(fit))
    console.print()
    console.print(_table(told.fit_rows(fit.report_rows())))
    console.print(told.ABOUT_FIT)
    if fewer := told.fewer_hours(fit, "--fraction"):
        console.print(fewer)
    if reasons:
        console.print()
        console.print(f"{len(fit.rejected):,} rows were not used:")
        print_items(console, [f"{rows:,}: {one_line(why)}" for why, rows in list(reasons.items())[:REASONS_SHOWN]])
        if len(reasons) > REASONS_SHOWN:
            print_items(console, [f"and {len(reasons) - REASONS_SHOWN:,} more reasons (all with --json)"])
    console.print()
    first, *others = told.checked_again(checks, rows=len(fit.cells))
    console.print(first)
    print_items(console, others)
    console.print()
    console.print("What the table could not say:")
    print_items(console, map(one_line, fit.silent))


def _table(rows: told.Rows) -> Any:
    table = make_table(*rows.headers)
    for row in rows.rows:
        table.add_row(*row, style="bold" if row[0] == told.ALL_OF_THEM else None)
    return table


def print_backtest(result: Backtest) -> None:
    console = plain_console()
    inside = sum(prediction.inside for prediction in result.predictions)
    console.print(
        f"{inside:,} of {count_of(len(result.predictions), 'number')} held out lie in their 90% interval "
        f"({result.covered:.0%}).",
        style="bold",
    )
    console.print(f"Fitted on {result.deals_seen:,} deals, told of {result.deals_held_out:,} others.")
    console.print()
    table = make_table("of a territory and route", "cells", "inside", "interval", "error", "error of\nplain mean")
    for its in result.summary():
        shares = [its[name] for name in ("width", "error", "error by route")]
        width, *errors = ("" if share is None else f"{share:.0%}" for share in shares)
        table.add_row(its["what"], f"{its['cells']:,}", f"{its['covered']:.0%}", width and f"±{width}", *errors)
    console.print(table)
    console.print(
        "Interval and error: as shares of the real number. Plain mean: the route's, all territories. Weeks that were "
        "not seen have wide intervals: a quarter's end is not like its beginning."
    )


def print_intake(intake: Intake, before: Scenario, made: Scenario, out: str, mend: Sequence[str]) -> None:
    console = plain_console()
    console.print(f"Wrote {out}: {told.labels_right(intake)}.", style="bold")
    console.print()
    console.print(_table(told.intake_rows(intake, before)))
    console.print(told.about_intake(intake))
    if asked := told.to_be_surer(intake):
        console.print()
        console.print("To be surer, ask or watch:")
        print_items(console, asked)
    if gone := told.gone(before, made):
        console.print()
        console.print(gone)
    for sentence in mend:
        console.print()
        console.print(f"To be mended in {out}: {one_line(sentence)}.")


def print_judgement(judgement: Judgement, before: Scenario, out: str) -> None:
    console = plain_console()
    console.print(f"Wrote {out}, with what {told.people(judgement)} said.", style="bold")
    for rows in told.opinion_rows(judgement, before):
        console.print()
        console.print(_table(rows))
    console.print(told.ABOUT_PEOPLE)
    console.print()
    console.print(told.ABOUT_ANSWERS)
    console.print(_table(told.answer_rows(judgement)))
    console.print(told.ABOUT_WHOM)
    for line in told.doubts(judgement):
        console.print()
        console.print(line)
    console.print()
    console.print(CAVEAT)


# A time audit


def print_audit(audit: Audit) -> None:
    console, period = plain_console(), audit.period
    whole = ", the whole export" if period.whole_export else ""
    console.print(
        f"{audit.weeks:.1f} weeks with work in {one_line(audit.name)}, {period.first} to {period.last}{whole}.",
        style="bold",
    )
    console.print()
    console.print(_activity_table(audit))
    console.print()
    explained, unknown = (sum(its.hours for its in part) for part in (audit.by_activity, audit.unknown))
    left_out = sum(its.hours for its in audit.left_out)
    console.print(
        f"{audit.read_hours:,.1f} hours of {count_of(audit.events, 'event')} read = {explained:,.1f} with a rule + "
        f"{unknown:,.1f} without + {left_out:,.1f} left out + {audit.shared_hours:,.1f} at the same time as others "
        "(events at the same time share it)."
    )
    for its in audit.left_out:
        console.print(
            f"  left out, {its.why}: {count_of(its.events, 'event')}, {its.hours:,.1f} hours{_days(its.days)}"
        )
    if audit.unknown:
        console.print()
        console.print("No rule says what these were for; give the largest a rule:")
        console.print(_unknown_table(audit))
        if len(audit.unknown) > UNKNOWN_SHOWN:
            console.print(f"and {len(audit.unknown) - UNKNOWN_SHOWN:,} more (all with --json)")


def print_remarks(remarks: Sequence[str]) -> None:
    console = plain_console()
    if remarks:
        console.print()
    for remark in remarks:
        console.print(remark)


def _activity_table(audit: Audit) -> Any:
    from nexthour.calibrate.calendar.audit import ALLOCATABLE, WORDS

    total = audit.hours_per_week()
    table = make_table("hours a week", "hours", "share")
    table.add_column("with", overflow="fold", vertical="bottom")
    for activity in (*ALLOCATABLE, "other"):
        hours = audit.hours_per_week(activity)
        if hours:
            each = sorted(audit.hours_by_partner((activity,)).items(), key=lambda its: -its[1])
            share = "" if activity == "other" else f"{hours / total:.0%}"
            named = ", ".join(f"{one_line(name)} {its:.1f}" for name, its in each)
            table.add_row(WORDS[activity], f"{hours:.1f}", share, named)
    table.add_row("no rule", f"{audit.unknown_per_week:.1f}", "", "")
    return table


def _unknown_table(audit: Audit) -> Any:
    table = make_table("subject", "events", "hours")
    table.add_column("why", overflow="fold", vertical="bottom")
    for its in audit.unknown[:UNKNOWN_SHOWN]:
        table.add_row(one_line(its.subject) or "(none)", f"{its.events:,}", f"{its.hours:,.1f}", one_line(its.why))
    return table


def _days(days: Sequence[object]) -> str:
    if not days:
        return ""
    more = f" and {len(days) - DAYS_SHOWN:,} more" if len(days) > DAYS_SHOWN else ""
    return f" ({', '.join(map(str, days[:DAYS_SHOWN]))}{more})"


# A recruiting funnel


def print_recruiting(fitted: Recruiting, contacts: Contacts, checked: HoldOut | None) -> None:
    console, chance = plain_console(), fitted.sign_probability
    console.print(
        f"{chance.value:.1%} of first contacts sign within {fitted.horizon_weeks:.0f} weeks "
        f"({interval(chance, '.1%')}).",
        style="bold",
    )
    console.print(
        f"{fitted.signed:,} of {fitted.contacts:,} contacts of {fitted.first} to {fitted.last} in "
        f"{one_line(fitted.name)} had signed on {fitted.as_of}. Intervals are 90%"
        + (", and respect weeks." if fitted.by_week else "; weeks are too few to be respected.")
    )
    times = fitted.weeks_to_sign
    console.print(
        f"Half of those who sign do so in {times[0.5].value:.1f} weeks ({interval(times[0.5], '.1f')}), "
        f"one in ten in {times[0.1].value:.1f}, nine in ten in {times[0.9].value:.1f}."
    )
    late = f"{fitted.late_share:.0%} of them sign in the last quarter of {fitted.horizon_weeks:.0f} weeks"
    console.print(
        f"{late}: who has not signed by then counts as never signing."
        if fitted.is_flat
        else f"{late}: they have not been followed long enough, and {chance.value:.1%} is a lower bound."
    )
    if fitted.kinds:
        console.print()
        console.print(_kind_table(fitted))
        console.print("Kinds borrow from each other. A kind written down after the outcome is known says little.")
    for reason, rows in contacts.rejected_by_reason().items():
        console.print(f"Not used, {one_line(reason)}: {count_of(rows, 'row')}.")
    console.print()
    if checked is None:
        console.print("Too few weeks or contacts to predict the later ones from the earlier.")
        return
    console.print(
        f"Check: the contacts before {checked.from_date} predict that {interval(checked.predicted, '.1%')} of the "
        f"{checked.contacts:,} after sign within {checked.within_weeks:.0f} weeks; {checked.observed:.1%} did"
        + ("." if checked.holds else ", which is outside.")
    )


def _kind_table(fitted: Recruiting) -> Any:
    table = make_table("kind", "contacts", "signed", "alone", "with the\nothers", "90% interval")
    for kind in fitted.kinds:
        chance = kind.sign_probability
        table.add_row(
            one_line(kind.name),
            f"{kind.contacts:,}",
            f"{kind.signed:,}",
            f"{kind.alone:.1%}",
            f"{chance.value:.1%}",
            f"{chance.low:.1%}-{chance.high:.1%}",
        )
    return table
