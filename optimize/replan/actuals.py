"""What was seen of the quarters that are past: the ground for planning again in the middle of a horizon.

Indicators that a manager may know, quarter by quarter and by partner, as a file or a form has them; and the same
figures in simulated markets. What was not as planned are figures outside the range that the plan has in most of them;
one in five is outside by luck alone, so each comes with its surprise.

Left out: what the past tells of what is to come (matching.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from optimize.effort import Effort
from sim import InputError, PlanError, Scenario, TimePlan, kpis
from sim.arrays import FloatArray
from sim.documents.declared import Declared, FrozenMap, Items, declare, validate
from sim.documents.messages import known_keys
from sim.documents.yaml_file import Document
from sim.kpis import Kpi, Tally
from sim.study.batches import table_values
from sim.study.options import SEED
from sim.study.request import check_plan
from sim.tape import check_seed
from sim.terms import MAX_USD

KPI_BY_NAME = {kpi.name: kpi for kpi in kpis.KPIS}
KPI_BY_PARTNER = {
    kpi.name: kpi
    for kpi in (
        Kpi("registered_deals", "registered deals", "deals", "leading", kpis.registered_by_partner),
        Kpi("won_usd", "bookings, gross", "US dollars", "lagging", kpis.bookings_by_partner),
    )
}
"""Indicators by partner, of shape (..., quarters, partners)."""

Usd = Annotated[float, Field(ge=0, le=MAX_USD)]
Count = Annotated[int, Field(ge=0, le=10**6)]
Level = Annotated[float, Field(ge=0, le=1)]
Times = Annotated[float, Field(ge=0, le=1000)]


def _figure(kpi: Kpi) -> Any:
    """A figure that may be given, in the words of its indicator."""
    return declare(kpi.label, unit=kpi.unit, source="what was seen", default=None)


class PartnerActuals(Declared):
    """What was seen of one partner in a quarter."""

    registered_deals: Count | None = _figure(KPI_BY_PARTNER["registered_deals"])
    won_usd: Usd | None = _figure(KPI_BY_PARTNER["won_usd"])


class QuarterActuals(Declared):
    """What was seen in a quarter that is past: as much of it as is known."""

    quarter: int = declare("which quarter, from 1", unit="quarter", ge=1, le=20)
    credit_usd: Usd | None = _figure(KPI_BY_NAME["credit_usd"])
    bookings_usd: Usd | None = _figure(KPI_BY_NAME["bookings_usd"])
    direct_credit_usd: Usd | None = _figure(KPI_BY_NAME["direct_credit_usd"])
    partner_credit_usd: Usd | None = _figure(KPI_BY_NAME["partner_credit_usd"])
    direct_wins: Count | None = _figure(KPI_BY_NAME["direct_wins"])
    partner_wins: Count | None = _figure(KPI_BY_NAME["partner_wins"])
    gone_cold: Count | None = _figure(KPI_BY_NAME["gone_cold"])
    pipeline_coverage: Times | None = _figure(KPI_BY_NAME["pipeline_coverage"])
    registered_deals: Count | None = _figure(KPI_BY_NAME["registered_deals"])
    active_partners: Count | None = _figure(KPI_BY_NAME["active_partners"])
    skill: Level | None = _figure(KPI_BY_NAME["skill"])
    engagement: Level | None = _figure(KPI_BY_NAME["engagement"])
    conflicts: Count | None = _figure(KPI_BY_NAME["conflicts"])
    partners: FrozenMap[PartnerActuals] = declare(
        "the same of single partners", unit="figures by partner", source="what was seen", default={}
    )


KNOWN = tuple(name for name in QuarterActuals.model_fields if name in KPI_BY_NAME)
"""Indicators that a manager may know."""


@dataclass(frozen=True)
class Figure:
    """One thing that can be seen: an indicator, or one of a partner, in a quarter from 1."""

    quarter: int
    name: str
    partner: str | None = None

    @property
    def kpi(self) -> Kpi:
        return KPI_BY_NAME[self.name] if self.partner is None else KPI_BY_PARTNER[self.name]

    @property
    def what(self) -> str:
        """The label of the figure, with the partner's name."""
        return self.kpi.label if self.partner is None else f"{self.partner}, {self.kpi.label}"

    @property
    def when(self) -> Literal["lagging", "leading"]:
        return self.kpi.when

    def shown(self, value: float) -> str:
        """A value of the figure, as people read it."""
        if self.kpi.unit == "US dollars":
            return f"${value:,.0f}"
        return f"{value:,.0f}" if self.kpi.unit in ("deals", "partners") else f"{value:.2f}"


class Actuals(Document):
    """What was seen so far, quarter by quarter."""

    schema_file: ClassVar[str] = "actuals.schema.json"
    kind: ClassVar[str] = "what happened so far"
    start_from: ClassVar[str] = "docs/replan.md shows one"
    error: ClassVar[type[InputError]] = PlanError

    by_quarter: Annotated[Items[QuarterActuals], Field(max_length=20)] = declare(
        "the quarters that are past, from the first", unit="list", source="what was seen"
    )
    open_pipeline_usd: Usd | None = declare(
        "amount of all deals that are open today, the manager's and the partners'",
        unit="US dollars",
        source="what was seen",
        default=None,
    )

    @model_validator(mode="after")
    def _without_gaps(self) -> Self:
        if not self.by_quarter:
            raise ValueError("by_quarter is empty; add a quarter that is past, or plan from the first with no actuals")
        counts = Counter(row.quarter for row in self.by_quarter)
        for quarter in range(1, max(counts) + 1):
            if counts[quarter] > 1:
                raise ValueError(f"by_quarter has quarter {quarter} twice; keep one")
            if counts[quarter] == 0:
                raise ValueError(
                    f"by_quarter has quarter {max(counts)} without quarter {quarter}; add it, if only as "
                    f"'quarter: {quarter}' (quarters count from 1, the first of the scenario)"
                )
        return self

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Actuals:
        """Actuals from plain data. Raises PlanError, a sentence for each thing that is wrong."""
        return validate(cls, given, "actuals", PlanError)

    @property
    def quarters(self) -> int:
        """The number of quarters that are past."""
        return len(self.by_quarter)

    def check_coming(self, scenario: Scenario) -> None:
        """Raise PlanError if no quarter is left to plan."""
        self._check_past(scenario, scenario.horizon_quarters - 1, ", so that there is a quarter to plan")

    def _check_past(self, scenario: Scenario, most: int, why: str = "") -> None:
        if self.quarters > most:
            raise PlanError(
                f"actuals: {self.quarters} quarters are past, and the horizon has {scenario.horizon_quarters}; "
                f"allowed: at most {most}{why}"
            )

    def figures(self, scenario: Scenario) -> dict[Figure, float]:
        """Everything that was seen. Raises PlanError if it does not fit the scenario, or nothing was."""
        seen = dict[Figure, float]()
        self._check_past(scenario, scenario.horizon_quarters)
        for row in self.by_quarter:
            try:
                known_keys(f"quarter {row.quarter}: partners", row.partners, scenario.partner_names, "partner")
            except ValueError as problem:
                raise PlanError(f"actuals: {problem}") from None
            seen |= {Figure(row.quarter, name): value for name in KNOWN if (value := getattr(row, name)) is not None}
            for partner, figures in row.partners.items():
                seen |= {Figure(row.quarter, name, partner): value for name, value in figures if value is not None}
        if self.open_pipeline_usd is not None and self.quarters < scenario.horizon_quarters:
            # Coverage is that at a quarter's start: that of the first quarter to come is known today.
            quota_usd = scenario.quota_usd()[self.quarters]
            seen[Figure(self.quarters + 1, "pipeline_coverage")] = self.open_pipeline_usd / quota_usd
        if not seen:
            raise PlanError(f"actuals: no figure is given; give one or more of open_pipeline_usd, {', '.join(KNOWN)}")
        return seen


def values_of(tally: Tally, figures: Sequence[Figure]) -> FloatArray:
    """The figures as they are in simulated markets: shape (..., figures)."""
    names = tally.scenario.partner_names
    values = {kpi: kpi.of(tally) for kpi in {figure.kpi for figure in figures}}
    return np.stack(
        [
            values[figure.kpi][..., figure.quarter - 1]
            if figure.partner is None
            else values[figure.kpi][..., figure.quarter - 1, names.index(figure.partner)]
            for figure in figures
        ],
        axis=-1,
    )


BAND = (0.1, 0.9)
"""Quantiles between which a figure is as planned."""
OF_MARKETS = f"{100 * (BAND[1] - BAND[0]):.0f} of 100 markets"
"""How many of them have it there, in words."""


@dataclass(frozen=True)
class Deviation:
    """A figure that was seen outside its band. One in five is, by luck alone."""

    figure: Figure
    actual: float
    low: float
    high: float
    surprise: float
    """share of markets at least as far out, to either side"""

    @property
    def says(self) -> str:
        """The deviation in words."""
        figure = self.figure
        return (
            f"Q{figure.quarter} {figure.what} {figure.shown(self.actual)}: the plan has {figure.shown(self.low)} to "
            f"{figure.shown(self.high)} in {OF_MARKETS}"
        )


def find_deviations(
    scenario: Scenario, plan: TimePlan, actuals: Actuals, seed: int = SEED.default, effort: Effort | str = Effort.normal
) -> tuple[Deviation, ...]:
    """What was seen outside its band under the plan that was followed: leading figures first, then by surprise."""
    seen = actuals.figures(scenario)
    check_plan("plan", plan)
    check_seed("seed", seed)
    markets = range(Effort.of(effort).band_markets)
    values = table_values(scenario, [plan.table(scenario)], markets, seed, lambda tally: values_of(tally, [*seen]))[0]
    found = []
    for (figure, actual), simulated in zip(seen.items(), values.T, strict=True):
        low, high = band(simulated)
        if not low <= actual <= high:
            found.append(Deviation(figure, actual, low, high, _surprise(simulated, actual)))
    return tuple(sorted(found, key=lambda deviation: (deviation.figure.when != "leading", deviation.surprise)))


def band(values: FloatArray) -> tuple[float, float]:
    """The ends between which a figure is as planned: values that did occur, so of a count whole numbers."""
    low, high = np.quantile(values, BAND, method="inverted_cdf")
    return float(low), float(high)


def _surprise(values: FloatArray, actual: float) -> float:
    """Share at least as far out, what happened among them, as it did (Davison & Hinkley 1997, section 4.2)."""
    rarer = min(np.count_nonzero(values <= actual), np.count_nonzero(values >= actual))
    return min(1.0, 2 * (1 + rarer) / (1 + len(values)))
