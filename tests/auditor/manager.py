"""The manager's week, as docs/model.md tells it: blocks in order, help for partners' deals, visits, spare time.

Left out: how many hours each block gets (weeks.py) and what becomes of a deal (deals.py).
"""

from __future__ import annotations

import heapq

from sim.ledger import Kind
from tests.auditor import deals
from tests.auditor.state import BLOCK, WORK_ENDS, Deal, PartnerStands, Story, Week

KIND_OF = {
    "support": Kind.SUPPORT,
    "coach": Kind.COACH,
    "joint_plan": Kind.JOINT_PLAN,
    "socialise": Kind.SOCIALISE,
    "recruit": Kind.RECRUIT,
    "co_sell": Kind.CO_SELL,
    "sell_for": Kind.SELL_FOR,
}


def week_begins(story: Story) -> None:
    """Appointments, all in one block; then work on partners' deals."""
    week = story.week
    for p, activity, ticks in week.appointments:
        late = week.is_late and activity != "support"
        story.write_hours(KIND_OF[activity], "discipline" if late else activity, ticks, partner=p)
    if week.appointments:
        total = sum(ticks for _, _, ticks in week.appointments)
        story.due(total, WORK_ENDS, lambda: next_help(story, week, 0))
    else:
        next_help(story, week, 0)


def next_help(story: Story, week: Week, at: int) -> None:
    """The week's blocks of co-selling and selling for partners, one after another; then prospecting."""
    if at == len(week.on_deals):
        prospects(story, week, 0)
        return
    _, _, ticks = week.on_deals[at]
    story.due(0, BLOCK, lambda: helps(story, week, at, story.now + ticks))


def helps(story: Story, week: Week, at: int, until: int) -> None:
    """Work on the partner's deals until the time is up or nobody needs help."""
    activity, p, _ = week.on_deals[at]
    partner = story.partners[p]
    deal = deal_to_help(story, partner, activity) if story.now < until else None
    if deal is None:
        story.met["help that no deal needs"] += story.now < until
        next_help(story, week, at + 1)
        return
    ticks = min(deal.help_left, until - story.now)
    if deal.closes is not None:
        ticks = min(ticks, deal.closes - story.now)
    story.write_hours(KIND_OF[activity], "discipline" if week.is_late else "which lump", ticks, deal)

    def ends() -> None:
        deal.help_left -= ticks
        if deal.help_left == 0 and not deal.over:
            if activity == "co_sell":
                partner.guided += 1
            elif deal.has_people:
                deals.people_are_free(story, partner, deal)
        helps(story, week, at, until)

    story.due(ticks, WORK_ENDS, ends)


def deal_to_help(story: Story, partner: PartnerStands, activity: str) -> Deal | None:
    """A lump begun goes first; else the largest amount * W / mean hours of the lump begins."""
    choice = []
    for deal in partner.deals.values():
        if deal.closes is not None and deal.closes <= story.now:
            continue
        if deal.help == activity and deal.help_left > 0:
            return deal
        if deal.help is None and (deal.has_people or activity == "sell_for"):
            mean_hours = sum(stage.mean_hours for stage in story.segments[deal.segment].stages)
            choice.append((-deal.amount * (story.win_chance(deal.segment) / mean_hours), deal.id, deal))
    if not choice:
        return None
    deal = min(choice)[2]
    deal.help = activity
    hours = sum(deal.effort[: len(story.segments[deal.segment].stages)])
    deal.help_left = hours if activity == "sell_for" else -(-hours // 2)
    if deal.waits:  # in the queue: the manager's work starts its clock
        story.met["sold for out of the queue"] += 1
        deal.waits = False
        deal.closes = story.now + deal.cycle
        story.at_once.append(lambda: deals.work_starts(story, deal))
    return deal


def prospects(story: Story, week: Week, at: int) -> None:
    """The week's prospecting, segment by segment; then selling."""
    if at < len(week.prospecting):
        segment, ticks = week.prospecting[at]
        story.write_hours(Kind.PROSPECT, "prospect", ticks, segment=segment)
        story.due(ticks, WORK_ENDS, lambda: prospects(story, week, at + 1))
    elif week.selling_ends > story.now:
        story.due(0, BLOCK, lambda: selling_begins(story, week))
    else:
        week_is_over(story, week)


def week_is_over(story: Story, week: Week) -> None:
    story.due(week.ends - story.now, BLOCK, lambda: week_begins(story))


# ---------------------------------------------------------------- selling


def selling_begins(story: Story, week: Week) -> None:
    story.write_hours(Kind.SELL_TIME, "selling time", week.selling_ends - story.now)
    goes_on_selling(story, week)


def goes_on_selling(story: Story, week: Week) -> None:
    """Go on with the visit begun, else begin the one worth most an hour; with nobody waiting, be free."""
    until = week.selling_ends
    if story.now >= until:
        week_is_over(story, week)
        return
    if story.visited is None:
        story.visited = deal_to_visit(story)
    deal = story.visited
    if deal is None:
        story.free_in, story.free_since = week, story.now
        story.due(until - story.now, WORK_ENDS, lambda: somebody_calls(story))
        return
    ticks = min(deal.visit_left, until - story.now)
    story.write_hours(Kind.VISIT, "visit", ticks, deal)

    def ends() -> None:
        if story.visited is deal:
            deal.visit_left -= ticks
            if deal.visit_left == 0:
                story.visited = None
                story.at_once.append(lambda: deals.visited_to_the_end(story, deal))
            else:
                story.met["visit that goes on next week"] += 1
        goes_on_selling(story, week)

    story.due(ticks, WORK_ENDS, ends)


def deal_to_visit(story: Story) -> Deal | None:
    """The waiting deal with the largest amount * (win probability left) / (expected hours left); ties: the lower id."""
    while story.waiting:
        _, _, deal, number = heapq.heappop(story.waiting)
        if deal.waits and deal.waits_begun == number and not deal.over:
            deal.waits = False
            deal.visit_left = deal.effort[deal.stage]
            return deal
    return None


def somebody_calls(story: Story) -> None:
    """A free manager looks up: a deal waits, or the selling time is over."""
    week = story.free_in
    if week is not None:
        count_spare_time(story)
        story.free_in = None
        story.at_once.append(lambda: goes_on_selling(story, week))


def count_spare_time(story: Story) -> None:
    """Add the selling time that no deal needed so far."""
    if story.free_in is not None:
        story.spare_ticks += story.now - story.free_since
        story.free_since = story.now
