"""What a plan is asked for, as one value: the same from Python, the terminal, the app and a job.

Left out: what each field means, its bounds and how people say it (options.py), the limits (limits.py), and what becomes
of the request (planner.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from optimize.effort import EFFORTS, Effort
from optimize.limits import Limits
from optimize.objective import check_objective
from optimize.options import OPTIONS, ObjectiveName
from optimize.replan.actuals import Actuals
from sim import PlanError, Scenario, TimePlan
from sim.documents.declared import is_whole
from sim.documents.messages import show
from sim.study.request import check_plan
from sim.tape import check_seed


class PlanRequest(Limits):
    """Everything that a plan is asked for; the default is the most quota credit, without limits, from today on.

    `PlanRequest(objective="net_bookings", floors={"1": 0.9}, effort=Effort.quick)`; `of` takes floors by number and an
    effort by name too, and checks that all of it fits a scenario.
    """

    objective: ObjectiveName = OPTIONS["objective"].declare()
    discount_rate: float = OPTIONS["discount_rate"].declare()
    exit_weight: float = OPTIONS["exit_weight"].declare()
    followed: TimePlan | None = OPTIONS["followed"].declare()
    from_quarter: int | None = OPTIONS["from_quarter"].declare()
    actuals: Actuals | None = OPTIONS["actuals"].declare()
    effort: Effort = OPTIONS["effort"].declare(default=EFFORTS[OPTIONS["effort"].default])
    seed: int = OPTIONS["seed"].declare()

    @classmethod
    def of(cls, scenario: Scenario, given: Mapping[str, Any] | PlanRequest | None = None, **instead: Any) -> Self:
        """A request that fits a scenario, from plain values, `instead` going before `given`; None is as usual.

        Raises PlanError, a sentence for each thing that is wrong, or SimulationError for a seed that is none.
        """
        given = {} if given is None else given
        if not isinstance(given, Mapping | PlanRequest):
            raise PlanError(f"request is {show(given)}; allowed: a PlanRequest, or its fields as keywords")
        usual = {name: field.default for name, field in cls.model_fields.items()}
        values = [*dict(given).items(), *instead.items()]
        asked = usual | {name: value for name, value in values if value is not None}
        if asked["followed"] is not None:
            check_plan("followed", asked["followed"])
        if asked["actuals"] is not None and not isinstance(asked["actuals"], Actuals):
            raise PlanError(f"actuals is {show(asked['actuals'])}; allowed: Actuals, as Actuals.load(file) gives them")
        check_seed("seed", asked["seed"])
        past = _quarters_over(scenario, asked["followed"], asked["from_quarter"], asked["actuals"])
        check_objective(asked["objective"], asked["discount_rate"], asked["exit_weight"])
        request = super().of(scenario, asked | {"effort": Effort.of(asked["effort"])})
        request.check_past(past)
        return request

    @property
    def limits(self) -> Limits:
        """The limits alone."""
        return Limits(**{name: getattr(self, name) for name in Limits.model_fields})

    @property
    def quarters_over(self) -> int:
        """How many quarters of the horizon are over: those before `from_quarter`, or those that were seen."""
        if self.from_quarter is not None:
            return self.from_quarter - 1
        return 0 if self.actuals is None else self.actuals.quarters


def _quarters_over(scenario: Scenario, followed: TimePlan | None, from_quarter: Any, actuals: Actuals | None) -> int:
    """How many quarters are over. Raises PlanError if what is said of them does not fit together."""
    if actuals is not None:
        actuals.check_coming(scenario)
    seen = 0 if actuals is None else actuals.quarters
    if followed is not None and from_quarter == 1:
        raise PlanError("followed: from_quarter is 1, so nothing was followed yet; leave one of them out")
    if from_quarter is None:
        if followed is not None and not seen:
            raise PlanError("followed: a plan so far needs from_quarter, the first that is still to be planned")
        from_quarter = seen + 1
    if not is_whole(from_quarter, 1, scenario.horizon_quarters):
        raise PlanError(
            f"from_quarter is {show(from_quarter)}; allowed: a whole number from 1 to {scenario.horizon_quarters}"
        )
    if actuals is not None and from_quarter != seen + 1:
        raise PlanError(
            f"from_quarter is {from_quarter}, but actuals end with quarter {seen}; allowed: {seen + 1}, or none"
        )
    return int(from_quarter) - 1
