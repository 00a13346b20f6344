"""Every rule of the model, once.

Small scalar functions of plain numbers: SimPy calls them as they are, a compiler can take them as they are. So: no
defaults, no containers, no branches on type, `math` only, and exponents are arguments (a literal square root compiles
to another instruction and differs in the last bit).

Left out: what is drawn (market.py) and in which order things happen (territory.py). docs/model.md has the equations.
"""

import math

WEEK_BOUNDARY, WORK_ENDS, BUYER_RETURNS, PARTNER_CLOSES, ARRIVES, PATIENCE_EXPIRES, BLOCK_STARTS = range(1, 8)
"""What comes first within one tick."""
LATE_WEEK = 10
"""From this week of a quarter on, a manager behind quota may drop partner hours."""


def share_forgotten(half_life_weeks: float) -> float:
    """Share of the way back to its resting level that a stock goes in one week (exponential forgetting)."""
    return 1.0 - math.pow(2.0, -1.0 / half_life_weeks)


def saturating_gain(gain_per_week: float, hours: float, tau_hours: float) -> float:
    """Gain of a week with `hours` of attention: gain * (1 - exp(-h / tau)), so the first hour is worth most."""
    if hours == 0.0:
        return 0.0  # as the formula says; most partners get nothing in most weeks
    return gain_per_week * (1.0 - math.exp(-hours / tau_hours))


def next_level(level: float, resting: float, ceiling: float, forgotten: float, gained: float) -> float:
    """A stock (skill or engagement) one week on: it drifts to its resting level, gains, and stays in [0, ceiling]."""
    # In this order what is no number stays no number, and is found out.
    return max(min(level + forgotten * (resting - level) + gained, ceiling), 0.0)


def resting_level(alone: float, parked: bool) -> float:
    """The level a stock drifts to: the one when left alone, and half of it for a parked partner."""
    return 0.5 * alone if parked else alone


def co_sell_ticks(effort_ticks: int) -> int:
    """The manager's part of a co-sold deal: half the stage hours, rounded up."""
    return (effort_ticks + 1) // 2


def power(x: float, exponent: float) -> float:
    """x ** exponent for x and exponent of at least 0; the usual exponents, a half and one, have something quicker."""
    if exponent == 0.5:
        return math.sqrt(x)
    if exponent == 1.0:
        return x
    if x == 0.0:
        return 1.0 if exponent == 0.0 else 0.0
    return math.exp(exponent * math.log(x))  # half the time of math.pow, to fifteen digits


def bring_probability(engagement: float, engagement_exponent: float) -> float:
    """Chance that a partner brings an opportunity of its own accounts."""
    return power(engagement, engagement_exponent)


def partner_win_probability(fit: float, win_probability: float, skill: float, skill_exponent: float) -> float:
    """Chance that a partner wins alone a deal which the manager would win with `win_probability`."""
    return min(1.0, fit * win_probability * power(skill, skill_exponent))


def moving_average(average: float, latest: float, forgotten: float) -> float:
    """Exponentially weighted average one week on."""
    return average + forgotten * (latest - average)


def reach(inbound_share: float, prospecting_yield: float, hours: float, pool: float) -> float:
    """Share of the pool that the manager sees: inbound, and more with prospecting, with diminishing returns.

    `hours` a week (average), `pool` expected opportunities a week; an empty pool is not seen at all.
    """
    if pool <= 0.0:
        return 0.0
    return 1.0 - (1.0 - inbound_share) * math.exp(-prospecting_yield * hours / pool)


def compete(win_probability: float, competition: float) -> float:
    """Last-stage advance probability when others fight `competition` times as hard: the odds are divided by it."""
    return win_probability / (win_probability + (1.0 - win_probability) * competition)


def behind_pace(credit_usd: float, quota_usd: float, week: int, weeks_per_quarter: int) -> bool:
    """Whether a manager in `week` (from 1) of the quarter feels behind quota."""
    return credit_usd * weeks_per_quarter < quota_usd * week


def is_level(share: float) -> bool:
    """Whether a skill, an engagement or a reach is possible; a number that is none is not."""
    return 0.0 <= share <= 1.0
