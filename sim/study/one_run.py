"""One plan in one market: the engines by name, and what is raised when the model itself goes wrong.

Left out: many runs at once (batches.py).
"""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from sim.coefficients import Coefficients, with_tables
from sim.errors import SimulationError
from sim.ledger import Ledger
from sim.market import Market
from sim.plan import PlanTable, TimePlan
from sim.progress import notice_once
from sim.scenario import Scenario
from sim.study.options import REPLICATIONS
from sim.tape import tape_numbers

Engine = Callable[[Coefficients, Market], NDArray[Any]]
"""Turn the numbers of a run and a market into the records of a ledger."""
FEWER_REPLICATIONS = 100
"""Markets where nobody says how many and each takes tenths of a second, as no machine code can be had."""
MODEL_FAILURES = (ArithmeticError, ValueError, LookupError, AttributeError, TypeError, AssertionError)
"""What a model that is wrong may raise."""


def engine_named(name: str) -> Engine:
    """The function that runs one plan in one market."""
    if name == "simpy":
        from sim.territory import run_simpy

        return run_simpy
    if name == "compiled":
        from sim.fast.engine import run_compiled

        return run_compiled
    raise SimulationError(f"engine is {name!r}; allowed: simpy, compiled")


def missing_compiler(scenario: Scenario) -> str:
    """Why the compiled engine is no machine code here, in words; nothing if it is, or can be made now."""
    from sim.fast import engine

    if engine.run_all.missing is None:
        history = history_of(scenario)
        engine.run_no_market(with_tables(scenario, history, history), tape_numbers(scenario, 0))
    return engine.run_all.missing or ""


def slow_runs(scenario: Scenario) -> str:
    """The sentence about runs that are plain Python here, of which notice is given once; nothing if they are not."""
    missing = missing_compiler(scenario)
    if not missing:
        return ""
    sentence = (
        f"{missing}, so the simulation runs as plain Python: the same numbers, hundreds of times as slowly, in "
        f"{FEWER_REPLICATIONS} markets unless you say how many; install numba and llvmlite again to have it fast."
    )
    notice_once(sentence)
    return sentence


def usual_replications(scenario: Scenario, engine: str = "compiled") -> int:
    """The number of markets where nobody says how many."""
    return FEWER_REPLICATIONS if engine == "compiled" and slow_runs(scenario) else REPLICATIONS.default


def run_plan(
    scenario: Scenario, plan: TimePlan, table: PlanTable, history: PlanTable, market: Market, engine: str
) -> Ledger:
    """The ledger of a plan that is laid out already. Raises SimulationError if the model fails."""
    run = engine_named(engine)
    try:
        records = run(with_tables(scenario, table, history), market)
    except MODEL_FAILURES as problem:
        raise model_failure(run_name(scenario, plan, market.seed, market.replication), problem) from problem
    return Ledger(scenario, plan.name, market.seed, market.replication, records)


def history_of(scenario: Scenario) -> PlanTable:
    """The plan that was followed before the first day."""
    return TimePlan.status_quo(scenario).table(scenario)


def run_name(scenario: Scenario, plan: TimePlan, seed: int, replication: int) -> str:
    """What a run is called in errors: enough to run it again."""
    return f"scenario {scenario.name!r}, plan {plan.name!r}, seed {seed}, replication {replication}"


def model_failure(where: str, problem: Exception) -> SimulationError:
    """The error to raise if the model itself went wrong."""
    return SimulationError(f"{where}: the model failed ({type(problem).__name__}: {problem}); please report this line")
