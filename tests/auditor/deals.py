"""The lives of opportunities, as docs/model.md tells them: who gets one, the manager's deals, partners' deals.

Left out: which deal the manager works on (manager.py) and what happens between two weeks (weeks.py).
"""

from __future__ import annotations

import heapq

from sim.ledger import NEVER, NOBODY, TICKS_PER_WEEK, Kind
from tests.auditor import manager
from tests.auditor.numbers import credit_of_a_dollar, fit_in
from tests.auditor.state import ANSWER, ARRIVAL, CLOSING, PATIENCE_ENDS, Deal, PartnerStands, Story

# ---------------------------------------------------------------- who gets an opportunity


def arrives(story: Story, id: int) -> None:
    """An opportunity arises; the table of coverage modes says who gets it. Then comes the next."""
    next_arrival(story, id + 1)
    market = story.market
    segment, owner, amount = int(market.segment[id]), int(market.owner[id]), int(market.amount_usd[id])
    mode = story.row.mode[segment]
    story.write(Kind.ARRIVED, "begins once", id, owner, segment, amount)
    in_a_base = owner != NOBODY and story.partners[owner].active
    seen = float(market.found[id]) < story.reach[segment]
    brings = in_a_base and float(market.brought[id]) < bring_chance(story, story.partners[owner])
    may_find = not (mode == "partner_led" and in_a_base)
    may_bring = mode != "direct"
    manager_sees, partner_brings = seen and may_find, brings and may_bring
    note_coverage(story, id, mode, in_a_base, seen, brings)

    def because() -> str:
        chance = bring_chance(story, story.partners[owner]) if in_a_base else 0.0
        found, brought = float(market.found[id]), float(market.brought[id])
        reach = f"found {found:.12g}, reach {story.reach[segment]:.12g}"
        return f"{mode}, {reach}, brought {brought:.12g}, engagement^beta {chance:.12g}"

    if manager_sees and partner_brings and mode == "direct_first":
        story.partners[owner].conflicts += 1
        story.write(Kind.CONFLICT, "direct_first", id, owner, segment)
    if partner_brings and not (manager_sees and mode == "direct_first"):
        story.write(Kind.REGISTERED, "brings", id, owner, segment, amount, because=because)
        deal = deal_of(story, id, owner)
        story.at_once.append(lambda: partner_begins(story, deal))
    elif manager_sees:
        story.write(Kind.FOUND, "sees", id, NOBODY, segment, amount, because=because)
        deal = deal_of(story, id, NOBODY)
        story.at_once.append(lambda: own_begins(story, deal))
    else:
        story.write(Kind.LEAKED, "leaked", id, NOBODY, segment, amount, because=because)


def next_arrival(story: Story, id: int) -> None:
    if id < len(story.market.tick):
        story.due(int(story.market.tick[id]) - story.now, ARRIVAL, lambda: arrives(story, id), id)


def bring_chance(story: Story, partner: PartnerStands) -> float:
    """engagement^beta."""
    return partner.engagement**story.scenario.assumptions.engagement_exponent.likely


def note_coverage(story: Story, id: int, mode: str, in_a_base: bool, seen: bool, brings: bool) -> None:
    """Count what the modes are told apart by."""
    if in_a_base and seen and brings and story.now >= 0:
        story.met[f"seen by both, {mode}"] += 1
        owner = int(story.market.owner[id])
        story.met["brought by a parked partner"] += story.row.parked[owner]


def deal_of(story: Story, id: int, partner: int) -> Deal:
    """The marks of an opportunity as those of a deal that somebody has from now on."""
    m = story.market
    return Deal(
        id,
        int(m.segment[id]),
        int(m.amount_usd[id]),
        float(m.settles[id]),
        int(m.stage[id]),
        m.effort_ticks[id].tolist(),
        m.lag_ticks[id].tolist(),
        m.patience_ticks[id].tolist(),
        int(m.cycle_ticks[id]),
        story.now - int(m.age_ticks[id]),
        partner,
        story.now,
    )


# ---------------------------------------------------------------- the manager's deals


def own_begins(story: Story, deal: Deal) -> None:
    story.own[deal.id] = deal
    wait_for_visit(story, deal)


def wait_for_visit(story: Story, deal: Deal) -> None:
    """The deal waits for the first hour of a stage, as long as the buyer's patience lasts."""
    wait(story, deal, deal.stage)
    worth = deal.amount * story.visit_worth[deal.segment][deal.stage]
    heapq.heappush(story.waiting, (-worth, deal.id, deal, deal.waits_begun))
    manager.somebody_calls(story)


def wait(story: Story, deal: Deal, stage: int) -> None:
    deal.waits = True
    deal.waits_begun += 1
    this_wait = deal.waits_begun

    def patience_ends() -> None:
        if deal.waits and deal.waits_begun == this_wait and not deal.over:
            deal.waits = False
            story.at_once.append(lambda: close(story, deal, Kind.NO_DECISION, "patience"))

    if deal.patience[stage] != NEVER:
        story.due(deal.patience[stage], PATIENCE_ENDS, patience_ends, deal.id)


def visited_to_the_end(story: Story, deal: Deal) -> None:
    """All hours of the stage are given: the buyer answers after the stage's lag."""
    story.due(deal.lag[deal.stage], ANSWER, lambda: buyer_answers(story, deal), deal.id)


def buyer_answers(story: Story, deal: Deal) -> None:
    """The deal passes the stage iff U is below the chance to come so far."""
    if deal.over:
        return
    passes = story.passes[deal.segment]
    because = f"U {deal.u:.12g}, a_1 * ... * a_{deal.stage + 1} = {passes[deal.stage]:.12g}"
    if deal.u >= passes[deal.stage]:
        close(story, deal, Kind.LOST, "passes", because)
        return
    deal.stage += 1
    if deal.stage == len(passes):
        close(story, deal, Kind.WON_DIRECT, "passes", because)
    else:
        story.write(Kind.ADVANCED, "passes", deal.id, NOBODY, deal.segment, value=deal.stage, because=because)
        wait_for_visit(story, deal)


# ---------------------------------------------------------------- partners' deals


def partner_begins(story: Story, deal: Deal) -> None:
    """The partner's people begin, or the deal queues with the patience of the segment's first stage."""
    partner = story.partners[deal.partner]
    partner.deals[deal.id] = deal
    if partner.people_at_work < partner.partner.capacity_deals:
        take_on(partner, deal)
        work_starts(story, deal)
    else:
        story.met["queued with a partner"] += 1
        partner.line.append(deal)
        wait(story, deal, 0)


def take_on(partner: PartnerStands, deal: Deal) -> None:
    deal.has_people = True
    partner.people_at_work += 1


def work_starts(story: Story, deal: Deal) -> None:
    """From the start of work the closing date is one cycle away."""
    deal.closes = story.now + deal.cycle
    waited = (story.now - deal.since) / TICKS_PER_WEEK
    story.write(Kind.STARTED, "starts", deal.id, deal.partner, deal.segment, value=waited)
    story.due(deal.cycle, CLOSING, lambda: closing_date(story, deal), deal.id)


def people_are_free(story: Story, partner: PartnerStands, deal: Deal) -> None:
    """The people who worked on the deal take on the next in the queue."""
    deal.has_people = False
    partner.people_at_work -= 1
    while partner.line and partner.people_at_work < partner.partner.capacity_deals:
        following = partner.line.pop(0)
        if following.waits and not following.over:
            following.waits = False
            take_on(partner, following)
            story.at_once.append(lambda deal=following: work_starts(story, deal))  # type: ignore[misc]


def closing_date(story: Story, deal: Deal) -> None:
    if deal.over:
        return
    partner = story.partners[deal.partner]
    story.met["an open deal of a partner closes"] += deal.opened < deal.since
    kind, says, because = how_it_closes(story, deal, partner)
    if kind == Kind.WON_PARTNER:
        partner.own_wins += 1
    if deal.has_people:
        people_are_free(story, partner, deal)
    close(story, deal, kind, says, because)


def how_it_closes(story: Story, deal: Deal, partner: PartnerStands) -> tuple[Kind, str, str]:
    """How a partner's deal ends on its closing date, and which sentence says so."""
    w = story.win_chance(deal.segment)
    if deal.help and deal.help_left == 0:
        won = Kind.WON_CO_SOLD if deal.help == "co_sell" else Kind.WON_SOLD_FOR
        return (won if deal.u < w else Kind.LOST), deal.help, f"U {deal.u:.12g}, W {w:.12g}"
    if deal.help:
        story.met[f"{deal.help} not finished by the closing date"] += 1
    if not deal.has_people:
        return Kind.LOST, "lost work", "taken from the queue, the lump not finished"
    fit = fit_in(partner.partner, story.segments[deal.segment])
    chance = min(1.0, fit * w * partner.skill**story.scenario.assumptions.skill_exponent.likely)
    kind = Kind.WON_PARTNER if deal.u < chance else Kind.LOST
    return kind, "own chance", f"U {deal.u:.12g}, fit {fit:g}, W {w:.12g}, skill {partner.skill:.12g}: {chance:.12g}"


# ---------------------------------------------------------------- the end of a deal


def close(story: Story, deal: Deal, kind: Kind, says: str, because: str = "") -> None:
    """A deal that somebody had ends; what is won is credited."""
    age = (story.now - deal.opened) / TICKS_PER_WEEK
    story.write(kind, says, deal.id, deal.partner, deal.segment, deal.amount, age, because)
    deal.over = True
    if deal.partner == NOBODY:
        del story.own[deal.id]
        credit = 1.0
    else:
        del story.partners[deal.partner].deals[deal.id]
        credit = credit_of_a_dollar(story.scenario, story.partners[deal.partner].partner)
    if kind in (Kind.WON_DIRECT, Kind.WON_PARTNER, Kind.WON_CO_SOLD, Kind.WON_SOLD_FOR):
        story.credit_usd += credit * deal.amount
        story.credit_by_quarter[story.quarter] += credit * deal.amount
