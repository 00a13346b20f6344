"""Where the numbers of a file come from, and what the file is called.

Left out: where the scenario's own numbers come from; these stand in its fields (fields.py).
"""

import datetime
import re
import unicodedata
from dataclasses import dataclass
from typing import Self

from nexthour.report.numbers import count_of
from nexthour.report.text import forwardable, forwardable_line
from sim import Comparison, Scenario
from sim.study.request import ComparisonRequest

LONGEST_SLUG = 60


@dataclass(frozen=True)
class Provenance:
    """What it takes to get the numbers of a comparison again, in words that can be forwarded."""

    scenario: str
    digest: str
    """digest of the scenario"""
    seed: int
    replications: int
    worlds: int
    version: str
    day: datetime.date
    again: str
    """the command that gives it again; SCENARIO is the scenario's file"""

    @classmethod
    def of(cls, comparison: Comparison, day: datetime.date) -> Self:
        """`day` is when the file is made."""
        made = comparison.scenario.provenance(comparison.seed)
        against_today = comparison.baseline == comparison.scenario.status_quo.name
        asked = ComparisonRequest(
            baseline=None if against_today else "PLAN",
            replications=comparison.replications,
            seed=comparison.seed,
            worlds=comparison.worlds,
        )
        return cls(
            scenario=forwardable_line(made["scenario"]),
            digest=made["scenario_digest"],
            seed=comparison.seed,
            replications=comparison.replications,
            worlds=comparison.worlds,
            version=f"Next Hour {made['nexthour']}",
            day=day,
            again=" ".join(["nexthour compare SCENARIO", *asked.options("replications", "seed")]),
        )

    @property
    def line(self) -> str:
        """One line with everything but the command, for a footer."""
        worlds = [count_of(self.worlds, "plausible world")] if self.worlds else []
        markets = count_of(self.replications, "market")
        known = [self.scenario, f"digest {self.digest}", f"seed {self.seed}", markets, *worlds, self.version]
        return " · ".join([*known, self.day.isoformat()])


def file_name(scenario: Scenario, what: str, day: datetime.date, ending: str) -> str:
    """A name that every system takes: nexthour, the scenario, what it is, the day.

    Only a-z, 0-9 and hyphens before the ending; a scenario whose name has none of these goes by its digest.
    """
    name = _slug(scenario.name) or scenario.digest()
    return f"nexthour-{name}-{_slug(what)}-{day.isoformat()}.{ending}".replace("--", "-")


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", forwardable(text)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:LONGEST_SLUG].strip("-")
