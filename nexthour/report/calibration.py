"""What a calibration found, in words: the sentences and tables that the terminal and the screens have in common.

Left out: any computing. A number here is a field of what calibrate returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nexthour.report.numbers import (
    count_of,
    digits,
    exponents,
    plain_whole,
    tenths,
    tenths_percent,
    usd,
    whole,
    whole_percent,
)
from nexthour.report.text import one_line

if TYPE_CHECKING:
    from nexthour.calibrate import Check, Fit
    from nexthour.calibrate.people.judgement import Judgement, JudgementRow, Opinion
    from nexthour.calibrate.people.partner_intake import Intake
    from sim import Scenario
    from sim.ranges import Range

QUESTION_WORDS = {
    "with_none": "none",
    "with_half_more": "half more",
    "with_double": "double",
    "with_all_it_can_use": "all it can use",
}
"""How much help a question of a judgement asks about; today is what the others are compared with."""
ALL_OF_THEM = "all of them"
ABOUT_FIT = (
    "Win rate: as counted, and as fitted with its 90% interval, after what quarters share and other segments lend. "
    "Amounts are of won deals. A quarter: deals of the whole table."
)
ABOUT_PEOPLE = "In brackets: 90% of each person; of all of them, the widest of these."
ABOUT_ANSWERS = "What each said a partner would sell, today = 100, and what the model then says"
ABOUT_WHOM = "Maintain, Develop, Limit as a partner: any Achiever, Believer, Deceiver of the scenario."


@dataclass(frozen=True)
class TextTable:
    """A table in words. A header may hold line breaks, where there is little room."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


# Deals


def fitted_to(fit: Fit) -> str:
    """What a scenario was fitted to, as the end of a sentence."""
    # To the dollar, to be held against the export.
    taken = f", with {count_of(fit.open_used, 'open deal')} of ${whole(fit.open_usd)} as its open pipeline"
    return f"fitted to {count_of(fit.closed_used, 'closed deal')}{taken if fit.open_used else ''}"


def rows_read(fit: Fit) -> str:
    """How many rows were read, used and not used."""
    return f"Rows read {whole(fit.rows_read)} = used {whole(fit.rows_used)} + not used {whole(len(fit.rejected))}."


def fit_table(rows: Sequence[dict[str, Any]]) -> TextTable:
    """What was fitted, a row for each segment and route."""
    headers = ("segment", "route", "deals", "a\nquarter", "won", "fitted", "90%\ninterval", "median\namount")
    cells = (
        (
            one_line(row["segment"]),
            row["route"],
            whole(row["deals"]),
            whole(row["deals a quarter"]),
            whole_percent(row["observed win rate"]),
            whole_percent(row["win rate"]),
            f"{whole_percent(row['win rate low'])}-{whole_percent(row['win rate high'])}",
            usd(row["median amount"]),
            usd(row["mean amount"]),
            tenths(row["cycle weeks"]),
        )
        for row in rows
    )
    return TextTable((*headers, "mean\namount", "cycle\nweeks"), tuple(cells))


def scaled_hours(fit: Fit, share: str) -> str:
    """What was done for one manager to have time for the deals, if anything; `share` is where their share is said."""
    if fit.hours_scale >= 1:
        return ""
    return (
        f"A deal takes {digits(fit.hours_scale, 2)} times the template's hours, so that one manager has time for these "
        f"deals. If several people sell in this export, say which share is this territory's ({share})."
    )


def check_lines(checks: Sequence[Check], rows: int) -> Iterator[str]:
    """Say whether the simulated funnel gives back what it was fitted to, and each figure that it does not."""
    shown: dict[str, Callable[[float], str]] = {
        "win rate": tenths_percent,
        "cycle weeks": tenths,
        "deals a quarter": tenths,
    }
    off = [check for check in checks if not check.agrees]
    yield f"Simulated again: {len(checks) - len(off)} of {count_of(len(checks), 'figure')} agree with the fit."
    for check in off:
        words = shown.get(check.what, usd)
        yield (
            f"{one_line(check.segment)}, {check.route}, {check.what}: {words(check.fitted)} fitted, "
            f"{words(check.simulated)} simulated (allowed: {words(check.tolerance)} off)"
        )
    missing = rows - len({(check.segment, check.route) for check in checks})
    if missing:
        yield f"Nothing can be said of {count_of(missing, 'row')} of {rows}: too few simulated deals."


# Partners


def label_accuracy(intake: Intake) -> str:
    """The number of partners, and how many of their labels are right, as the end of a sentence."""
    right, n = intake.labels_right, len(intake.estimates)
    low, likely, high = map(plain_whole, (right.low, right.likely, right.high))
    many = f"; of their labels about {likely} are right (90%: {low} to {high} of {n})"
    return f"{count_of(n, 'partner')}{many if n > 2 else ''}"


def intake_table(intake: Intake, before: Scenario) -> TextTable:
    """What was inferred of each partner: how to treat it, how sure that is, and what it does to deals."""
    from sim.terms import TREATMENTS

    powers = exponents(before)
    headers = ("partner", "treat as", "how sure", "wins as often\nas you", "brings\nof 100 deals", "help asked\nh/week")
    rows = (
        (
            one_line(estimate.row.partner),
            TREATMENTS[estimate.label],
            f"{estimate.how_sure}, {whole_percent(estimate.kinds[estimate.label])}",
            _deals_of_100(estimate.skill, powers["skill"], "%"),
            _deals_of_100(estimate.engagement, powers["engagement"], ""),
            tenths(estimate.reactive_support_hours.likely),
        )
        for estimate in intake.estimates
    )
    return TextTable(headers, tuple(rows))


def intake_notes(intake: Intake) -> str:
    """What the brackets and words of the table of partners mean."""
    return (
        f"In brackets: 90% intervals, of the mean over the last {digits(intake.weeks, 6)} weeks. Maintain, Develop, "
        "Limit: an Achiever, a Believer, a Deceiver to the model."
    )


def open_questions(intake: Intake) -> list[str]:
    """What to ask or watch of each partner that is not known well, the least sure first."""
    unsure = [estimate for estimate in intake.estimates if estimate.how_sure != "sure" or estimate.row.wins is None]
    unsure.sort(key=lambda estimate: estimate.kinds[estimate.label])
    return [f"{one_line(estimate.row.partner)}: {estimate.to_settle}" for estimate in unsure]


def missing_partners(before: Scenario, made: Scenario) -> str:
    """The partners of the scenario that are not in the table, in a sentence; empty if all are."""
    names = [p.name for p in before.partners if p.name not in {q.name for q in made.partners}]
    return f"Not in the table, so no longer in the scenario: {one_line(', '.join(names))}." if names else ""


def _deals_of_100(level: Range, exponent: float, unit: str) -> str:
    """A level as what it does to deals, of a hundred, with its interval."""
    low, likely, high = (plain_whole(100 * value**exponent) for value in (level.low, level.likely, level.high))
    return f"{likely}{unit} ({low}-{high})"


# Judgement


def people_count(judgement: Judgement) -> str:
    """The number of people who answered."""
    number = len({opinion.person for opinion in judgement.opinions})
    return "1 person" if number == 1 else f"{number} people"


def opinion_tables(judgement: Judgement, before: Scenario) -> Iterator[TextTable]:
    """A table for each activity: what each person says, what all say together, and what the scenario had before."""
    from sim.plan import ACTIVITY_WORDS

    for activity in dict.fromkeys(opinion.activity for opinion in judgement.opinions):
        stock = "skill" if activity == "coach" else "engagement"
        headers = (ACTIVITY_WORDS[activity], f"most {stock} gained\nin a week", "hours a week\nfor 63% of it", "")
        rows = []
        for opinion in (opinion for opinion in judgement.opinions if opinion.activity == activity):
            used = "left out, see below" if opinion.missed else "changes nothing" if opinion.tau is None else ""
            rows.append((one_line(opinion.person), _range(opinion.gain), _range(opinion.tau), used))
        fields = f"{activity}_gain_per_week", f"{activity}_tau_hours"
        old = [getattr(before.assumptions, field) for field in fields]
        new = [judgement.ranges.get(field, value) for field, value in zip(fields, old, strict=True)]
        rows.append((ALL_OF_THEM, _range(new[0]), _range(new[1]), "in the scenario now"))
        rows.append(("before", _range(old[0]), _range(old[1]), ""))
        yield TextTable(headers, tuple(rows))


def answer_table(judgement: Judgement) -> TextTable:
    """What each person said of each partner and kind of help, and what the model then says, today = 100."""
    from sim.plan import ACTIVITY_WORDS
    from sim.terms import TREATMENTS

    rows = []
    for _, row, answers in _by_row(judgement):
        pairs = (answers.get(question) for question in QUESTION_WORDS)
        cells = [" / ".join(plain_whole(100 * answer) for answer in pair or ()) for pair in pairs]
        whom = TREATMENTS.get(row.partner, row.partner)
        rows.append((one_line(row.person), one_line(whom), ACTIVITY_WORDS[row.activity], *cells))
    headers = ("person", "partner", "help", *(words.replace(" it ", " it\n") for words in QUESTION_WORDS.values()))
    return TextTable(headers, tuple(rows))


def doubt_lines(judgement: Judgement) -> Iterator[str]:
    """Whatever the answers hold that the model cannot say, a sentence each."""
    for opinion, row, _ in _by_row(judgement):
        who = f"{one_line(row.person)} on {one_line(row.partner)}"
        if row.rises_faster_later():
            yield (
                f"{who}: later hours are said to bring more than the first ones; in the model the first hour is always "
                "worth most, so this is lost."
            )
        missed = [answer for answer in opinion.missed if answer.row is row]
        if missed:
            worst = max(missed, key=lambda answer: abs(answer.stated - answer.fitted))
            yield (
                f"{who}: the model cannot say that {QUESTION_WORDS[worst.question]} gives {digits(worst.stated, 2)} "
                f"times today's sales, only {digits(worst.fitted, 2)} times beside the other answers; "
                f"{one_line(row.person)} is left out of the range."
            )


def _range(value: Range | None) -> str:
    """The likely value of a range with both ends; empty if there is none."""
    return "" if value is None else f"{digits(value.likely, 2)} ({digits(value.low, 2)}-{digits(value.high, 2)})"


def _by_row(judgement: Judgement) -> Iterator[tuple[Opinion, JudgementRow, dict[str, tuple[float, float]]]]:
    """Each row of the table with what was said and fitted, by question."""
    for opinion in judgement.opinions:
        for row in dict.fromkeys(answer.row for answer in opinion.answers):
            yield opinion, row, {a.question: (a.stated, a.fitted) for a in opinion.answers if a.row is row}
