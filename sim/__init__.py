"""What happens: one territory manager's quarters, simulated.

    scenario = load_scenario("scenarios/baseline.yaml")
    plan = TimePlan.constant(scenario, partner_share=0.2, focus="believers")
    ledger = simulate(scenario, plan, draw_market(scenario, seed=7))

Start reading at territory.py, the manager's week.
"""

from sim.errors import InputError, NextHourError, PlanError, ScenarioError, SimulationError, TableError
from sim.experiment import Comparison, Outcomes, compare, replicate, simulate
from sim.ledger import Ledger
from sim.market import Market, draw_market
from sim.plan import TimePlan
from sim.scenario import Scenario, load_scenario, save_scenario

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
    "SimulationError",
    "TableError",
    "TimePlan",
    "compare",
    "draw_market",
    "load_scenario",
    "replicate",
    "save_scenario",
    "simulate",
]
