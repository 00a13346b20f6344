"""The planner: which hours, on what and with whom, in which quarter.

    from sim import load_scenario
    from optimize import optimize_plan

    solution = optimize_plan(load_scenario("scenarios/baseline.yaml"), floors={1: 0.9})
    print(solution.plan.summary(solution.scenario))
    solution.certificate.realised, solution.certificate.interval, solution.certificate.hour_test

A mixed-integer program over a fluid model (problem.py, milp/) proposes, the simulator corrects it and tries what it
left out (search/), and fresh markets certify (proof/). docs/planner.md tells the whole of it. A name is loaded when
first asked for (PEP 562), as solvers take seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimize.effort import Effort
    from optimize.limits import Limits
    from optimize.milp.solve import PlanningError
    from optimize.planner import optimize_plan
    from optimize.proof.frontier import Frontier, frontier
    from optimize.proof.reasons import Explanation, explain
    from optimize.proof.solution import Answer, Certificate, HourTest, Solution
    from optimize.replan.actuals import Actuals
    from optimize.request import PlanRequest

__all__ = [
    "Actuals",
    "Answer",
    "Certificate",
    "Effort",
    "Explanation",
    "Frontier",
    "HourTest",
    "Limits",
    "PlanRequest",
    "PlanningError",
    "Solution",
    "explain",
    "frontier",
    "optimize_plan",
]

_HOMES = ("effort", "limits", "replan.actuals", "request", "milp.solve", "proof.solution", "planner", "proof.reasons")
"""Modules in which the public names are looked for, in this order: no module needs one that stands after it."""


def _first_asked_for(name: str) -> Any:
    if name in __all__:
        for home in (*_HOMES, "proof.frontier"):
            module = import_module(f"optimize.{home}")
            if name in vars(module):
                return globals().setdefault(name, vars(module)[name])
    raise AttributeError(f"module 'optimize' has no attribute {name!r}")


if not TYPE_CHECKING:  # a type checker that saw it would believe any name
    __getattr__ = _first_asked_for
