"""The words for what a plan is asked for: options of the terminal, and words in the address of the app's page.

The fields themselves are declared in limits.py and request.py, which take their defaults from here. Nothing heavy is
imported, so that the help of the terminal is instant.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PlanOption:
    """How one field of a PlanRequest is set by people."""

    name: str
    """of the terminal's option"""
    kind: type
    """what the terminal takes: a number, a text, a file, a list of texts (may be repeated), or bool for a mere flag"""
    help: str
    metavar: str | None = None
    default: Any = None
    """of the field; None for a limit that is not there"""
    word: str = ""
    """in the address; nothing for what it does not hold"""


OPTIONS: dict[str, PlanOption] = {
    "floors": PlanOption(
        "floor", list, "Least attainment in a quarter, as in 1=0.9; may be repeated.", "QUARTER=SHARE", word="floors"
    ),
    "early_floor": PlanOption(
        "early-floor", float, "Least attainment of the first four quarters together.", "SHARE", word="early"
    ),
    "locks": PlanOption(
        "lock", list, "Fix hours a week, as in 'coach:Birch IT=2' or 'sell=20@1-4' (quarters).", "USE=HOURS",
        word="lock",
    ),
    "min_partner_share": PlanOption(
        "min-partner-share", float, "Least share of the hours planned for partners.", default=0.0, word="least"
    ),
    "max_partner_share": PlanOption("max-partner-share", float, "Most of it.", default=1.0, word="most"),
    "largest_change_hours": PlanOption(
        "largest-change", float, "Most by which partner hours a week change between quarters.", "HOURS", word="change"
    ),
    "recruit": PlanOption("no-recruiting", bool, "Recruit nobody.", default=True, word="recruit"),
    "only_partners": PlanOption(
        "only", list, "Only these partners get hours; may be repeated.", "PARTNER", word="only"
    ),
    "coverage_mode": PlanOption(
        "coverage", list, "Fix a segment's coverage mode, as in enterprise=direct.", "SEGMENT=MODE", word="fix"
    ),
    "objective": PlanOption(
        "objective", str, "quota_credit, net_bookings, expected_shortfall (the least) or quarters_at_quota.",
        default="quota_credit", word="objective",
    ),
    "discount_rate": PlanOption(
        "discount-rate", float, "How much less a later booking is worth, a year.", default=0.0, word="discount"
    ),
    "exit_weight": PlanOption(
        "exit-weight", float, "How much credit of the year after the horizon counts, 0 to 1.", "WEIGHT", 0.0, "after"
    ),
    "followed": PlanOption("followed", Path, "The plan so far, to plan again from here.", "FILE", word="so_far"),
    "from_quarter": PlanOption(
        "from-quarter", int, "The first quarter that is still to be planned.", "QUARTER", word="from"
    ),
    "actuals": PlanOption("actuals", Path, "What was seen of the quarters so far.", "FILE", word="actuals"),
    "effort": PlanOption("effort", str, "How long to search: quick, normal or thorough.", default="normal"),
    "seed": PlanOption("seed", int, "Which markets: the same seed gives the same ones.", default=7),
}  # fmt: skip
"""By the name of the field, in the order in which help has them."""
