"""How numbers are written: the one place of their formats on screens, in the terminal and in files.

Left out: the words around them (text.py), and cell formats of spreadsheets (nexthour/office/sheet.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sim import Scenario
    from sim.study.estimates import Estimate


class Ends(Protocol):
    """Anything with two ends: an estimate, a flip, a fitted number."""

    @property
    def low(self) -> float: ...

    @property
    def high(self) -> float: ...


class ValueWithEnds(Ends, Protocol):
    """A value with both ends of its interval."""

    @property
    def value(self) -> float: ...


def whole(number: float) -> str:
    """A count, or hours in all, in whole numbers: 1,240."""
    return f"{number:,.0f}"


def plain_whole(number: float) -> str:
    """A whole number without marks of thousands, as it stands beside a % sign or before "of 100": 46."""
    return f"{number:.0f}"


def signed_whole(number: float) -> str:
    """A whole number with its sign, as of a difference in points: +5."""
    return f"{number:+.0f}"


def tenths(number: float) -> str:
    """Hours a week, weeks or a mean count, to a tenth: 12.5."""
    return f"{number:.1f}"


def signed_tenths(number: float) -> str:
    """A difference with its sign, to a tenth: +1.5."""
    return f"{number:+.1f}"


def hours_in_all(hours: float) -> str:
    """Hours added up, to a tenth: 1,240.5."""
    return f"{hours:,.1f}"


def hundredths(number: float) -> str:
    """Hours of the calendar or times quota, to a hundredth: 1.25."""
    return f"{number:.2f}"


def signed_thousandths(number: float) -> str:
    """A difference without a unit, to a thousandth: +0.125."""
    return f"{number:+.3f}"


def plain_number(number: float) -> str:
    """A number as somebody wrote it, in at most six digits: 0.25, 4."""
    return f"{number:g}"


def whole_percent(share: float) -> str:
    """A share in whole percent: 46%."""
    return f"{share:.0%}"


def tenths_percent(share: float) -> str:
    """A share in percent to a tenth: 46.2%."""
    return f"{share:.1%}"


def signed_percent(share: float) -> str:
    """A difference as a share, in percent to a tenth: +2.3%."""
    return f"{share:+.1%}"


def of_100(share: float) -> str:
    """A share as a count of a hundred, which the words after it name: 46 of 100."""
    return f"{plain_whole(100 * share)} of 100"


def thousands(amount: float, sign: bool = False) -> str:
    """Thousands of dollars under a head that says so: 83, and as a change +83."""
    return f"{amount / 1000:{'+' if sign else ''},.0f}"


def points(share: float) -> str:
    """A share as points to a tenth, such as after ±: 1.3."""
    return tenths(100 * share)


def usd(amount: float, sign: bool = False) -> str:
    """Dollars in three digits or so: $940, $83k, $5.38M."""
    size = abs(round(amount))
    text = f"${size}" if size < 1000 else f"${size / 1e3:,.0f}k" if size < 999_500 else f"${size / 1e6:,.2f}M"
    return ("-" if amount < 0 else "+" if sign else "") + text


def usd_interval(bounds: Ends, sign: bool = False) -> str:
    """An interval in dollars: $1.20M to $1.31M."""
    return f"{usd(bounds.low, sign)} to {usd(bounds.high, sign)}"


def usd_with_half_width(estimate: ValueWithEnds, sign: bool = False) -> str:
    """Dollars with half the width of their interval: $1.25M ±$54k."""
    return f"{usd(estimate.value, sign)} ±{usd(half_width(estimate))}"


def narrow_half_width(bounds: Ends) -> str:
    """Half the width of an interval in dollars, where a column has no room for another dollar sign: ±54k."""
    return f"±{usd(half_width(bounds))[1:]}"


def half_width(bounds: Ends) -> float:
    """Half the width of an interval: the number after ±."""
    return (bounds.high - bounds.low) / 2


def count_with_half_width(estimate: ValueWithEnds) -> str:
    """A mean count with half the width of its interval, both in whole numbers: 1,240 ±16."""
    return f"{whole(estimate.value)} ±{whole(half_width(estimate))}"


def with_half_width(estimate: ValueWithEnds, unit: str = "") -> str:
    """A value with half the width of its interval, both to the place that the interval lets tell: 46.2% ±1.3."""
    half = half_width(estimate)
    places = 0 if half >= 10 else 1 if half >= 0.1 else 2
    return f"{estimate.value:,.{places}f}{unit} ±{half:.{places}f}"


def interval(bounds: Ends, write: Callable[[float], str] = signed_percent) -> str:
    """An interval from end to end, as `write` has numbers; usually a difference as a share: +1.2% to +3.4%."""
    return f"{write(bounds.low)} to {write(bounds.high)}"


def with_interval(estimate: ValueWithEnds, write: Callable[[float], str] = signed_percent) -> str:
    """A value with its interval in brackets: +2.3% (+1.2% to +3.4%)."""
    return f"{write(estimate.value)} ({interval(estimate, write)})"


def percent(share: Estimate | None) -> str:
    """The mean of a share in whole percent; none if there is nothing to have a share of."""
    return "none" if share is None else whole_percent(share.value)


def digits(value: float, most: int = 3) -> str:
    """A number in at most `most` significant digits, never as a power of ten."""
    return f"{value:,.0f}" if abs(value) >= 10 ** (most - 1) else f"{value:.{most}g}"


def count_of(number: int, noun: str) -> str:
    """A number of things with their noun, which takes an s where they are not one: 1 market, 2,000 markets."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def count_of_total(share: Estimate) -> str:
    """A share of observations as a count of them: 812 of 1,000."""
    return f"{round(share.value * share.observations):,} of {share.observations:,}"


def exponents(scenario: Scenario) -> dict[str, float]:
    """The power to which a level of each stock is raised before people see it.

    Skill then says how often a partner wins for each win of the manager, engagement how much it brings of what its
    accounts hold.
    """
    assumed = scenario.assumptions
    return {"skill": assumed.skill_exponent.likely, "engagement": assumed.engagement_exponent.likely}
