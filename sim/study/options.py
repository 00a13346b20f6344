"""What a comparison is asked for, field by field: its meaning, default and bounds, for whoever offers or checks it.

request.py makes a value of them. Nothing heavy is imported here, so that the help of the terminal is instant.
"""

from __future__ import annotations

from typing import Any, NamedTuple

MOST_RUNS = 10**7


class ComparisonOption(NamedTuple):
    """One thing that a comparison is asked for."""

    meaning: str
    unit: str
    default: Any = None
    least: int = 0
    most: int | None = None

    @property
    def help(self) -> str:
        """The meaning as a sentence."""
        return f"{self.meaning[:1].upper()}{self.meaning[1:]}."


PLANS = ComparisonOption(
    "a plan named in the scenario, or a plan file; may be repeated. Default: all it names", "names or files"
)
BASELINE = ComparisonOption("the plan to measure against. Default: the status quo", "name or file")
REPLICATIONS = ComparisonOption("number of markets; more give narrower intervals", "markets", 1000, 1, MOST_RUNS)
SEED = ComparisonOption("which markets: the same seed gives the same ones", "none", 7, 0)
REPLICATIONS_PER_WORLD = ComparisonOption(
    "markets in which each set of assumptions is tried", "markets", 20, 1, MOST_RUNS
)
WORKERS = ComparisonOption("processor cores to use. Default: all of them", "cores", None, 1, MOST_RUNS)
WORLDS = ComparisonOption(
    f"also try this many plausible sets of assumptions, in {REPLICATIONS_PER_WORLD.default} markets each",
    "sets of assumptions",
    0,
    0,
    MOST_RUNS,
)
