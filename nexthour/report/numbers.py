"""How numbers are written: the one place of their formats on screens, in the terminal and in files.

Left out: the words around them (text.py), and cell formats of spreadsheets (nexthour/office/sheet.py).
"""

from __future__ import annotations

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
    return f"{estimate.value:,.0f} ±{half_width(estimate):,.0f}"


def with_half_width(estimate: ValueWithEnds, unit: str = "") -> str:
    """A value with half the width of its interval, both to the place that the interval lets tell: 46.2% ±1.3."""
    half = half_width(estimate)
    places = 0 if half >= 10 else 1 if half >= 0.1 else 2
    return f"{estimate.value:,.{places}f}{unit} ±{half:.{places}f}"


def interval(bounds: Ends, form: str = "+.1%") -> str:
    """An interval from end to end; in the usual form that of a difference as a share: +1.2% to +3.4%."""
    return f"{bounds.low:{form}} to {bounds.high:{form}}"


def with_interval(estimate: ValueWithEnds, form: str = "+.1%") -> str:
    """A value with its interval in brackets: +2.3% (+1.2% to +3.4%)."""
    return f"{estimate.value:{form}} ({interval(estimate, form)})"


def percent(share: Estimate | None) -> str:
    """The mean of a share in whole percent; none if there is nothing to have a share of."""
    return "none" if share is None else f"{share.value:.0%}"


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
