"""What the terminal shows of a calibration: what was read, fitted and rejected, and what the data could not say.

Left out: any computing. A number printed here is a field of what calibrate returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from telling import CAVEAT, count, one_line, usd
from terminal import make_table, plain_console

if TYPE_CHECKING:
    from calibrate import Backtest, Check, Fit
    from calibrate.calendar_audit import Audit
    from calibrate.contacts import Contacts
    from calibrate.judgement import Judgement, JudgementRow, Opinion
    from calibrate.partners import Intake
    from calibrate.proposal import Proposal
    from calibrate.recruiting import HoldOut, Recruiting
    from sim import Scenario
    from sim.scenario import Range

REASONS_SHOWN = 5
QUESTION_WORDS = {
    "with_none": "none",
    "with_half_more": "half more",
    "with_double": "double",
    "with_all_it_can_use": "all it can use",
}
"""How much help a question of a judgement asks about; today is what the others are compared with."""
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
        for question in questions:
            console.print(f"  {one_line(question)}")
    else:
        console.print("Nothing is open; read it through before you use it.")


def print_fit(fit: Fit, out: str, checks: Sequence[Check]) -> None:
    reasons = fit.rejected_by_reason()
    console = plain_console()
    taken = ""
    if fit.open_used:
        taken = f", with {count(fit.open_used, 'open deal')} of {_whole_usd(fit.open_usd)} as its open pipeline"
    console.print(f"Wrote {out}, fitted to {count(fit.closed_used, 'closed deal')}{taken}.", style="bold")
    console.print(f"Rows read {fit.rows_read:,} = used {fit.rows_used:,} + not used {len(fit.rejected):,}.")
    console.print()
    console.print(calibration_table(fit.report_rows()))
    console.print(
        "Win rate: as counted, and as fitted with its 90% interval, after what quarters share and other segments lend. "
        "Amounts are of won deals. A quarter: deals of the whole table."
    )
    if fit.hours_scale < 1:
        console.print(
            f"A deal takes {fit.hours_scale:.2g} times the template's hours, so that one manager has time for these "
            "deals. If several people sell in this export, say which share is this territory's (--fraction)."
        )
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
    console.print()
    console.print("What the table could not say:")
    for sentence in fit.silent:
        console.print(f"  {one_line(sentence)}")


def _checked_again(checks: Sequence[Check], rows: int) -> Iterator[str]:
    """Whether the simulated funnel gives back what it was fitted to."""
    shown: dict[str, Callable[[float], str]] = {
        "win rate": "{:.1%}".format,
        "cycle weeks": "{:.1f}".format,
        "deals a quarter": "{:.1f}".format,
    }
    off = [check for check in checks if not check.agrees]
    yield f"Simulated again: {len(checks) - len(off)} of {count(len(checks), 'figure')} agree with the fit."
    for its in off:
        words = shown.get(its.what, usd)
        yield (
            f"  {one_line(its.segment)}, {its.route}, {its.what}: {words(its.fitted)} fitted, "
            f"{words(its.simulated)} simulated (allowed: {words(its.tolerance)} off)"
        )
    missing = rows - len({(its.segment, its.route) for its in checks})
    if missing:
        yield f"  Nothing can be said of {count(missing, 'row')} of {rows}: too few simulated deals."


def _whole_usd(amount: int) -> str:
    """To the dollar, to be held against the export."""
    return f"${amount:,}"


def calibration_table(rows: list[dict[str, Any]]) -> Any:
    first = ("segment", "route", "deals", "a\nquarter", "won", "fitted", "90%\ninterval")
    table = make_table(*first, "median\namount", "mean\namount", "cycle\nweeks")
    for its in rows:
        table.add_row(
            its["segment"],
            its["route"],
            f"{its['deals']:,}",
            f"{its['deals a quarter']:,.0f}",
            f"{its['observed win rate']:.0%}",
            f"{its['win rate']:.0%}",
            f"{its['win rate low']:.0%}-{its['win rate high']:.0%}",
            usd(its["median amount"]),
            usd(its["mean amount"]),
            f"{its['cycle weeks']:.1f}",
        )
    return table


def print_backtest(result: Backtest) -> None:
    console = plain_console()
    inside = sum(its.inside for its in result.predictions)
    console.print(
        f"{inside:,} of {count(len(result.predictions), 'number')} held out lie in their 90% interval "
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
    from sim.scenario import TREATMENTS

    console, right, n = plain_console(), intake.labels_right, len(intake.estimates)
    many = f"; of their labels about {right.likely:.0f} are right (90%: {right.low:.0f} to {right.high:.0f} of {n})"
    console.print(f"Wrote {out}: {count(n, 'partner')}{many if n > 2 else ''}.", style="bold")
    console.print()
    alpha, beta = before.assumptions.skill_exponent.likely, before.assumptions.engagement_exponent.likely
    table = make_table(
        "partner", "treat as", "how sure", "wins as often\nas you", "brings\nof 100 deals", "help asked\nh/week"
    )
    for its in intake.estimates:
        table.add_row(
            one_line(its.row.partner),
            TREATMENTS[its.label],
            f"{its.how_sure}, {its.kinds[its.label]:.0%}",
            _percent(its.skill, alpha, "%"),
            _percent(its.engagement, beta, ""),
            f"{its.reactive_support_hours.likely:.1f}",
        )
    console.print(table)
    console.print(
        f"In brackets: 90% intervals, of the mean over the last {intake.weeks:g} weeks. Maintain, Develop, Limit: an "
        "Achiever, a Believer, a Deceiver to the model."
    )
    unsure = [its for its in intake.estimates if its.how_sure != "sure" or its.row.wins is None]
    if unsure:
        console.print()
        console.print("To be surer, ask or watch:")
        for its in sorted(unsure, key=lambda its: its.kinds[its.label]):
            console.print(f"  {one_line(its.row.partner)}: {its.to_settle}", soft_wrap=True)
    gone = [p.name for p in before.partners if p.name not in {q.name for q in made.partners}]
    if gone:
        console.print()
        console.print(f"Not in the table, so no longer in the scenario: {one_line(', '.join(gone))}.")
    for sentence in mend:
        console.print()
        console.print(f"To be mended in {out}: {one_line(sentence)}.")


def _percent(level: Range, exponent: float, unit: str) -> str:
    """A level as what it does to deals, of a hundred, with its interval."""
    low, likely, high = (f"{100 * value**exponent:.0f}" for value in (level.low, level.likely, level.high))
    return f"{likely}{unit} ({low}-{high})"


def print_judgement(judgement: Judgement, before: Scenario, out: str) -> None:
    from sim.plan import ACTIVITY_WORDS

    console = plain_console()
    said_by = len({opinion.person for opinion in judgement.opinions})
    people = "1 person" if said_by == 1 else f"{said_by} people"
    console.print(f"Wrote {out}, with what {people} said.", style="bold")
    for activity in dict.fromkeys(opinion.activity for opinion in judgement.opinions):
        theirs = [opinion for opinion in judgement.opinions if opinion.activity == activity]
        stock = "skill" if activity == "coach" else "engagement"
        table = make_table(
            ACTIVITY_WORDS[activity], f"most {stock} gained\nin a week", "hours a week\nfor 63% of it", ""
        )
        for opinion in theirs:
            used = "left out, see below" if opinion.missed else "changes nothing" if opinion.tau is None else ""
            table.add_row(one_line(opinion.person), _interval(opinion.gain), _interval(opinion.tau), used)
        fields = f"{activity}_gain_per_week", f"{activity}_tau_hours"
        old = [getattr(before.assumptions, field) for field in fields]
        new = [judgement.ranges.get(field, its) for field, its in zip(fields, old, strict=True)]
        table.add_row("all of them", *map(_interval, new), "in the scenario now", style="bold")
        table.add_row("before", *map(_interval, old), "")
        console.print()
        console.print(table)
    console.print("In brackets: 90% of each person; of all of them, the widest of these.")
    console.print()
    console.print("What each said a partner would sell, today = 100, and what the model then says")
    console.print(_answers_table(judgement))
    console.print("Maintain, Develop, Limit as a partner: any Achiever, Believer, Deceiver of the scenario.")
    for line in _doubts(judgement):
        console.print()
        console.print(line)
    console.print()
    console.print(CAVEAT)


def _interval(value: Range | None) -> str:
    return "" if value is None else f"{value.likely:.2g} ({value.low:.2g}-{value.high:.2g})"


def _answers_table(judgement: Judgement) -> Any:
    from sim.plan import ACTIVITY_WORDS
    from sim.scenario import TREATMENTS

    table = make_table(
        "person", "partner", "help", *(words.replace(" it ", " it\n") for words in QUESTION_WORDS.values())
    )
    for _, row, answers in _by_row(judgement):
        said = (answers.get(question) for question in QUESTION_WORDS)
        cells = ["" if its is None else f"{100 * its[0]:.0f} / {100 * its[1]:.0f}" for its in said]
        whom = TREATMENTS.get(row.partner, row.partner)
        table.add_row(one_line(row.person), one_line(whom), ACTIVITY_WORDS[row.activity], *cells)
    return table


def _by_row(judgement: Judgement) -> Iterator[tuple[Opinion, JudgementRow, dict[str, tuple[float, float]]]]:
    """Each row of the table with what was said and fitted, by question."""
    for opinion in judgement.opinions:
        for row in dict.fromkeys(answer.row for answer in opinion.answers):
            yield opinion, row, {a.question: (a.said, a.fitted) for a in opinion.answers if a.row is row}


def _doubts(judgement: Judgement) -> Iterator[str]:
    """What the answers hold that the model cannot say."""
    for opinion, row, _ in _by_row(judgement):
        who = f"{one_line(row.person)} on {one_line(row.partner)}"
        if row.rises_faster_later():
            yield (
                f"{who}: later hours are said to bring more than the first ones; in the model the first hour is always "
                "worth most, so this is lost."
            )
        missed = [answer for answer in opinion.missed if answer.row is row]
        if missed:
            worst = max(missed, key=lambda answer: abs(answer.said - answer.fitted))
            yield (
                f"{who}: the model cannot say that {QUESTION_WORDS[worst.question]} gives {worst.said:.2g} times "
                f"today's sales, only {worst.fitted:.2g} times beside the other answers; {one_line(row.person)} is "
                "left out of the range."
            )


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
        f"{audit.read_hours:,.1f} hours of {count(audit.events, 'event')} read = {explained:,.1f} with a rule + "
        f"{unknown:,.1f} without + {left_out:,.1f} left out + {audit.shared_hours:,.1f} at the same time as others "
        "(events at the same time share it)."
    )
    for its in audit.left_out:
        console.print(f"  left out, {its.why}: {count(its.events, 'event')}, {its.hours:,.1f} hours{_days(its.days)}")
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
    from calibrate.calendar_audit import ALLOCATABLE, WORDS

    total = audit.hours_per_week()
    table = make_table("hours a week", "hours", "share")
    table.add_column("with", overflow="fold", vertical="bottom")
    for activity in (*ALLOCATABLE, "other"):
        hours = audit.hours_per_week(activity)
        if hours:
            each = sorted(audit.with_partners((activity,)).items(), key=lambda its: -its[1])
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
        f"({chance.low:.1%} to {chance.high:.1%}).",
        style="bold",
    )
    console.print(
        f"{fitted.signed:,} of {fitted.contacts:,} contacts of {fitted.first} to {fitted.last} in "
        f"{one_line(fitted.name)} had signed on {fitted.as_of}. Intervals are 90%"
        + (", and respect weeks." if fitted.by_week else "; weeks are too few to be respected.")
    )
    times = fitted.weeks_to_sign
    console.print(
        f"Half of those who sign do so in {times[0.5].value:.1f} weeks ({times[0.5].low:.1f} to "
        f"{times[0.5].high:.1f}), one in ten in {times[0.1].value:.1f}, nine in ten in {times[0.9].value:.1f}."
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
        console.print(f"Not used, {one_line(reason)}: {count(rows, 'row')}.")
    console.print()
    if checked is None:
        console.print("Too few weeks or contacts to predict the later ones from the earlier.")
        return
    console.print(
        f"Check: the contacts before {checked.from_date} predict that {checked.predicted.low:.1%} to "
        f"{checked.predicted.high:.1%} of the {checked.contacts:,} after sign within {checked.within_weeks:.0f} weeks; "
        f"{checked.observed:.1%} did" + ("." if checked.holds else ", which is outside.")
    )


def _kind_table(fitted: Recruiting) -> Any:
    table = make_table("kind", "contacts", "signed", "alone", "with the\nothers", "90% interval")
    for its in fitted.kinds:
        chance = its.sign_probability
        table.add_row(
            one_line(its.name),
            f"{its.contacts:,}",
            f"{its.signed:,}",
            f"{its.alone:.1%}",
            f"{chance.value:.1%}",
            f"{chance.low:.1%}-{chance.high:.1%}",
        )
    return table
