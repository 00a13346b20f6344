"""Today's split from an audited calendar.

A calendar has hours a week; a split has shares of the manager's hours left after reactive support (docs/model.md). So
the audited hours a week of each partner activity, of each partner and of prospecting are kept, and the rest of the
scenario's hours is selling: calls and mails that are in no calendar, and events without a rule, count as that.

Left out: support, which stays the scenario's judgement, and that partners get different mixes: a split has one.
"""

from collections.abc import Iterator
from math import floor

from nexthour.calibrate.calendar.audit import AUDITED_WORDS, PARTNER_WORK, Audit
from sim import Scenario, TableError
from sim.documents.messages import guess
from sim.split import Split
from sim.split_hours import expected_support
from sim.terms import PARTNER_ACTIVITIES

UNKNOWN_WARNED, UNKNOWN_REFUSED = 0.1, 0.25
"""Shares of hours without a rule above which a split comes with a warning, and is refused. Judgement."""
FEWEST_WEEKS_WORKED = 4
"""Weeks below which an audit is called short. Judgement."""
NOTEWORTHY_HOURS = 0.25
"""Hours a week; smaller differences are not worth a sentence."""
DIGITS = 4


def with_status_quo(scenario: Scenario, audit: Audit) -> Scenario:
    """The scenario with the audited split as its status quo. Raises TableError, one sentence, if it cannot be."""
    _check_names(scenario, audit)
    _check_hours(scenario, audit)
    today = scenario.status_quo
    partner = audit.hours_per_week(*PARTNER_ACTIVITIES)
    free = _free_hours(scenario, audit)
    by_partner = audit.hours_by_partner(PARTNER_WORK)
    by_activity = {activity: audit.hours_per_week(activity) for activity in PARTNER_ACTIVITIES}
    changes = {
        "partner_share": _round_down(partner / free),
        "prospect_share": _round_down(audit.hours_per_week("prospect") / free),
        "mix": _round_to_one({activity: hours / partner for activity, hours in by_activity.items() if hours > 0}),
        "focus": {name: round(hours, 3) for name, hours in by_partner.items()} if by_partner else today.focus,
        "park": _still_parked(scenario, audit),
    }
    kept = {name: value for name, value in today if name in today.model_fields_set}
    split = Split.model_validate({**kept, **changes})
    period = audit.period
    about = f"Status quo: hours of {audit.name}, {period.first} to {period.last}, {audit.weeks:.1f} weeks with work."
    source = f"{about} {scenario.source}"[:4000]
    return scenario.variant(status_quo=split, source=source)


def remarks(scenario: Scenario, audit: Audit) -> list[str]:
    """Remarks for whoever uses the split, a sentence each. Raises TableError as with_status_quo does."""
    audited = with_status_quo(scenario, audit)
    return [*remarks_on_calendar(audit), *_remarks_on_split(audited, audit)]


def remarks_on_calendar(audit: Audit) -> Iterator[str]:
    """Remarks on the audit that need no scenario, a sentence each."""
    if audit.weeks < FEWEST_WEEKS_WORKED:
        yield f"{audit.weeks:.1f} weeks are few to speak of a usual week."
    if not audit.knows_me:
        yield "The rules have no address under `me`: declined invitations count as attended."
    if audit.unknown_share > UNKNOWN_WARNED:
        yield f"{audit.unknown_share:.0%} of the hours have no rule; give the largest of them rules."


def _remarks_on_split(scenario: Scenario, audit: Audit) -> Iterator[str]:
    partner, free = audit.hours_per_week(*PARTNER_ACTIVITIES), _free_hours(scenario, audit)
    recorded = audit.hours_per_week() - audit.hours_per_week("support")
    missing = free - recorded
    if missing > NOTEWORTHY_HOURS:
        yield (
            f"{missing:.1f} h a week are in no calendar or have no rule, and count as selling; split as the "
            f"others are, they would make the partner share {partner / recorded:.0%} instead of {partner / free:.0%}."
        )
    elif missing < -NOTEWORTHY_HOURS:
        yield f"The scenario's support leaves {-missing:.1f} h a week less for selling than the calendar has."
    support, assumed = audit.hours_per_week("support"), scenario.territory_manager.hours_per_week - free
    if abs(support - assumed) > NOTEWORTHY_HOURS:
        yield f"Support is {support:.1f} h a week in the calendar, and stays {assumed:.1f} h in the scenario."
    most_off = _most_off_the_mix(audit)
    if most_off > NOTEWORTHY_HOURS:
        yield (
            "A split has one mix for all partners: hours of one activity with one partner are up to "
            f"{most_off:.1f} h a week off."
        )
    parked = sorted({*audit.hours_by_partner((*PARTNER_WORK, "support"))} & {*scenario.status_quo.park})
    if parked:
        yield f"Hours of support went to {', '.join(parked)}, parked in the scenario."


def _free_hours(scenario: Scenario, audit: Audit) -> float:
    parked = _still_parked(scenario, audit)
    working = [partner.name for partner in scenario.partners if partner.name not in parked]
    support = sum(expected_support(scenario, name) for name in working)
    return max(0.0, scenario.territory_manager.hours_per_week - support)


def _still_parked(scenario: Scenario, audit: Audit) -> tuple[str, ...]:
    worked_with = audit.hours_by_partner(PARTNER_WORK)
    return tuple(name for name in scenario.status_quo.park if name not in worked_with)


def _round_down(share: float) -> float:
    """A share to a few digits, never rounded up: two shares of a full week must not sum to more than 1."""
    return floor(share * 10**DIGITS) / 10**DIGITS


def _round_to_one(shares: dict[str, float]) -> dict[str, float]:
    """Shares to a few digits that still sum to 1: the largest takes what rounding leaves."""
    rounded = {name: round(share, DIGITS) for name, share in shares.items()}
    largest = max(rounded, key=lambda name: rounded[name])
    rest = 1 - sum(share for name, share in rounded.items() if name != largest)
    return {name: round(rest, DIGITS) if name == largest else share for name, share in rounded.items()}


def _most_off_the_mix(audit: Audit) -> float:
    """The most by which hours a week of one activity with one partner differ from the product of mix and focus."""
    by_partner, total = audit.hours_by_partner(PARTNER_WORK), audit.hours_per_week(*PARTNER_WORK)
    return max(
        (
            abs(audit.hours_by_partner((activity,)).get(name, 0.0) - audit.hours_per_week(activity) * hours / total)
            for activity in PARTNER_WORK
            for name, hours in by_partner.items()
        ),
        default=0.0,
    )


def _check_names(scenario: Scenario, audit: Audit) -> None:
    partners, candidates = ([member.name for member in group] for group in (scenario.partners, scenario.candidates))
    for activities, work, known, kind in (
        (PARTNER_WORK, "partner work", partners, "partner"),
        (("recruit",), AUDITED_WORDS["recruit"], candidates, "candidate"),
    ):
        for name in audit.hours_by_partner(activities):
            if name not in known:
                raise TableError(
                    f"{audit.name}: hours of {work} with {name}, which is no {kind} of {scenario.name}; "
                    f"{guess(name, known)}"
                )


def _check_hours(scenario: Scenario, audit: Audit) -> None:
    available = scenario.territory_manager.hours_per_week
    recorded, partner = audit.hours_per_week(), audit.hours_per_week(*PARTNER_ACTIVITIES)
    planned = partner + audit.hours_per_week("prospect")
    if audit.unknown_share > UNKNOWN_REFUSED:
        raise TableError(
            f"{audit.name}: {audit.unknown_share:.0%} of the hours have no rule; allowed: at most "
            f"{UNKNOWN_REFUSED:.0%}; give the largest of them rules"
        )
    if partner == 0:
        raise TableError(
            f"{audit.name}: no hour of it is partner work; if that is so, set partner_share of status_quo to 0, else "
            "give the rules words or domains of partners"
        )
    if recorded > available + NOTEWORTHY_HOURS:
        raise TableError(
            f"{audit.name}: {recorded:.1f} h a week are allocatable work, more than the {available:g} of "
            f"territory_manager.hours_per_week; raise it, or give what cannot be allocated the activity other"
        )
    if planned > _free_hours(scenario, audit):
        raise TableError(
            f"{audit.name}: {planned:.1f} h a week of partner work and prospecting are more than the "
            f"{_free_hours(scenario, audit):.1f} that the scenario leaves after support; raise "
            "territory_manager.hours_per_week or lower reactive_support_hours"
        )
