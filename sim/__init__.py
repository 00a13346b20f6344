"""What happens: one territory manager's quarters, simulated.

    scenario = load_scenario("scenarios/baseline.yaml")
    plan = TimePlan.constant(scenario, partner_share=0.2, focus="believers")
    ledger = simulate(scenario, plan, draw_market(scenario, seed=7))

Start reading at territory.py, the manager's week. A name is loaded when first asked for (PEP 562): who only
checks a scenario does not wait for the simulation.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.errors import InputError, NextHourError, PlanError, ScenarioError, SimulationError, TableError
    from sim.ledger import Ledger
    from sim.market import Market, draw_market
    from sim.plan import TimePlan
    from sim.scenario import Scenario, load_scenario, save_scenario
    from sim.study.experiment import Comparison, Outcomes, compare, compare_outcomes, replicate, simulate
    from sim.study.sensitivity import Sensitivity, sensitivity

__all__ = [
    "Comparison",
    "InputError",
    "Ledger",
    "Market",
    "NextHourError",
    "Outcomes",
    "PlanError",
    "Scenario",
    "ScenarioError",
    "Sensitivity",
    "SimulationError",
    "TableError",
    "TimePlan",
    "compare",
    "compare_outcomes",
    "draw_market",
    "load_scenario",
    "replicate",
    "save_scenario",
    "sensitivity",
    "simulate",
]

# Where the public names are looked for, in this order: no module needs one that stands after it.
_HOMES = ("errors", "scenario", "plan", "ledger", "market", "study.experiment", "study.sensitivity")


def _submodules() -> list[str]:
    from pkgutil import iter_modules

    return [module.name for module in iter_modules(__path__)]


def _first_asked_for(name: str) -> Any:
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"sim.{home}")
            if hasattr(module, name):
                globals()[name] = getattr(module, name)
                return globals()[name]
    elif not name.startswith("_") and name in _submodules():
        return import_module(f"sim.{name}")
    import sys

    raise AttributeError(f"module 'sim' has no attribute {name!r}", name=name, obj=sys.modules[__name__])


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_submodules()})


if not TYPE_CHECKING:  # a type checker that saw it would believe any name
    __getattr__ = _first_asked_for
