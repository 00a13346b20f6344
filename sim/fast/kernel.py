"""The territory again, as a loop over events: the same model as territory.py to the last bit, to be compiled.

Read territory.py first; functions here have the names of what they do there. The differences:

* A process there is a deal's or a partner's record here, and what it waits for is an entry in a queue of dated events.
* Events are whole numbers, (tick, rank, id) packed in 63 bits, so that the smallest is the next.
* What `succeed()` wakes there, at the same instant, is here a list `woken` and a flag `called`, dealt with before the
  next event.
* Marks of a deal are drawn when it first needs them (drawing.py).
* Records are added up as they are written (tally.py), and kept only if there is room for any.

The file is long because it is the same one story. Plain functions of numbers and arrays; no rule stands here
(rules.py). An impossible state sets `trouble` and ends the run.
"""

import math
from typing import Any

from sim.coefficients import (
    CO_SELL,
    COACH,
    DIRECT,
    DIRECT_FIRST,
    JOINT_PLAN,
    PARTNER_FIRST,
    PARTNER_LED,
    RECRUIT,
    SOCIALISE,
)
from sim.drawing import draw_cycle, draw_stage, draw_u
from sim.fast.layout import Run, Trouble
from sim.ledger import HISTORY_START, NEVER, NOBODY, TICKS_PER_WEEK, Kind
from sim.rules import (
    ARRIVES,
    BLOCK_STARTS,
    BUYER_RETURNS,
    LATE_WEEK,
    PARTNER_CLOSES,
    PATIENCE_EXPIRES,
    WEEK_BOUNDARY,
    WORK_ENDS,
    behind_pace,
    bring_probability,
    co_sell_ticks,
    is_level,
    moving_average,
    next_level,
    partner_win_probability,
    reach,
    resting_level,
    saturating_gain,
)
from sim.tally import add_record, clear, row_of, store_sums
from sim.terms import HISTORY_WEEKS, PARTNER_ACTIVITIES, WEEKS_PER_QUARTER

ACTIVITIES = len(PARTNER_ACTIVITIES)
TICK_SHIFT, RANK_SHIFT = 35, 32
ID_MASK, RANK_MASK = 2**32 - 1, 7
END = -1
"""The end of a chain, or no deal."""

# What the manager does when its next event comes.
(
    WEEK_BEGINS, NEXT_ASSIST, ASSIST_BEGINS, ASSIST_ENDS, ASSIST_GOES_ON, PROSPECTING_ENDS,
    NEXT_PROSPECT, SELLING_BEGINS, VISIT_ENDS, FREE, SELLING, WEEK_OVER,
) = range(12)  # fmt: skip

# Whose hours a gift of the plan is; appointments and assists are also rows of the week's blocks, prospecting the other.
APPOINTMENT, CAM, ASSIST = range(3)
PROSPECTS = CAM


def run_all(run: Run) -> int:
    """Run every plan in every market of the tapes, and add up.

    Gives the number of records of the last run, or -1 - (index of the run) where there was trouble, which
    `work.now` describes.
    """
    now = run.work.now[0]
    plans = len(run.plans.quarters)
    for r in range(len(run.tapes.replications)):
        now.row = r
        now.replication = run.tapes.replications[r]
        now.start = run.tapes.starts[r]
        for p in range(plans):
            now.plan = p
            clear(run.of_run)
            run_one(run, run.tapes.starts[r + 1] - now.start)
            if now.trouble != Trouble.NONE:
                return -1 - (r * plans + p)
            store_sums(run.of_run, run.sums, p, r)
    return now.records


def run_one(run: Run, opportunities: int) -> None:
    """One plan in one market, from the first week of the history to the end of the horizon."""
    now, weeks = run.work.now[0], run.numbers.run[0].weeks
    end = packed(weeks * TICKS_PER_WEEK, 0, 0)
    begin(run)
    arriving = len(run.tape.open_deals)
    week_boundary(run, -HISTORY_WEEKS, arriving)
    week = 1 - HISTORY_WEEKS
    boundary = packed(week * TICKS_PER_WEEK, WEEK_BOUNDARY, 0)
    arrival = next_arrival(run, arriving, opportunities)
    now.due = packed(HISTORY_START, BLOCK_STARTS, 0)
    now.phase = WEEK_BEGINS
    while now.trouble == Trouble.NONE:
        key = min(boundary, arrival, now.soonest, now.due)
        if key >= end:
            break
        if key >> TICK_SHIFT < now.tick - HISTORY_START:
            now.trouble = Trouble.TIME
            break
        now.tick = HISTORY_START + (key >> TICK_SHIFT)
        if key == now.due:
            now.called = 1  # by nobody: what the manager did is over
        elif key == now.soonest:
            take_event(run)
            happens(run, (key >> RANK_SHIFT) & RANK_MASK, key & ID_MASK)
        elif key == arrival:
            arrive(run, arriving)
            arriving += 1
            arrival = next_arrival(run, arriving, opportunities)
        else:
            now.sums = row_of(now.tick)
            week_boundary(run, week, arriving)
            week += 1
            boundary = packed(week * TICKS_PER_WEEK, WEEK_BOUNDARY, 0)
        if now.called:
            now.called = 0
            resume_manager(run)
        for i in range(now.woken):
            start_work(run, run.work.woken[i])
        now.woken = 0


def next_arrival(run: Run, id: int, opportunities: int) -> int:
    """The event of the next opportunity, or NEVER."""
    if id == opportunities:
        return NEVER
    return packed(run.tapes.arrivals[run.work.now[0].start + id].tick, ARRIVES, id)


def begin(run: Run) -> None:
    """Set everything as it stands before the first week."""
    now, work = run.work.now[0], run.work
    now.tick = HISTORY_START
    now.quarter = now.sums = now.records = now.called = now.spare_ticks = 0
    now.waiting = now.woken = now.bucket = now.nodes = 0
    now.trouble = Trouble.NONE
    now.credit_usd = 0.0
    now.visited = now.free_node = END
    now.idle_since = now.soonest = NEVER
    for b in range(len(work.buckets)):
        work.buckets[b] = END
    for p in range(len(work.partners)):
        partner, numbers = work.partners[p], run.numbers.partners[p]
        traits = traits_of(run, p)
        partner.skill = traits.skill_start
        partner.engagement = traits.engagement_start
        partner.active = partner.settled = 1 - numbers.is_candidate
        partner.active_since = 0
        partner.recruited_hours = 0.0
        partner.onboarded_week = -1
        partner.parked = run.plans.parked[now.plan, 0, p]
        partner.own_wins = partner.working = 0
        partner.first_open = partner.last_open = partner.first_in_line = partner.last_in_line = END
        for a in range(ACTIVITIES):
            work.gains[p, a].hours = work.gains[p, a].gain = 0.0
    for s in range(len(work.segments)):
        planned = run.plans.segment_plans[now.plan, 0, s].prospect_ticks
        work.segments[s].prospecting = planned / run.numbers.run[0].ticks_per_hour


# ---------------------------------------------------------------- events


def packed(tick: int, rank: int, id: int) -> int:
    """An event as one whole number: the smaller comes first."""
    return ((tick - HISTORY_START) << TICK_SHIFT) | (rank << RANK_SHIFT) | id


def add_event(run: Run, tick: int, rank: int, id: int) -> None:
    """Put a dated event in its bucket, in order; after the horizon nothing happens."""
    now, work = run.work.now[0], run.work
    if tick >= run.numbers.run[0].weeks * TICKS_PER_WEEK:
        return
    key = packed(tick, rank, id)
    bucket = (tick - HISTORY_START) >> now.bucket_shift
    node = now.free_node
    if node == END:
        node = now.nodes
        if node == len(work.nodes):
            now.trouble = Trouble.QUEUE
            return
        now.nodes += 1
    else:
        now.free_node = work.nodes[node].next
    work.nodes[node].key = key
    before, after = END, work.buckets[bucket]
    while after != END and work.nodes[after].key < key:
        before, after = after, work.nodes[after].next
    work.nodes[node].next = after
    if before == END:
        work.buckets[bucket] = node
    else:
        work.nodes[before].next = node
    if key < now.soonest:
        now.soonest = key
        now.bucket = bucket


def take_event(run: Run) -> None:
    """Take out the soonest dated event and find the next."""
    now, work = run.work.now[0], run.work
    node = work.buckets[now.bucket]
    work.buckets[now.bucket] = work.nodes[node].next
    work.nodes[node].next = now.free_node
    now.free_node = node
    while work.buckets[now.bucket] == END and now.bucket < len(work.buckets) - 1:
        now.bucket += 1
    first = work.buckets[now.bucket]
    now.soonest = NEVER if first == END else work.nodes[first].key


def happens(run: Run, rank: int, id: int) -> None:
    """Deal with a dated event of a deal."""
    if rank == BUYER_RETURNS:
        buyer_returns(run, id)
    elif rank == PARTNER_CLOSES:
        partner_closes(run, id)
    else:
        patience_expires(run, id)


# ---------------------------------------------------------------- the manager's week


def resume_manager(run: Run) -> None:
    """Go on from what has just ended to the next thing that takes time."""
    now, work = run.work.now[0], run.work
    phase = now.phase
    if phase == WEEK_BEGINS:
        now.week_assists = now.assists
        now.week_prospects = now.prospects
        now.week_sell_until = now.sell_until
        now.week_end = now.ends_at
        now.at = 0
        total = 0
        for i in range(now.appointments):
            block = work.blocks[APPOINTMENT, i]
            write_hours(run, block.kind, block.ticks, NOBODY, block.partner, NOBODY)
            total += block.ticks
        if total > 0:
            return busy_for(run, total, NEXT_ASSIST)
        phase = NEXT_ASSIST
    elif phase == ASSIST_BEGINS:
        now.until = now.tick + work.blocks[ASSIST, now.at].ticks
        phase = ASSIST_GOES_ON
    elif phase == ASSIST_ENDS:
        end_assist(run)
        phase = ASSIST_GOES_ON
    elif phase == PROSPECTING_ENDS:
        now.at += 1
        phase = NEXT_PROSPECT
    elif phase == SELLING_BEGINS:
        write_hours(run, Kind.SELL_TIME, now.week_sell_until - now.tick, NOBODY, NOBODY, NOBODY)
        phase = SELLING
    elif phase == VISIT_ENDS:
        end_visit(run)
        phase = SELLING
    elif phase == FREE:
        settle_spare(run)
        now.idle_since = NEVER
        phase = SELLING

    if phase == ASSIST_GOES_ON:
        if assist(run):
            return None
        now.at += 1
        phase = NEXT_ASSIST
    if phase == NEXT_ASSIST:
        if now.at < now.week_assists:
            return block_starts(run, now.tick, ASSIST_BEGINS)
        now.at = 0
        phase = NEXT_PROSPECT
    if phase == NEXT_PROSPECT:
        if now.at < now.week_prospects:
            block = work.blocks[PROSPECTS, now.at]
            write_hours(run, Kind.PROSPECT, block.ticks, NOBODY, NOBODY, block.segment)
            return busy_for(run, block.ticks, PROSPECTING_ENDS)
        if now.week_sell_until > now.tick:
            return block_starts(run, now.tick, SELLING_BEGINS)
        phase = WEEK_OVER
    if phase == SELLING and sell(run):
        return None
    return block_starts(run, now.week_end, WEEK_BEGINS)


def busy_for(run: Run, ticks: int, phase: int) -> None:
    """The manager works for this number of ticks; `phase` is what it does then."""
    now = run.work.now[0]
    now.due = packed(now.tick + ticks, WORK_ENDS, 0)
    now.phase = phase


def block_starts(run: Run, tick: int, phase: int) -> None:
    """The manager begins its next block at `tick`, after all else that is due then."""
    now = run.work.now[0]
    now.due = packed(tick, BLOCK_STARTS, 0)
    now.phase = phase


def sell(run: Run) -> bool:
    """Visit the most valuable waiting deal; with nobody waiting, be free for whoever calls. False: the time is over."""
    now, work = run.work.now[0], run.work
    until = now.week_sell_until
    if now.tick >= until:
        return False
    if now.visited == END:
        now.visited = next_visit(run)
    if now.visited == END:
        now.idle_since = now.tick
        busy_for(run, until - now.tick, FREE)
        return True
    deal = work.deals[now.visited]
    now.visiting = now.visited
    now.ticks = min(deal.visit_left, until - now.tick)
    write_hours(run, Kind.VISIT, now.ticks, now.visited, deal.partner, deal.segment)
    busy_for(run, now.ticks, VISIT_ENDS)
    return True


def end_visit(run: Run) -> None:
    """The visit, or the selling time, is over; after the whole visit the buyer thinks it over."""
    now, work = run.work.now[0], run.work
    if now.visited != now.visiting:
        return  # the deal was replaced by the open pipeline in the meantime
    id = now.visited
    deal = work.deals[id]
    deal.visit_left -= now.ticks
    if deal.visit_left == 0:
        now.visited = END
        deal.waiting = 0
        add_event(run, now.tick + stage_of(run, id, deal.stage).lag, BUYER_RETURNS, id)


def next_visit(run: Run) -> int:
    """The most valuable deal that still waits, or END."""
    now, work = run.work.now[0], run.work
    while now.waiting > 0:
        id = pop_waiting(run)
        deal = work.deals[id]
        if deal.waiting and deal.open:
            deal.visit_left = stage_of(run, id, deal.stage).effort
            return id
    return END


def push_waiting(run: Run, worth: float, id: int) -> None:
    """Put a deal into the heap of waiting deals: the largest worth first, ties by id."""
    now, heap = run.work.now[0], run.work.waiting
    at = now.waiting
    now.waiting += 1
    while at > 0:
        above = (at - 1) >> 1
        if not goes_before(worth, id, heap[above].worth, heap[above].id):
            break
        heap[at] = heap[above]
        at = above
    heap[at].worth = worth
    heap[at].id = id


def pop_waiting(run: Run) -> int:
    """Take the deal that is visited first out of the heap of waiting deals; there is at least one."""
    now, heap = run.work.now[0], run.work.waiting
    first = heap[0].id
    now.waiting -= 1
    size = now.waiting
    worth, id = heap[size].worth, heap[size].id
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        other = below + 1
        if other < size and goes_before(heap[other].worth, heap[other].id, heap[below].worth, heap[below].id):
            below = other
        if goes_before(worth, id, heap[below].worth, heap[below].id):
            break
        heap[at] = heap[below]
        at = below
    heap[at].worth = worth
    heap[at].id = id
    return first


def goes_before(worth: float, id: int, other_worth: float, other_id: int) -> bool:
    """Whether the first of two waiting deals is visited first."""
    return worth > other_worth or (worth == other_worth and id < other_id)


def assist(run: Run) -> bool:
    """Work on the partner's most valuable open deal; False: no time, or nobody needs it."""
    now, work = run.work.now[0], run.work
    block = work.blocks[ASSIST, now.at]
    if now.tick >= now.until:
        return False
    id = next_assisted(run, block.partner, block.activity)
    if id == END:
        return False
    deal = work.deals[id]
    now.assisting = id
    now.ticks = min(deal.assist_left, now.until - now.tick, deal.closes_at - now.tick)
    write_hours(run, block.kind, now.ticks, id, deal.partner, deal.segment)
    busy_for(run, now.ticks, ASSIST_ENDS)
    return True


def end_assist(run: Run) -> None:
    """A lump of help is finished, or its time is over. The week's blocks may be those of the next week already."""
    now, work = run.work.now[0], run.work
    deal = work.deals[now.assisting]
    deal.assist_left -= now.ticks
    if deal.assist_left == 0 and deal.open:
        if deal.assisted_by == CO_SELL:
            work.partners[deal.partner].guided += 1
        elif deal.in_capacity:
            release(run, now.assisting)


def next_assisted(run: Run, p: int, activity: int) -> int:
    """A lump once begun is finished; then the largest amount * win probability / mean hours, ties by id."""
    now, work = run.work.now[0], run.work
    best, best_worth = END, -1.0
    id = work.partners[p].first_open
    while id != END:
        deal = work.deals[id]
        if deal.closes_at > now.tick:
            if deal.assisted_by == activity and deal.assist_left > 0:
                return id
            if deal.assisted_by == NOBODY and (activity != CO_SELL or deal.in_capacity):
                worth = deal.amount_usd * run.numbers.segments[deal.segment].assist_worth_per_hour
                if worth > best_worth:
                    best, best_worth = id, worth
        id = deal.later
    if best != END:
        begin_assist(run, best, activity)
    return best


def begin_assist(run: Run, id: int, activity: int) -> None:
    """Half the stage hours to co-sell; all of them to sell for the partner, who need not wait for its people then."""
    now, work = run.work.now[0], run.work
    deal = work.deals[id]
    deal.assisted_by = activity
    total = 0
    for k in range(run.numbers.segments[deal.segment].stages):
        total += stage_of(run, id, k).effort
    if activity == CO_SELL:
        deal.assist_left = co_sell_ticks(total)
        return
    deal.assist_left = total
    if deal.waiting:
        wake(run, id)
        deal.closes_at = now.tick + deal.cycle


# ---------------------------------------------------------------- opportunities


def arrive(run: Run, id: int) -> None:
    """Who sees a new opportunity, and who may keep it."""
    now, work = run.work.now[0], run.work
    arrival = run.tapes.arrivals[now.start + id]
    segment, owner, amount = arrival.segment, arrival.owner, arrival.amount_usd
    mode = run.plans.segment_plans[now.plan, now.quarter, segment].coverage_mode
    write(run, Kind.ARRIVED, id, owner, segment, amount, 0.0)
    in_base = owner != NOBODY and work.partners[owner].active == 1
    found = arrival.found < work.segments[segment].reach and not (in_base and mode == PARTNER_LED)
    brought = in_base and mode != DIRECT and arrival.brought < work.partners[owner].bring
    work.deals[id].open = 0
    if found and brought and mode == DIRECT_FIRST:
        work.partners[owner].conflicts += 1
        write(run, Kind.CONFLICT, id, owner, segment, 0, 0.0)
    if found and not (brought and mode == PARTNER_FIRST):
        write(run, Kind.FOUND, id, NOBODY, segment, amount, 0.0)
        begin_deal(run, id, NOBODY)
        await_visit(run, id)
    elif brought:
        write(run, Kind.REGISTERED, id, owner, segment, amount, 0.0)
        begin_deal(run, id, owner)
        join_partner(run, id)
    else:
        write(run, Kind.LEAKED, id, NOBODY, segment, amount, 0.0)


def begin_deal(run: Run, id: int, partner: int) -> None:
    """An opportunity that somebody works from now on."""
    now = run.work.now[0]
    deal, arrival = run.work.deals[id], run.tapes.arrivals[now.start + id]
    deal.segment = arrival.segment
    deal.amount_usd = arrival.amount_usd
    deal.partner = partner
    deal.came_at = now.tick
    deal.closes_at = NEVER
    deal.assisted_by = NOBODY
    deal.assist_left = deal.in_capacity = deal.waiting = 0
    deal.open = 1
    draw_u(run.tape, run.tapes, now.row, now.start + id)
    if partner != NOBODY:
        draw_cycle(run.tape, run.tapes, now.start + id)
    deal.u = arrival.settles
    deal.cycle = arrival.cycle_ticks
    deal.stage = arrival.stage
    deal.opened_at = now.tick - arrival.age


def await_visit(run: Run, id: int) -> None:
    """The deal waits for the manager, as long as its buyer does."""
    now = run.work.now[0]
    deal = run.work.deals[id]
    deal.waiting = 1
    push_waiting(run, deal.amount_usd * run.numbers.stages[deal.segment, deal.stage].worth_per_hour, id)
    limit_patience(run, id, deal.stage)
    if now.phase == FREE:
        now.called = 1


def limit_patience(run: Run, id: int, stage: int) -> None:
    """Date the end of the wait."""
    now = run.work.now[0]
    deal = run.work.deals[id]
    deal.patient_until = now.tick + stage_of(run, id, stage).patience
    add_event(run, deal.patient_until, PATIENCE_EXPIRES, id)


def patience_expires(run: Run, id: int) -> None:
    """A deal nobody had time for goes cold; the event of a wait that has ended finds another date or nobody waiting."""
    now = run.work.now[0]
    deal = run.work.deals[id]
    if deal.waiting and deal.open and deal.patient_until == now.tick and id != now.visited:
        deal.waiting = 0
        close(run, id, Kind.NO_DECISION)


def buyer_returns(run: Run, id: int) -> None:
    """The buyer of a deal of the manager's says yes or no to a stage."""
    deal = run.work.deals[id]
    if not deal.open:
        return
    segment = run.numbers.segments[deal.segment]
    if deal.u >= run.numbers.stages[deal.segment, deal.stage].pass_below:
        return close(run, id, Kind.LOST)
    deal.stage += 1
    if deal.stage == segment.stages:
        return close(run, id, Kind.WON_DIRECT)
    write(run, Kind.ADVANCED, id, NOBODY, deal.segment, 0, float(deal.stage))
    await_visit(run, id)


def join_partner(run: Run, id: int) -> None:
    """A partner's deal: its people take it on, or it stands in line."""
    work = run.work
    deal = work.deals[id]
    partner = work.partners[deal.partner]
    deal.earlier = partner.last_open
    deal.later = END
    if partner.last_open == END:
        partner.first_open = id
    else:
        work.deals[partner.last_open].later = id
    partner.last_open = id
    if partner.working < run.numbers.partners[deal.partner].capacity_deals:
        take_on(run, id)
        start_work(run, id)
        return
    deal.waiting = 1
    deal.behind = END
    if partner.last_in_line == END:
        partner.first_in_line = id
    else:
        work.deals[partner.last_in_line].behind = id
    partner.last_in_line = id
    limit_patience(run, id, 0)


def start_work(run: Run, id: int) -> None:
    """Somebody works on a partner's deal from now to its closing date."""
    now = run.work.now[0]
    deal = run.work.deals[id]
    deal.closes_at = now.tick + deal.cycle
    waited = (now.tick - deal.came_at) / TICKS_PER_WEEK
    write(run, Kind.STARTED, id, deal.partner, deal.segment, 0, waited)
    add_event(run, deal.closes_at, PARTNER_CLOSES, id)


def partner_closes(run: Run, id: int) -> None:
    """The closing date of a partner's deal."""
    deal = run.work.deals[id]
    if not deal.open:
        return
    kind = outcome(run, id)
    if deal.in_capacity:
        release(run, id)
    close(run, id, kind)


def outcome(run: Run, id: int) -> Kind:
    """How a partner's deal ends: with finished help at the manager's win rate, else at its own."""
    deal = run.work.deals[id]
    win_probability = run.numbers.segments[deal.segment].win_probability
    if deal.assisted_by != NOBODY and deal.assist_left == 0:
        if deal.u >= win_probability:
            return Kind.LOST
        return Kind.WON_CO_SOLD if deal.assisted_by == CO_SELL else Kind.WON_SOLD_FOR
    if not deal.in_capacity:
        return Kind.LOST
    partner = run.work.partners[deal.partner]
    chance = partner_win_probability(
        run.numbers.fit[deal.partner, deal.segment], win_probability, partner.skill, run.numbers.run[0].skill_exponent
    )
    if deal.u >= chance:
        return Kind.LOST
    partner.own_wins += 1
    return Kind.WON_PARTNER


def take_on(run: Run, id: int) -> None:
    """The partner's people have it."""
    deal = run.work.deals[id]
    deal.in_capacity = 1
    run.work.partners[deal.partner].working += 1


def release(run: Run, id: int) -> None:
    """The partner's people are free for the next in line."""
    work = run.work
    work.deals[id].in_capacity = 0
    p = work.deals[id].partner
    partner = work.partners[p]
    partner.working -= 1
    while partner.first_in_line != END and partner.working < run.numbers.partners[p].capacity_deals:
        following = partner.first_in_line
        deal = work.deals[following]
        partner.first_in_line = deal.behind
        if partner.first_in_line == END:
            partner.last_in_line = END
        if deal.waiting and deal.open:
            take_on(run, following)
            wake(run, following)


def wake(run: Run, id: int) -> None:
    """End the wait of a partner's deal: it starts once the present event has been dealt with."""
    now, work = run.work.now[0], run.work
    work.deals[id].waiting = 0
    work.woken[now.woken] = id
    now.woken += 1


def close(run: Run, id: int, kind: int) -> None:
    """The one end of a deal that somebody worked."""
    now, work = run.work.now[0], run.work
    deal = work.deals[id]
    deal.open = 0
    age_weeks = (now.tick - deal.opened_at) / TICKS_PER_WEEK
    write(run, kind, id, deal.partner, deal.segment, deal.amount_usd, age_weeks)
    credit_share = 1.0
    if deal.partner != NOBODY:
        partner = work.partners[deal.partner]
        if deal.earlier == END:
            partner.first_open = deal.later
        else:
            work.deals[deal.earlier].later = deal.later
        if deal.later == END:
            partner.last_open = deal.earlier
        else:
            work.deals[deal.later].earlier = deal.earlier
        credit_share = run.numbers.partners[deal.partner].credit_share
    if kind >= Kind.WON_DIRECT and kind <= Kind.WON_SOLD_FOR:
        now.credit_usd += credit_share * deal.amount_usd


# ---------------------------------------------------------------- what the tape says of a deal


def stage_of(run: Run, id: int, stage: int) -> Any:
    """The manager's work on a stage of the deal, the buyer's time to answer and its patience before it, in ticks."""
    now = run.work.now[0]
    draw_stage(run.tape, run.tapes, now.replication, now.start + id, stage)
    return run.tapes.stages[now.start + id, stage]


# ---------------------------------------------------------------- between two weeks


def week_boundary(run: Run, week: int, arrived: int) -> None:
    """What last week did, who leaves and signs, and what the new week holds; `arrived` opportunities came before."""
    now, work = run.work.now[0], run.work
    if week > -HISTORY_WEEKS:
        remember_prospecting(run)
    if week > 0:
        for p in range(len(work.partners)):
            learn_and_forget(run, p)
            leave(run, p)
        for p in range(len(work.partners)):
            sign(run, p, week)
    replaces = week == 0 and run.tape.run[0].has_open_pipeline
    if replaces:
        replace_open_deals(run, arrived)
    if week >= 0 and week % WEEKS_PER_QUARTER == 0:
        now.quarter = week // WEEKS_PER_QUARTER + 1
        now.credit_usd = 0.0
        for p in range(len(work.partners)):
            work.partners[p].parked = run.plans.parked[now.plan, now.quarter, p]
    plan_week(run, week)
    see(run, week)
    if replaces:
        for id in range(len(run.tape.open_deals)):
            if work.deals[id].partner == NOBODY:
                await_visit(run, id)
            else:
                join_partner(run, id)


def replace_open_deals(run: Run, arrived: int) -> None:
    """Put the scenario's open pipeline in the place of the simulated one, on the first day."""
    now, work = run.work.now[0], run.work
    now.visited = END
    now.waiting = 0
    for p in range(len(work.partners)):
        partner = work.partners[p]
        partner.working = 0
        partner.first_in_line = partner.last_in_line = END
    for id in range(len(run.tape.open_deals), arrived):
        if work.deals[id].open:
            close(run, id, Kind.REPLACED)
    for id in range(len(run.tape.open_deals)):
        arrival = run.tapes.arrivals[now.start + id]
        begin_deal(run, id, arrival.owner)
        deal = work.deals[id]
        age_weeks = (now.tick - deal.opened_at) / TICKS_PER_WEEK
        write(run, Kind.TAKEN_OVER, id, deal.partner, deal.segment, deal.amount_usd, age_weeks)


def traits_of(run: Run, p: int) -> Any:
    """What the partner truly is like."""
    return run.numbers.traits[p, run.tapes.partner_luck[run.work.now[0].row, p].true_segment]


def learn_and_forget(run: Run, p: int) -> None:
    """Skill and engagement after a week's help, practice, conflicts and neglect."""
    n, partner = run.numbers.run[0], run.work.partners[p]
    if not partner.active:
        return
    traits = traits_of(run, p)
    learned = (
        gain_of(run, p, COACH, n.coach_gain, n.coach_tau)
        + n.practice_gain * partner.own_wins
        + n.guided_practice_gain * partner.guided
    )
    planned = gain_of(run, p, JOINT_PLAN, n.joint_plan_gain, n.joint_plan_tau)
    liked = gain_of(run, p, SOCIALISE, n.socialise_gain, n.socialise_tau)
    partner.skill = next_level(
        partner.skill,
        resting_level(traits.skill_alone, partner.parked == 1),
        traits.skill_ceiling,
        n.skill_forgotten,
        traits.teachability * learned,
    )
    partner.engagement = next_level(
        partner.engagement,
        resting_level(traits.engagement_alone, partner.parked == 1),
        traits.engagement_ceiling,
        n.engagement_forgotten,
        traits.teachability * planned + liked - n.conflict_penalty * partner.conflicts,
    )


def gain_of(run: Run, p: int, activity: int, gain: float, tau: float) -> float:
    """The gain of last week's hours; in most weeks they are those of the week before."""
    known = run.work.gains[p, activity]
    hours = run.work.hours[p, activity]
    if hours != known.hours:
        known.hours = hours
        known.gain = saturating_gain(gain, hours, tau)
    return known.gain


def leave(run: Run, p: int) -> None:
    """A partner whose time has come leaves: its open deals are lost, its accounts become house accounts."""
    now, work = run.work.now[0], run.work
    partner = work.partners[p]
    stays = run.tapes.partner_luck[now.row, p].exit_ticks
    if not partner.active or stays == NEVER or now.tick - partner.active_since < stays:
        return
    partner.active = 0
    write(run, Kind.LEFT, NOBODY, p, NOBODY, 0, 0.0)
    id = partner.first_open
    while id != END:
        following = work.deals[id].later
        close(run, id, Kind.PARTNER_LEFT)
        id = following
    partner.first_in_line = partner.last_in_line = END


def sign(run: Run, p: int, week: int) -> None:
    """A candidate that has had its recruiting hours decides; once onboarded it is a partner like the others."""
    now = run.work.now[0]
    partner, numbers = run.work.partners[p], run.numbers.partners[p]
    if not partner.settled:
        partner.recruited_hours += run.work.hours[p, RECRUIT]
        if partner.recruited_hours > 0.0 and partner.recruited_hours >= numbers.recruiting_hours:
            partner.settled = 1
            signs = run.tapes.partner_luck[now.row, p].signing < numbers.sign_probability
            write(run, Kind.SIGNED if signs else Kind.DECLINED, NOBODY, p, NOBODY, 0, 0.0)
            partner.onboarded_week = week + numbers.onboarding_weeks if signs else -1
    if partner.onboarded_week == week:
        partner.active = 1
        partner.active_since = now.tick
        write(run, Kind.ONBOARDED, NOBODY, p, NOBODY, 0, 0.0)


def remember_prospecting(run: Run) -> None:
    """Average prospecting hours by segment: last week's planned, and its spare selling time divided likewise."""
    now, work = run.work.now[0], run.work
    ticks_per_hour = run.numbers.run[0].ticks_per_hour
    settle_spare(run)
    spare_hours = now.spare_ticks / ticks_per_hour
    now.spare_ticks = 0
    planned = run.plans.quarters[now.plan, now.quarter].has_prospect_shares
    total = 0.0
    for s in range(len(work.segments)):
        total += work.segments[s].pool * run.numbers.segments[s].value_per_opportunity
    for s in range(len(work.segments)):
        segment = work.segments[s]
        share = 0.0
        if planned:
            share = run.plans.segment_plans[now.plan, now.quarter, s].prospect_share
        elif total > 0.0:
            share = segment.pool * run.numbers.segments[s].value_per_opportunity / total
        hours = segment.given / ticks_per_hour + spare_hours * share
        segment.prospecting = moving_average(segment.prospecting, hours, run.numbers.run[0].prospecting_forgotten)


def settle_spare(run: Run) -> None:
    """Count the time the manager has been free so far."""
    now = run.work.now[0]
    if now.idle_since < now.tick:
        now.spare_ticks += now.tick - now.idle_since
        now.idle_since = now.tick


def plan_week(run: Run, week: int) -> None:
    """What the plan gives to whom this week, as far as the hours go; all that is not for others goes to selling."""
    now, work = run.work.now[0], run.work
    n, quarter = run.numbers.run[0], run.plans.quarters[now.plan, now.quarter]
    off = week >= 0 and run.numbers.week_off[week] == 1
    left = 0 if off else TICKS_PER_WEEK
    keep = partner_hours_kept(run, week)
    now.appointments = now.assists = now.prospects = 0
    now.ends_at = now.tick + TICKS_PER_WEEK
    for p in range(len(work.partners)):
        partner = work.partners[p]
        partner.conflicts = partner.own_wins = partner.guided = 0
        for a in range(ACTIVITIES):
            run.work.hours[p, a] = 0.0
        if partner.active and not partner.parked:
            given = min(traits_of(run, p).support_ticks, left)
            left -= given
            if given > 0:
                add_block(run, APPOINTMENT, now.appointments, p, NOBODY, NOBODY, Kind.SUPPORT, given)
                now.appointments += 1
    for i in range(quarter.gifts_begin, quarter.gifts_end):
        gift = run.plans.gifts[i]
        partner = work.partners[gift.partner]
        if not can_get(run, gift.partner, gift.activity, week):
            continue
        if gift.of == CAM:
            run.work.hours[gift.partner, gift.activity] += n.cam_factor * gift.hours
            write(run, gift.kind, NOBODY, gift.partner, NOBODY, 0, gift.hours)
            continue
        given = min(round(gift.ticks * keep), left)
        left -= given
        if given > 0 and gift.of == APPOINTMENT:
            add_block(run, APPOINTMENT, now.appointments, gift.partner, NOBODY, gift.activity, gift.kind, given)
            now.appointments += 1
            run.work.hours[gift.partner, gift.activity] = given / n.ticks_per_hour
        elif given > 0:
            add_block(run, ASSIST, now.assists, gift.partner, NOBODY, gift.activity, gift.kind, given)
            now.assists += 1
    for s in range(len(work.segments)):
        given = min(run.plans.segment_plans[now.plan, now.quarter, s].prospect_ticks, left)
        left -= given
        work.segments[s].given = given
        if given > 0:
            add_block(run, PROSPECTS, now.prospects, NOBODY, s, NOBODY, Kind.PROSPECT, given)
            now.prospects += 1
    now.sell_until = now.tick if off else now.tick + max(0, TICKS_PER_WEEK - quarter.idle_ticks)


def add_block(run: Run, row: int, at: int, partner: int, segment: int, activity: int, kind: int, ticks: int) -> None:
    """Put a block into the week."""
    block = run.work.blocks[row, at]
    block.partner = partner
    block.segment = segment
    block.activity = activity
    block.kind = kind
    block.ticks = ticks


def can_get(run: Run, p: int, activity: int, week: int) -> bool:
    """Whether this week's hours can go to this partner."""
    partner = run.work.partners[p]
    if activity == RECRUIT:
        return not partner.settled and week >= 0
    return partner.active and not partner.parked


def partner_hours_kept(run: Run, week: int) -> float:
    """Share of the planned partner hours kept this week: less, late in a quarter that is behind."""
    now = run.work.now[0]
    quarter = run.plans.quarters[now.plan, now.quarter]
    in_quarter = week % WEEKS_PER_QUARTER + 1
    if week < 0 or in_quarter < LATE_WEEK:
        return 1.0
    if behind_pace(now.credit_usd, quarter.quota_usd, in_quarter, WEEKS_PER_QUARTER):
        return quarter.discipline
    return 1.0


def see(run: Run, week: int) -> None:
    """What partners bring and what the manager sees this week."""
    now, work = run.work.now[0], run.work
    n = run.numbers.run[0]
    for p in range(len(work.partners)):
        partner = work.partners[p]
        if not (is_level(partner.skill) and is_level(partner.engagement)):
            stop(run, Trouble.LEVEL)
        partner.bring = bring_probability(partner.engagement, n.engagement_exponent)
        if week >= 0 and partner.active:
            write(run, Kind.SKILL, NOBODY, p, NOBODY, 0, partner.skill)
            write(run, Kind.ENGAGEMENT, NOBODY, p, NOBODY, 0, partner.engagement)
    if not math.isfinite(now.credit_usd):
        stop(run, Trouble.CREDIT)
    for s in range(len(work.segments)):
        state, segment = work.segments[s], run.numbers.segments[s]
        state.pool = run.numbers.expected[s, week + HISTORY_WEEKS] * (1.0 - share_in_partner_hands(run, s))
        state.reach = reach(segment.inbound_share, segment.prospecting_yield, state.prospecting, state.pool)
        if not is_level(state.reach):
            stop(run, Trouble.REACH)
        if week >= 0:
            write(run, Kind.REACH, NOBODY, NOBODY, s, 0, state.reach)


def stop(run: Run, why: Trouble) -> None:
    """End the run; the first trouble is the one that is told."""
    now = run.work.now[0]
    if now.trouble == Trouble.NONE:
        now.trouble = why


def share_in_partner_hands(run: Run, s: int) -> float:
    """Expected share of a segment's opportunities that are not the manager's to find."""
    now, work = run.work.now[0], run.work
    mode = run.plans.segment_plans[now.plan, now.quarter, s].coverage_mode
    share = 0.0
    if mode in (DIRECT, DIRECT_FIRST):
        return share
    for p in range(len(work.partners)):
        if run.numbers.bases[s, p] > 0.0 and work.partners[p].active:
            share += run.numbers.bases[s, p] * (1.0 if mode == PARTNER_LED else work.partners[p].bring)
    return share


# ---------------------------------------------------------------- the ledger


def write(run: Run, kind: int, opportunity: int, partner: int, segment: int, amount_usd: int, value: float) -> None:
    """Write a record: keep it if there is room for records, and add it up."""
    now = run.work.now[0]
    if now.records < len(run.records):
        record = run.records[now.records]
        record.tick = now.tick
        record.kind = kind
        record.opportunity = opportunity
        record.partner = partner
        record.segment = segment
        record.amount_usd = amount_usd
        record.value = value
    now.records += 1
    add_record(run.of_run, now.sums, now.tick, kind, partner, amount_usd, value)


def write_hours(run: Run, kind: int, ticks: int, opportunity: int, partner: int, segment: int) -> None:
    """Write a record of hours."""
    write(run, kind, opportunity, partner, segment, 0, ticks / run.numbers.run[0].ticks_per_hour)
