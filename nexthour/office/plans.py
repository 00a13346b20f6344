"""Which plans of a comparison a file is about."""

from __future__ import annotations

from sim import Comparison
from sim.documents.messages import guess, show
from sim.errors import PlanError
from sim.study.experiment import PlanResult


def challengers(comparison: Comparison) -> list[str]:
    """The plans that are measured against the baseline."""
    return [name for name in comparison.results if name != comparison.baseline]


def result_of(comparison: Comparison, plan: str) -> PlanResult:
    """The result of a plan. Raises PlanError if it is not in the comparison."""
    if plan not in comparison.results:
        raise PlanError(f"{show(plan)} is not in the comparison; {guess(plan, list(comparison.results))}")
    return comparison[plan]
