"""The planner: which hours, on what and with whom, in which quarter.

    from sim import load_scenario
    from optimize import optimize_plan

    solution = optimize_plan(load_scenario("scenarios/baseline.yaml"), floors={1: 0.9})
    print(solution.plan.summary(solution.scenario))
    solution.certificate.realised, solution.certificate.interval, solution.certificate.hour_test

A mixed-integer program over a fluid model (problem.py, milp/) proposes, the simulator corrects it
and tries what it left out (search/), and fresh markets certify (proof/). docs/planner.md tells the
whole of it.
"""

from optimize.limits import Limits
from optimize.milp.solve import PlanningError
from optimize.planner import optimize_plan
from optimize.proof.frontier import Frontier, frontier
from optimize.proof.reasons import Explanation, explain
from optimize.proof.solution import Answer, Certificate, HourTest, Solution
from optimize.replan.actuals import Actuals

__all__ = [
    "Actuals",
    "Answer",
    "Certificate",
    "Explanation",
    "Frontier",
    "HourTest",
    "Limits",
    "PlanningError",
    "Solution",
    "explain",
    "frontier",
    "optimize_plan",
]
