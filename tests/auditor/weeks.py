"""What happens between two weeks, step by step in the order of docs/model.md, and the hours of the week that begins."""

from __future__ import annotations

import math

from sim.ledger import NEVER, NOBODY, TICKS_PER_WEEK, Kind
from sim.terms import HISTORY_WEEKS, WEEKS_PER_QUARTER
from tests.auditor import deals, manager, numbers
from tests.auditor.state import BLOCK, BOUNDARY, PartnerStands, Story, Week

FIRST_LATE_WEEK = 10
ACCOUNT_MANAGER = {
    "coach": Kind.CAM_COACH,
    "joint_plan": Kind.CAM_JOINT_PLAN,
    "socialise": Kind.CAM_SOCIALISE,
    "recruit": Kind.CAM_RECRUIT,
}


def begin(story: Story) -> None:
    """The first week of the history, and everything that the tape has a date for."""
    boundary(story, -HISTORY_WEEKS)
    for week in range(1 - HISTORY_WEEKS, numbers.weeks_in(story.scenario)):
        story.due(week * TICKS_PER_WEEK - story.now, BOUNDARY, lambda week=week: boundary(story, week))  # type: ignore[misc]
    deals.next_arrival(story, story.market.open_deals)
    story.due(0, BLOCK, lambda: manager.week_begins(story))


def boundary(story: Story, week: int) -> None:
    """The seven steps of a week boundary."""
    if week > -HISTORY_WEEKS:
        remember_prospecting(story)
    if week > 0:
        for partner in story.partners:
            if partner.active:
                stocks(story, partner)
                leaves(story, partner)
        for partner in story.partners:
            signs(story, partner, week)
    if week == 0:
        open_pipeline(story)
    if week >= 0 and week % WEEKS_PER_QUARTER == 0:
        story.quarter = week // WEEKS_PER_QUARTER + 1
        story.row, story.credit_usd = story.rows[week // WEEKS_PER_QUARTER], 0.0
    story.week = lay_out(story, week)
    see(story, week)


# ---------------------------------------------------------------- 1. prospecting


def remember_prospecting(story: Story) -> None:
    """Prospecting of the week that ended enters its average, with the selling time that was spare."""
    manager.count_spare_time(story)
    spare, story.spare_ticks = story.hours(story.spare_ticks), 0
    shares = story.row.prospecting_shares
    if shares is None:
        values = [story.pool[s] * mean_amount(story, s) * story.win_chance(s) for s in range(len(story.segments))]
        shares = [value / sum(values) if sum(values) > 0 else 0.0 for value in values]
    planned = dict(story.week.prospecting)
    f = numbers.forgotten(story.scenario.assumptions.prospecting_half_life_weeks)
    for s, share in enumerate(shares):
        latest = story.hours(planned.get(s, 0)) + spare * share
        story.prospecting[s] += f * (latest - story.prospecting[s])
    story.met["spare selling time"] += spare > 0


def mean_amount(story: Story, s: int) -> float:
    """Mean of the lognormal amount."""
    segment = story.segments[s]
    return segment.deal_size_median_usd * math.exp(segment.deal_size_sigma**2 / 2)


# ---------------------------------------------------------------- 2. stocks and exits


def stocks(story: Story, partner: PartnerStands) -> None:
    """Skill and engagement, from the hours given, wins and conflicts of the week that ended."""
    a, nature, hours = story.scenario.assumptions, partner.nature, partner.hours
    parked = story.row.parked[partner.index]
    resting = 0.5 if parked else 1.0
    before = partner.skill, partner.engagement
    learned = (
        numbers.gain(a.coach_gain_per_week, hours["coach"], a.coach_tau_hours)
        + a.practice_gain_per_win.likely * partner.own_wins
        + a.guided_practice_gain_per_deal.likely * partner.guided
    )
    planned = numbers.gain(a.joint_plan_gain_per_week, hours["joint_plan"], a.joint_plan_tau_hours)
    liked = numbers.gain(a.socialise_gain_per_week, hours["socialise"], a.socialise_tau_hours)
    upset = a.conflict_penalty.likely * partner.conflicts
    partner.skill = numbers.next_stock(
        partner.skill,
        numbers.forgotten(a.skill_half_life_weeks),
        resting * nature.skill["alone"],
        nature.teachability * learned,
        nature.skill["ceiling"],
    )
    partner.engagement = numbers.next_stock(
        partner.engagement,
        numbers.forgotten(a.engagement_half_life_weeks),
        resting * nature.engagement["alone"],
        nature.teachability * planned + liked - upset,
        nature.engagement["ceiling"],
    )
    gains = f"learned {learned:.12g}, planned {planned:.12g}, liked {liked:.12g}, upset {upset:.12g}"
    partner.history = f"from {before[0]:.12g} and {before[1]:.12g}, {gains}, {nature}, {parked=}"
    note_stocks(story, partner, parked)


def note_stocks(story: Story, partner: PartnerStands, parked: bool) -> None:
    """Count the corners that stocks reached."""
    nature, hours = partner.nature, partner.hours
    for name, level, limits in (
        ("skill", partner.skill, nature.skill),
        ("engagement", partner.engagement, nature.engagement),
    ):
        if 0 < limits["ceiling"] < 1 and level == limits["ceiling"] > limits["start"]:
            story.met[f"{name} at a ceiling below 1"] += 1
        story.met[f"{name} falls to 0"] += level == 0 < limits["start"]
        story.met[f"{name} of a parked partner below its alone level"] += parked and level < limits["alone"] * 0.99
    taught = 0 < nature.teachability < 1
    story.met["socialising with teachability between 0 and 1"] += taught and hours["socialise"] > 0
    story.met["own win of a partner that can be taught"] += partner.own_wins > 0 and nature.teachability > 0
    story.met["guided practice"] += partner.guided > 0 and nature.teachability > 0
    story.met["engagement of a conflict"] += partner.conflicts > 0
    for name, level, limits in (
        ("skill", partner.skill, nature.skill),
        ("engagement", partner.engagement, nature.engagement),
    ):
        story.met[f"{name} drifts down to where it rests"] += (
            0 <= level - limits["alone"] < 1e-6 < limits["start"] - level
        )


def leaves(story: Story, partner: PartnerStands) -> None:
    """A partner leaves at the first week boundary after its time; its open deals end."""
    stays = int(story.market.exit_ticks[partner.index])
    if stays == NEVER or story.now < partner.active_since + stays:
        return
    partner.active = False
    story.write(Kind.LEFT, "leaves", partner=partner.index)
    partner.line = []
    for _, deal in sorted(partner.deals.items()):
        deals.close(story, deal, Kind.PARTNER_LEFT, "leaves")
    story.met["a partner that was signed leaves"] += numbers.candidate_of(partner.partner) is not None


# ---------------------------------------------------------------- 3. signings


def signs(story: Story, partner: PartnerStands, week: int) -> None:
    """A candidate that had its hours decides once; one whose onboarding ends becomes a partner."""
    candidate = numbers.candidate_of(partner.partner)
    if candidate is None:
        return
    if not partner.settled:
        partner.recruited += partner.hours["recruit"]
        if partner.recruited > 0 and partner.recruited >= candidate.recruiting_hours:
            partner.settled = True
            if float(story.market.signing[partner.index]) < candidate.sign_probability:
                story.write(Kind.SIGNED, "decides", partner=partner.index)
                partner.onboarded_week = week + candidate.onboarding_weeks
            else:
                story.write(Kind.DECLINED, "decides", partner=partner.index)
    if partner.onboarded_week == week:
        partner.active, partner.active_since = True, story.now
        story.write(Kind.ONBOARDED, "decides", partner=partner.index)


# ---------------------------------------------------------------- 4. the open pipeline


def open_pipeline(story: Story) -> None:
    """The scenario's open pipeline, if there is one, replaces the simulated one."""
    if story.scenario.open_pipeline is None:
        return
    history = [*story.own.values(), *(deal for partner in story.partners for deal in partner.deals.values())]
    for deal in sorted(history, key=lambda deal: deal.id):
        deals.close(story, deal, Kind.REPLACED, "replaced")
    story.visited = None
    for partner in story.partners:
        partner.line, partner.people_at_work = [], 0
    for id in range(story.market.open_deals):
        route = int(story.market.owner[id])
        deal = deals.deal_of(story, id, route)
        age = int(story.market.age_ticks[id]) / TICKS_PER_WEEK
        story.write(Kind.TAKEN_OVER, "replaced", id, route, deal.segment, deal.amount, age)
        begins = deals.own_begins if route == NOBODY else deals.partner_begins
        story.at_once.append(lambda begins=begins, deal=deal: begins(story, deal))  # type: ignore[misc]


# ---------------------------------------------------------------- 6. the hours of the week


def lay_out(story: Story, week: int) -> Week:
    """Hand out the week's hours in the order of the blocks, until the week is full."""
    row, start = story.row, story.now
    off = week >= 0 and week % numbers.WEEKS_PER_YEAR + 1 in story.scenario.calendar.weeks_off
    left = 0 if off else TICKS_PER_WEEK
    kept, is_late = discipline(story, week), row.discipline < 1 and is_late_in_quarter(week)
    out = Week(start + TICKS_PER_WEEK, start if off else start + TICKS_PER_WEEK - row.idle, is_late=is_late)

    def given(ticks: int) -> int:
        nonlocal left
        ticks = min(ticks, left)
        left -= ticks
        return ticks

    for partner in story.partners:
        partner.own_wins = partner.conflicts = partner.guided = 0
        partner.hours.clear()
        if carried(story, partner.index) and (ticks := given(partner.nature.support_ticks)):
            out.appointments.append((partner.index, "support", ticks))
            story.met["support that the label does not say"] += partner.nature.support_ticks != partner.labelled_support
    for p, activity, planned in row.appointments:
        if can_have(story, p, activity, week) and (ticks := given(round(planned * kept))):
            out.appointments.append((p, activity, ticks))
            story.partners[p].hours[activity] += story.hours(ticks)
    account_manager(story, week)
    for activity, p, planned in row.on_deals:
        if can_have(story, p, activity, week) and (ticks := given(round(planned * kept))):
            out.on_deals.append((activity, p, ticks))
    for s, planned in enumerate(row.prospecting):
        if ticks := given(planned):
            out.prospecting.append((s, ticks))
    story.met["a full week"] += left == 0 and not off
    story.met["a week off"] += off
    story.met["idle hours"] += row.idle > 0
    return out


def account_manager(story: Story, week: int) -> None:
    """The channel account manager's hours count by the factor, in weeks off and late weeks too."""
    colleague = story.scenario.channel_account_manager
    for activity, p, hours in story.row.account_manager:
        if colleague is not None and can_have(story, p, activity, week):
            story.partners[p].hours[activity] += colleague.factor * hours
            story.write(ACCOUNT_MANAGER[activity], "account manager", partner=p, value=hours)
            story.met["account manager's hours count other than one for one"] += colleague.factor not in (0, 1)


def carried(story: Story, p: int) -> bool:
    return story.partners[p].active and not story.row.parked[p]


def can_have(story: Story, p: int, activity: str, week: int) -> bool:
    """Whether hours for a partner can be given this week; what cannot goes to selling."""
    if activity == "recruit":
        return week >= 0 and not story.partners[p].settled
    return carried(story, p)


def is_late_in_quarter(week: int) -> bool:
    return week >= 0 and week % WEEKS_PER_QUARTER + 1 >= FIRST_LATE_WEEK


def discipline(story: Story, week: int) -> float:
    """Share of planned partner hours kept: less in weeks 10-13 of a quarter with credit < quota * week / 13."""
    in_quarter, story.pace = week % WEEKS_PER_QUARTER + 1, ""
    if not is_late_in_quarter(week):
        return 1.0
    quota = numbers.quota_of(story.scenario, story.quarter)
    behind = story.credit_usd * WEEKS_PER_QUARTER < quota * in_quarter
    if story.row.discipline < 1:
        story.pace = f"week {in_quarter} of 13, credit ${story.credit_usd:,.2f} of ${quota:,.0f}, {behind=}"
        planned = {activity for _, activity, _ in story.row.appointments} | {a for a, _, _ in story.row.on_deals}
        for activity in planned:
            story.met[f"discipline drops hours of {activity}" if behind else "on pace in a late week"] += 1
    return story.row.discipline if behind else 1.0


# ---------------------------------------------------------------- 7. what partners bring and the manager sees


def see(story: Story, week: int) -> None:
    """Stocks, pool and reach as they stand for the week."""
    for partner in story.partners:
        if week >= 0 and partner.active:
            for kind, level in ((Kind.SKILL, partner.skill), (Kind.ENGAGEMENT, partner.engagement)):
                story.write(kind, "stocks", partner=partner.index, value=level, because=partner.history)
    for s, segment in enumerate(story.segments):
        pool = story.pool[s] = story.expected[s][week + HISTORY_WEEKS] * (1 - not_the_managers(story, s))
        average = story.prospecting[s]
        if (
            week >= 0
            and pool < story.expected[s][week + HISTORY_WEEKS]
            and average * segment.prospecting_yield.likely > 0
        ):
            story.met[f"a smaller pool, {story.row.mode[s]}"] += 1
        exponent = -segment.prospecting_yield.likely * average / pool if pool > 0 else 0.0
        story.reach[s] = 1 - (1 - segment.inbound_share) * math.exp(exponent) if pool > 0 else 0.0
        if week >= 0:
            because = f"average prospecting {average:.12g} hours a week, pool {pool:.12g}"
            story.write(Kind.REACH, "reach", segment=s, value=story.reach[s], because=because)


def not_the_managers(story: Story, s: int) -> float:
    """Expected share of a segment's opportunities that are not the manager's to find."""
    mode, name = story.row.mode[s], story.segments[s].name
    if mode in ("direct", "direct_first"):
        return 0.0
    held = [(p.partner.base_share.get(name, 0.0), deals.bring_chance(story, p)) for p in story.partners if p.active]
    return sum(base if mode == "partner_led" else base * brings for base, brings in held)
