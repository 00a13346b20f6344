"""The territory, as SimPy processes: the manager's week, deals, partners, and the calendar.

Read `manager` first: it is the working week. `own_deal` and `partner_deal` are the lives of an opportunity; `calendar`
is what happens between two weeks. Nothing here is random (market.py drew it all) and no rule stands here
(rules.py).

The file is long because it is one story: its processes call each other within one instant.

Order within one tick is part of the model. Every dated event is a `Due`, with a rank (rules.py) and the id of whom it
concerns; both as one number are its SimPy priority. Ranks come after SimPy's own priorities, so a process woken by
`succeed()` runs before anything else that is due.
"""

import heapq
import math
from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from sim import rules
from sim.coefficients import (
    APPOINTMENT_KINDS,
    ASSIST_KINDS,
    CAM_KINDS,
    CO_SELL,
    COACH,
    DIRECT,
    DIRECT_FIRST,
    JOINT_PLAN,
    PARTNER_FIRST,
    PARTNER_LED,
    RECRUIT,
    SOCIALISE,
    Coefficients,
    QuarterNumbers,
    SegmentNumbers,
)
from sim.ledger import HISTORY_START, NEVER, NOBODY, RECORD, TICKS_PER_WEEK, Kind
from sim.market import Market
from sim.states import Columns, Deal, PartnerState, WeekPlan
from sim.terms import HISTORY_WEEKS, PARTNER_ACTIVITIES, WEEKS_PER_QUARTER

Process = Generator[simpy.Event, Any, None]


class Clock(simpy.Environment):
    """SimPy's environment, counting whole ticks."""

    _now: int

    @property
    def now(self) -> int:
        return self._now


class Due(simpy.Event):
    """An event dated `delay` ticks from now, in the order (tick, rank, id)."""

    def __init__(self, env: simpy.Environment, delay: int, rank: int, id: int = 0) -> None:
        self.env = env
        self.callbacks: list[Any] = []
        self._value = None
        self._ok = True
        env.schedule(self, (rank << 32) + id, delay)  # type: ignore[arg-type]


class Territory:
    """The state of one run and its processes; `run` gives the records."""

    def __init__(self, numbers: Coefficients, market: Market) -> None:
        self.numbers = numbers
        self.market = Columns(market)
        self.end = numbers.weeks * TICKS_PER_WEEK
        self.env = Clock(initial_time=HISTORY_START)
        self.records: list[tuple[int, int, int, int, int, int, float]] = []
        self.partners = [
            PartnerState(p, partner, self.market.true_segment[p]) for p, partner in enumerate(numbers.partners)
        ]
        self.change_quarter(0)
        self.reach = [0.0] * len(numbers.segments)
        self.bring = [0.0] * len(self.partners)
        self.pool = [0.0] * len(numbers.segments)
        self.prospecting = [ticks / numbers.ticks_per_hour for ticks in self.plan.prospect_ticks]
        self.waiting: list[tuple[float, int, Deal]] = []
        self.visited: Deal | None = None
        self.free_again: simpy.Event | None = None
        self.idle_since = NEVER
        self.spare_ticks = 0
        self.week = WeekPlan()
        self.own: dict[int, Deal] = {}

    def run(self) -> np.ndarray[Any, Any]:
        """The records of the whole horizon; what is due at its very end belongs to the next quarter."""
        self.env.process(self.calendar())
        self.env.process(self.opportunities())
        self.env.process(self.manager())
        stop = simpy.Event(self.env)
        stop._ok, stop._value = True, None
        self.env.schedule(stop, 2, self.end - HISTORY_START)  # type: ignore[arg-type]
        self.env.run(until=stop)
        return np.fromiter(self.records, dtype=RECORD, count=len(self.records))

    # ---------------------------------------------------------------- the manager's week

    def manager(self) -> Process:
        """The working week: partner appointments, co-selling, selling for partners, prospecting, and selling."""
        while True:
            yield self.due(rules.BLOCK_STARTS)
            week = self.week
            for p, kind, ticks in week.appointments:
                self.write_hours(kind, ticks, partner=p)
            if week.appointments:
                yield self.work(sum(ticks for _, _, ticks in week.appointments))
            for activity, p, ticks in week.assists:
                yield self.due(rules.BLOCK_STARTS)
                yield from self.assist(self.partners[p], activity, ticks)
            for s, ticks in week.prospect:
                self.write_hours(Kind.PROSPECT, ticks, segment=s)
                yield self.work(ticks)
            if week.sell_until > self.env.now:
                yield self.due(rules.BLOCK_STARTS)
                self.write_hours(Kind.SELL_TIME, week.sell_until - self.env.now)
                yield from self.sell(week.sell_until)
            yield self.due(rules.BLOCK_STARTS, week.ends_at - self.env.now)

    def sell(self, until: int) -> Process:
        """Visit the most valuable waiting deal, and the next; with nobody waiting, be free for whoever calls."""
        self.due(rules.WORK_ENDS, until - self.env.now).callbacks.append(self.stop_waiting)
        while self.env.now < until:
            if self.visited is None:
                self.visited = self.next_visit()
            deal = self.visited
            if deal is None:
                self.idle_since = self.env.now
                self.free_again = self.env.event()
                yield self.free_again
                self.settle_spare()
                self.idle_since = NEVER
                continue
            ticks = min(deal.visit_left, until - self.env.now)
            self.write_hours(Kind.VISIT, ticks, deal)
            yield self.work(ticks)
            if self.visited is not deal:
                continue  # the deal was replaced by the open pipeline in the meantime
            deal.visit_left -= ticks
            if deal.visit_left == 0:
                self.visited = None
                self.answer(deal, True)

    def assist(self, partner: PartnerState, activity: int, ticks: int) -> Process:
        """Work on the partner's open deals, the most valuable first; what nobody needs goes back to selling."""
        until = self.env.now + ticks
        while self.env.now < until:
            deal = self.next_assisted(partner, activity)
            if deal is None:
                return
            ticks = min(deal.assist_left, until - self.env.now, deal.closes_at - self.env.now)
            self.write_hours(ASSIST_KINDS[activity], ticks, deal)
            yield self.work(ticks)
            deal.assist_left -= ticks
            if deal.assist_left == 0 and not deal.over:
                if activity == CO_SELL:
                    partner.guided += 1
                elif deal.in_capacity:
                    self.release(partner, deal)

    def next_visit(self) -> Deal | None:
        while self.waiting:
            deal = heapq.heappop(self.waiting)[2]
            if deal.reply is not None and not deal.over:
                deal.visit_left = deal.effort[deal.stage]
                return deal
        return None

    def next_assisted(self, partner: PartnerState, activity: int) -> Deal | None:
        """A lump once begun is finished; then the largest amount * win probability / mean hours, ties by id."""
        now = self.env.now
        best, best_worth = None, -1.0
        for deal in partner.open.values():
            if deal.closes_at <= now:
                continue
            if deal.assisted_by == activity and deal.assist_left > 0:
                return deal
            if deal.assisted_by is not None or (activity == CO_SELL and not deal.in_capacity):
                continue
            worth = deal.amount * self.numbers.segments[deal.segment].assist_worth_per_hour
            if worth > best_worth:
                best, best_worth = deal, worth
        if best is not None:
            self.begin_assist(best, activity)
        return best

    def begin_assist(self, deal: Deal, activity: int) -> None:
        deal.assisted_by = activity
        hours = sum(deal.effort[: self.segment(deal).stages])
        if activity == CO_SELL:
            deal.assist_left = rules.co_sell_ticks(hours)
            return
        deal.assist_left = hours
        if deal.reply is not None:
            self.answer(deal, True)
            deal.closes_at = self.env.now + deal.cycle

    # ---------------------------------------------------------------- opportunities

    def opportunities(self) -> Process:
        """The market, one opportunity after another."""
        market = self.market
        for id in range(market.open_deals, len(market.tick)):
            yield self.due(rules.ARRIVES, market.tick[id] - self.env.now, id)
            self.arrive(id)

    def arrive(self, id: int) -> None:
        """Who sees a new opportunity, and who may keep it."""
        market = self.market
        segment, owner = market.segment[id], market.owner[id]
        mode = self.plan.coverage_mode[segment]
        self.write(Kind.ARRIVED, id, owner, segment, market.amount_usd[id])
        in_base = owner != NOBODY and self.partners[owner].active
        found = market.found[id] < self.reach[segment] and not (in_base and mode == PARTNER_LED)
        brought = in_base and mode != DIRECT and market.brought[id] < self.bring[owner]
        if found and brought and mode == DIRECT_FIRST:
            self.partners[owner].conflicts += 1
            self.write(Kind.CONFLICT, id, owner, segment)
        if found and not (brought and mode == PARTNER_FIRST):
            self.write(Kind.FOUND, id, NOBODY, segment, market.amount_usd[id])
            self.env.process(self.own_deal(Deal(market, id, self.env.now, NOBODY)))
        elif brought:
            self.write(Kind.REGISTERED, id, owner, segment, market.amount_usd[id])
            self.env.process(self.partner_deal(Deal(market, id, self.env.now, owner), self.partners[owner]))
        else:
            self.write(Kind.LEAKED, id, NOBODY, segment, market.amount_usd[id])

    def own_deal(self, deal: Deal) -> Process:
        """A deal of the manager's: wait for a visit, wait for the buyer, until there is an answer."""
        self.own[deal.id] = deal
        segment = self.segment(deal)
        while True:
            if not (yield self.visit(deal)):
                return self.close(deal, Kind.NO_DECISION)
            yield self.due(rules.BUYER_RETURNS, deal.lag[deal.stage], deal.id)
            if deal.over:
                return
            if deal.u >= segment.pass_below[deal.stage]:
                return self.close(deal, Kind.LOST)
            deal.stage += 1
            if deal.stage == segment.stages:
                return self.close(deal, Kind.WON_DIRECT)
            self.write(Kind.ADVANCED, deal.id, NOBODY, deal.segment, value=deal.stage)

    def partner_deal(self, deal: Deal, partner: PartnerState) -> Process:
        """A partner's deal: wait for its people, then for the closing date, alone or with the manager's help."""
        partner.open[deal.id] = deal
        arrived = self.env.now
        if partner.working < partner.numbers.capacity_deals:
            self.take_on(partner, deal)
        elif not (yield self.stand_in_line(partner, deal)):
            return self.close(deal, Kind.NO_DECISION)
        deal.closes_at = self.env.now + deal.cycle
        waited = (self.env.now - arrived) / TICKS_PER_WEEK
        self.write(Kind.STARTED, deal.id, partner.index, deal.segment, value=waited)
        yield self.due(rules.PARTNER_CLOSES, deal.cycle, deal.id)
        if deal.over:
            return
        outcome = self.outcome(deal, partner)
        if deal.in_capacity:
            self.release(partner, deal)
        self.close(deal, outcome)

    def outcome(self, deal: Deal, partner: PartnerState) -> Kind:
        """How a partner's deal ends: with finished help at the manager's win rate, else at its own.

        A deal that only the manager worked, and did not finish, is lost. A win of the partner's own people is practice.
        """
        segment = self.segment(deal)
        if deal.assisted_by is not None and deal.assist_left == 0:
            if deal.u >= segment.win_probability:
                return Kind.LOST
            return Kind.WON_CO_SOLD if deal.assisted_by == CO_SELL else Kind.WON_SOLD_FOR
        if not deal.in_capacity:
            return Kind.LOST
        chance = rules.partner_win_probability(
            partner.numbers.fit[deal.segment], segment.win_probability, partner.skill, self.numbers.skill_exponent
        )
        if deal.u >= chance:
            return Kind.LOST
        partner.own_wins += 1
        return Kind.WON_PARTNER

    def visit(self, deal: Deal) -> simpy.Event:
        """The deal waits for the manager: gives True after the visit, False if patience ends before it begins."""
        reply = deal.reply = self.env.event()
        worth = deal.amount * self.segment(deal).worth_per_hour[deal.stage]
        heapq.heappush(self.waiting, (-worth, deal.id, deal))
        self.limit_patience(deal, deal.stage, reply)
        self.stop_waiting()
        return reply

    def stand_in_line(self, partner: PartnerState, deal: Deal) -> simpy.Event:
        """The deal waits for the partner's people: gives True when they start, False if patience ends first."""
        reply = deal.reply = self.env.event()
        partner.queue.append(deal)
        self.limit_patience(deal, 0, reply)
        return reply

    def limit_patience(self, deal: Deal, stage: int, reply: simpy.Event) -> None:
        if deal.patience[stage] != NEVER:

            def give_up(_: simpy.Event) -> None:
                if deal.reply is reply and deal is not self.visited and not deal.over:
                    self.answer(deal, False)

            self.due(rules.PATIENCE_EXPIRES, deal.patience[stage], deal.id).callbacks.append(give_up)

    def answer(self, deal: Deal, reply: bool) -> None:
        """End a deal's wait."""
        waiting, deal.reply = deal.reply, None
        waiting.succeed(reply)

    def take_on(self, partner: PartnerState, deal: Deal) -> None:
        deal.in_capacity = True
        partner.working += 1

    def release(self, partner: PartnerState, deal: Deal) -> None:
        """The partner's people are free for the next in line."""
        deal.in_capacity = False
        partner.working -= 1
        while partner.queue and partner.working < partner.numbers.capacity_deals:
            following = partner.queue.popleft()
            if following.reply is not None and not following.over:
                self.take_on(partner, following)
                self.answer(following, True)

    def close(self, deal: Deal, kind: Kind) -> None:
        """The one end of a deal that somebody worked."""
        deal.over = True
        age_weeks = (self.env.now - deal.opened_at) / TICKS_PER_WEEK
        self.write(kind, deal.id, deal.partner, deal.segment, deal.amount, age_weeks)
        if deal.partner == NOBODY:
            del self.own[deal.id]
            credit_share = 1.0
        else:
            partner = self.partners[deal.partner]
            del partner.open[deal.id]
            credit_share = partner.numbers.credit_share
        if kind in (Kind.WON_DIRECT, Kind.WON_PARTNER, Kind.WON_CO_SOLD, Kind.WON_SOLD_FOR):
            self.credit_usd += credit_share * deal.amount

    # ---------------------------------------------------------------- between two weeks

    def calendar(self) -> Process:
        """The week boundary: what last week did, who leaves and signs, and what the new week holds."""
        for week in range(-HISTORY_WEEKS, self.numbers.weeks):
            if week > -HISTORY_WEEKS:
                yield self.due(rules.WEEK_BOUNDARY, week * TICKS_PER_WEEK - self.env.now)
                self.remember_prospecting()
            if week > 0:
                for partner in self.partners:
                    self.learn_and_forget(partner)
                    self.leave(partner)
                for partner in self.partners:
                    self.sign(partner, week)
            if week == 0:
                self.replace_open_deals()
            if week >= 0 and week % WEEKS_PER_QUARTER == 0:
                self.change_quarter(week // WEEKS_PER_QUARTER + 1)
            self.plan_week(week)
            self.see(week)

    def learn_and_forget(self, partner: PartnerState) -> None:
        """Skill and engagement after a week's help, practice, conflicts and neglect."""
        if not partner.active:
            return
        n, traits, hours = self.numbers, partner.traits, partner.hours
        learned = (
            rules.saturating_gain(n.coach_gain, hours[COACH], n.coach_tau)
            + n.practice_gain * partner.own_wins
            + n.guided_practice_gain * partner.guided
        )
        planned = rules.saturating_gain(n.joint_plan_gain, hours[JOINT_PLAN], n.joint_plan_tau)
        liked = rules.saturating_gain(n.socialise_gain, hours[SOCIALISE], n.socialise_tau)
        partner.skill = rules.next_level(
            partner.skill,
            rules.resting_level(traits.skill_alone, partner.parked),
            traits.skill_ceiling,
            n.skill_forgotten,
            traits.teachability * learned,
        )
        partner.engagement = rules.next_level(
            partner.engagement,
            rules.resting_level(traits.engagement_alone, partner.parked),
            traits.engagement_ceiling,
            n.engagement_forgotten,
            traits.teachability * planned + liked - n.conflict_penalty * partner.conflicts,
        )

    def leave(self, partner: PartnerState) -> None:
        """A partner whose time has come leaves: its open deals are lost, its accounts become house accounts."""
        stays = self.market.exit_ticks[partner.index]
        if not partner.active or stays == NEVER or self.env.now - partner.active_since < stays:
            return
        partner.active = False
        self.write(Kind.LEFT, partner=partner.index)
        for deal in list(partner.open.values()):
            self.close(deal, Kind.PARTNER_LEFT)
        partner.queue.clear()

    def sign(self, partner: PartnerState, week: int) -> None:
        """A candidate that has had its recruiting hours decides; once onboarded it is a partner like the others."""
        numbers = partner.numbers
        if not partner.settled:
            partner.recruited_hours += partner.hours[RECRUIT]
            if 0 < partner.recruited_hours >= numbers.recruiting_hours:
                partner.settled = True
                signs = self.market.signing[partner.index] < numbers.sign_probability
                self.write(Kind.SIGNED if signs else Kind.DECLINED, partner=partner.index)
                partner.onboarded_week = week + numbers.onboarding_weeks if signs else -1
        if partner.onboarded_week == week:
            partner.active = True
            partner.active_since = self.env.now
            self.write(Kind.ONBOARDED, partner=partner.index)

    def replace_open_deals(self) -> None:
        """Put the scenario's open pipeline, if it has one, in the place of the simulated one, on the first day."""
        if not self.market.has_open_pipeline:
            return
        self.visited = None
        self.waiting.clear()
        for partner in self.partners:
            partner.working = 0
            partner.queue.clear()
        open_deals = [*self.own.values(), *(deal for partner in self.partners for deal in partner.open.values())]
        for deal in sorted(open_deals, key=lambda deal: deal.id):
            self.close(deal, Kind.REPLACED)
        for id in range(self.market.open_deals):
            owner = self.market.owner[id]
            deal = Deal(self.market, id, self.env.now, owner)
            age_weeks = self.market.age_ticks[id] / TICKS_PER_WEEK
            self.write(Kind.TAKEN_OVER, id, owner, deal.segment, deal.amount, age_weeks)
            self.env.process(self.own_deal(deal) if owner == NOBODY else self.partner_deal(deal, self.partners[owner]))

    def change_quarter(self, quarter: int) -> None:
        self.plan: QuarterNumbers = self.numbers.quarters[quarter]
        self.credit_usd = 0.0
        for partner in self.partners:
            partner.parked = self.plan.parked[partner.index]

    def remember_prospecting(self) -> None:
        """Average prospecting hours by segment: last week's planned, and its spare selling time divided likewise."""
        self.settle_spare()
        spare_hours = self.spare_ticks / self.numbers.ticks_per_hour
        self.spare_ticks = 0
        shares = self.plan.prospect_shares or self.pool_value_shares()
        given = dict(self.week.prospect)
        for s in range(len(self.prospecting)):
            hours = given.get(s, 0) / self.numbers.ticks_per_hour + spare_hours * shares[s]
            self.prospecting[s] = rules.moving_average(self.prospecting[s], hours, self.numbers.prospecting_forgotten)

    def pool_value_shares(self) -> tuple[float, ...]:
        values = [pool * s.value_per_opportunity for pool, s in zip(self.pool, self.numbers.segments, strict=True)]
        total = 0.0
        for value in values:  # one after another: sum() of later Pythons compensates, and compiled code does not
            total += value
        return tuple(value / total if total > 0 else 0.0 for value in values)

    def plan_week(self, week: int) -> None:
        """What the plan gives to whom this week, as far as the hours go; all that is not for others goes to selling."""
        off = week >= 0 and self.numbers.week_off[week]
        left = 0 if off else TICKS_PER_WEEK
        keep = self.partner_hours_kept(week)
        plan, start = self.plan, self.env.now
        this = self.week = WeekPlan()
        this.ends_at = start + TICKS_PER_WEEK

        def give(ticks: int) -> int:
            nonlocal left
            given = min(ticks, left)
            left -= given
            return given

        for partner in self.partners:
            partner.conflicts = partner.own_wins = partner.guided = 0
            partner.hours = [0.0] * len(PARTNER_ACTIVITIES)
            if partner.carried and (ticks := give(partner.traits.support_ticks)):
                this.appointments.append((partner.index, Kind.SUPPORT, ticks))
        for p, activity, wanted in plan.appointments:
            if self.can_get(p, activity, week) and (ticks := give(round(wanted * keep))):
                this.appointments.append((p, APPOINTMENT_KINDS[activity], ticks))
                self.partners[p].hours[activity] = ticks / self.numbers.ticks_per_hour
        for p, activity, hours in plan.cam_hours:
            if self.can_get(p, activity, week):
                self.partners[p].hours[activity] += self.numbers.cam_factor * hours
                self.write(CAM_KINDS[activity], partner=p, value=hours)
        for activity, p, wanted in plan.assists:
            if self.can_get(p, activity, week) and (ticks := give(round(wanted * keep))):
                this.assists.append((activity, p, ticks))
        for s, wanted in enumerate(plan.prospect_ticks):
            if ticks := give(wanted):
                this.prospect.append((s, ticks))
        this.sell_until = start if off else start + max(0, TICKS_PER_WEEK - plan.idle_ticks)

    def can_get(self, p: int, activity: int, week: int) -> bool:
        partner = self.partners[p]
        if activity == RECRUIT:
            return not partner.settled and week >= 0
        return partner.carried

    def partner_hours_kept(self, week: int) -> float:
        """Share of the planned partner hours kept this week: less, late in a quarter that is behind."""
        in_quarter = week % WEEKS_PER_QUARTER + 1
        if week < 0 or in_quarter < rules.LATE_WEEK:
            return 1.0
        behind = rules.behind_pace(self.credit_usd, self.plan.quota_usd, in_quarter, WEEKS_PER_QUARTER)
        return self.plan.discipline if behind else 1.0

    def see(self, week: int) -> None:
        """What partners bring and what the manager sees this week."""
        n = self.numbers
        for p, partner in enumerate(self.partners):
            if not (rules.is_level(partner.skill) and rules.is_level(partner.engagement)):
                raise ArithmeticError(f"a partner's skill or engagement is not between 0 and 1 in week {week + 1}")
            self.bring[p] = rules.bring_probability(partner.engagement, n.engagement_exponent)
            if week >= 0 and partner.active:
                self.write(Kind.SKILL, partner=p, value=partner.skill)
                self.write(Kind.ENGAGEMENT, partner=p, value=partner.engagement)
        if not math.isfinite(self.credit_usd):
            raise ArithmeticError(f"quota credit is not a number in week {week + 1}")
        for s, segment in enumerate(n.segments):
            self.pool[s] = segment.demand[week + HISTORY_WEEKS] * (1.0 - self.share_in_partner_hands(s))
            self.reach[s] = rules.reach(
                segment.inbound_share, segment.prospecting_yield, self.prospecting[s], self.pool[s]
            )
            if not rules.is_level(self.reach[s]):
                raise ArithmeticError(f"the reach of a segment is not between 0 and 1 in week {week + 1}")
            if week >= 0:
                self.write(Kind.REACH, segment=s, value=self.reach[s])

    def share_in_partner_hands(self, s: int) -> float:
        """Expected share of a segment's opportunities that are not the manager's to find."""
        mode = self.plan.coverage_mode[s]
        if mode in (DIRECT, DIRECT_FIRST):
            return 0.0
        share = 0.0
        for p, base in self.numbers.segments[s].bases:
            if self.partners[p].active:
                share += base * (1.0 if mode == PARTNER_LED else self.bring[p])
        return share

    # ---------------------------------------------------------------- small words

    def due(self, rank: int, delay: int = 0, id: int = 0) -> Due:
        return Due(self.env, delay, rank, id)

    def work(self, ticks: int) -> Due:
        return Due(self.env, ticks, rules.WORK_ENDS)

    def segment(self, deal: Deal) -> SegmentNumbers:
        return self.numbers.segments[deal.segment]

    def stop_waiting(self, _: simpy.Event | None = None) -> None:
        """Somebody calls, or the selling time is over: the free manager looks up."""
        if self.free_again is not None:
            free, self.free_again = self.free_again, None
            free.succeed()

    def settle_spare(self) -> None:
        """Count the time the manager has been free so far."""
        if self.idle_since < self.env.now:
            self.spare_ticks += self.env.now - self.idle_since
            self.idle_since = self.env.now

    def write(
        self,
        kind: Kind,
        opportunity: int = NOBODY,
        partner: int = NOBODY,
        segment: int = NOBODY,
        amount: int = 0,
        value: float = 0.0,
    ) -> None:
        self.records.append((self.env.now, kind, opportunity, partner, segment, amount, value))

    def write_hours(
        self, kind: Kind, ticks: int, deal: Deal | None = None, partner: int = NOBODY, segment: int = NOBODY
    ) -> None:
        hours = ticks / self.numbers.ticks_per_hour
        if deal is None:
            self.write(kind, NOBODY, partner, segment, 0, hours)
        else:
            self.write(kind, deal.id, deal.partner, deal.segment, 0, hours)


def run_simpy(numbers: Coefficients, market: Market) -> np.ndarray[Any, Any]:
    """The records of one market under one plan: the SimPy engine."""
    return Territory(numbers, market).run()
