"""What a calibration found, in words: the sentences and tables that the terminal and the screens have in common.

Left out: any computing. A number told here is a field of what calibrate returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nexthour.report.numbers import count_of, exponents, usd
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
    taken = ""
    if fit.open_used:
        # To the dollar, to be held against the export.
        taken = f", with {count_of(fit.open_used, 'open deal')} of ${fit.open_usd:,} as its open pipeline"
    return f"fitted to {count_of(fit.closed_used, 'closed deal')}{taken}"


def rows_read(fit: Fit) -> str:
    return f"Rows read {fit.rows_read:,} = used {fit.rows_used:,} + not used {len(fit.rejected):,}."


def fit_rows(rows: Sequence[dict[str, Any]]) -> TextTable:
    """The report of a fit, a row for each segment and route."""
    headers = ("segment", "route", "deals", "a\nquarter", "won", "fitted", "90%\ninterval", "median\namount")
    told = (
        (
            one_line(row["segment"]),
            row["route"],
            f"{row['deals']:,}",
            f"{row['deals a quarter']:,.0f}",
            f"{row['observed win rate']:.0%}",
            f"{row['win rate']:.0%}",
            f"{row['win rate low']:.0%}-{row['win rate high']:.0%}",
            usd(row["median amount"]),
            usd(row["mean amount"]),
            f"{row['cycle weeks']:.1f}",
        )
        for row in rows
    )
    return TextTable((*headers, "mean\namount", "cycle\nweeks"), tuple(told))


def fewer_hours(fit: Fit, share: str) -> str:
    """What was done for one manager to have time for the deals, if anything; `share` is where their share is said."""
    if fit.hours_scale >= 1:
        return ""
    return (
        f"A deal takes {fit.hours_scale:.2g} times the template's hours, so that one manager has time for these deals. "
        f"If several people sell in this export, say which share is this territory's ({share})."
    )


def checked_again(checks: Sequence[Check], rows: int) -> Iterator[str]:
    """Whether the simulated funnel gives back what it was fitted to."""
    shown: dict[str, Callable[[float], str]] = {
        "win rate": "{:.1%}".format,
        "cycle weeks": "{:.1f}".format,
        "deals a quarter": "{:.1f}".format,
    }
    off = [check for check in checks if not check.agrees]
    yield f"Simulated again: {len(checks) - len(off)} of {count_of(len(checks), 'figure')} agree with the fit."
    for its in off:
        words = shown.get(its.what, usd)
        yield (
            f"{one_line(its.segment)}, {its.route}, {its.what}: {words(its.fitted)} fitted, "
            f"{words(its.simulated)} simulated (allowed: {words(its.tolerance)} off)"
        )
    missing = rows - len({(check.segment, check.route) for check in checks})
    if missing:
        yield f"Nothing can be said of {count_of(missing, 'row')} of {rows}: too few simulated deals."


# Partners


def labels_right(intake: Intake) -> str:
    """How many partners, and how many of their labels are right, as the end of a sentence."""
    right, n = intake.labels_right, len(intake.estimates)
    many = f"; of their labels about {right.likely:.0f} are right (90%: {right.low:.0f} to {right.high:.0f} of {n})"
    return f"{count_of(n, 'partner')}{many if n > 2 else ''}"


def intake_rows(intake: Intake, before: Scenario) -> TextTable:
    from sim.terms import TREATMENTS

    powers = exponents(before)
    headers = ("partner", "treat as", "how sure", "wins as often\nas you", "brings\nof 100 deals", "help asked\nh/week")
    told = (
        (
            one_line(estimate.row.partner),
            TREATMENTS[estimate.label],
            f"{estimate.how_sure}, {estimate.kinds[estimate.label]:.0%}",
            _percent(estimate.skill, powers["skill"], "%"),
            _percent(estimate.engagement, powers["engagement"], ""),
            f"{estimate.reactive_support_hours.likely:.1f}",
        )
        for estimate in intake.estimates
    )
    return TextTable(headers, tuple(told))


def about_intake(intake: Intake) -> str:
    return (
        f"In brackets: 90% intervals, of the mean over the last {intake.weeks:g} weeks. Maintain, Develop, Limit: an "
        "Achiever, a Believer, a Deceiver to the model."
    )


def to_be_surer(intake: Intake) -> list[str]:
    """What to ask or watch, of each partner that is not known well, the least sure first."""
    unsure = [estimate for estimate in intake.estimates if estimate.how_sure != "sure" or estimate.row.wins is None]
    unsure.sort(key=lambda its: its.kinds[its.label])
    return [f"{one_line(its.row.partner)}: {its.to_settle}" for its in unsure]


def gone(before: Scenario, made: Scenario) -> str:
    """Which partners of the scenario were not in the table, if there are any."""
    names = [p.name for p in before.partners if p.name not in {q.name for q in made.partners}]
    return f"Not in the table, so no longer in the scenario: {one_line(', '.join(names))}." if names else ""


def _percent(level: Range, exponent: float, unit: str) -> str:
    """A level as what it does to deals, of a hundred, with its interval."""
    low, likely, high = (f"{100 * value**exponent:.0f}" for value in (level.low, level.likely, level.high))
    return f"{likely}{unit} ({low}-{high})"


# Judgement


def people(judgement: Judgement) -> str:
    said_by = len({opinion.person for opinion in judgement.opinions})
    return "1 person" if said_by == 1 else f"{said_by} people"


def opinion_rows(judgement: Judgement, before: Scenario) -> Iterator[TextTable]:
    """A table for each activity: what each person says, what all say together, and what the scenario had before."""
    from sim.plan import ACTIVITY_WORDS

    for activity in dict.fromkeys(opinion.activity for opinion in judgement.opinions):
        stock = "skill" if activity == "coach" else "engagement"
        headers = (ACTIVITY_WORDS[activity], f"most {stock} gained\nin a week", "hours a week\nfor 63% of it", "")
        told = []
        for opinion in (its for its in judgement.opinions if its.activity == activity):
            used = "left out, see below" if opinion.missed else "changes nothing" if opinion.tau is None else ""
            told.append((one_line(opinion.person), _interval(opinion.gain), _interval(opinion.tau), used))
        fields = f"{activity}_gain_per_week", f"{activity}_tau_hours"
        old = [getattr(before.assumptions, field) for field in fields]
        new = [judgement.ranges.get(field, its) for field, its in zip(fields, old, strict=True)]
        told.append((ALL_OF_THEM, _interval(new[0]), _interval(new[1]), "in the scenario now"))
        told.append(("before", _interval(old[0]), _interval(old[1]), ""))
        yield TextTable(headers, tuple(told))


def answer_rows(judgement: Judgement) -> TextTable:
    from sim.plan import ACTIVITY_WORDS
    from sim.terms import TREATMENTS

    told = []
    for _, row, answers in _by_row(judgement):
        said = (answers.get(question) for question in QUESTION_WORDS)
        cells = ["" if its is None else f"{100 * its[0]:.0f} / {100 * its[1]:.0f}" for its in said]
        whom = TREATMENTS.get(row.partner, row.partner)
        told.append((one_line(row.person), one_line(whom), ACTIVITY_WORDS[row.activity], *cells))
    headers = ("person", "partner", "help", *(words.replace(" it ", " it\n") for words in QUESTION_WORDS.values()))
    return TextTable(headers, tuple(told))


def doubts(judgement: Judgement) -> Iterator[str]:
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
            worst = max(missed, key=lambda answer: abs(answer.stated - answer.fitted))
            yield (
                f"{who}: the model cannot say that {QUESTION_WORDS[worst.question]} gives {worst.stated:.2g} times "
                f"today's sales, only {worst.fitted:.2g} times beside the other answers; {one_line(row.person)} is "
                "left out of the range."
            )


def _interval(value: Range | None) -> str:
    return "" if value is None else f"{value.likely:.2g} ({value.low:.2g}-{value.high:.2g})"


def _by_row(judgement: Judgement) -> Iterator[tuple[Opinion, JudgementRow, dict[str, tuple[float, float]]]]:
    """Each row of the table with what was said and fitted, by question."""
    for opinion in judgement.opinions:
        for row in dict.fromkeys(answer.row for answer in opinion.answers):
            yield opinion, row, {a.question: (a.stated, a.fitted) for a in opinion.answers if a.row is row}
