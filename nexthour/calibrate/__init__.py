"""From a company's own data and judgement to a scenario.

    fit = calibrate("deals.csv", load_mapping("mapping.yaml"), template, territory_fraction=0.005)
    fit.scenario, fit.report_rows(), fit.silent, fit.rejected
    check_fit(fit.scenario, fit, replications=200, seed=1)
    backtest(deals, territories=["North", "East"], until_share=0.6)

Win rate, deal size, cycle, opportunities and how weeks and quarters differ come from the table, by segment and route,
with 90% intervals; everything else stays the template's judgement and says so. docs/calibration.md tells how.

Left out: what a manager's hours do; no table has it (judgement.py).
"""

from nexthour.calibrate.deals.deal_table import Deals, read_deals
from nexthour.calibrate.deals.mapping import Mapping, load_mapping, make_mapping
from nexthour.calibrate.fit.cells import Cell
from nexthour.calibrate.fit.predict import Backtest, backtest
from nexthour.calibrate.fit.simulated_funnel import Check
from nexthour.calibrate.run import Fit, calibrate, check_fit

__all__ = [
    "Backtest", "Cell", "Check", "Deals", "Fit", "Mapping",
    "backtest", "calibrate", "check_fit", "load_mapping", "make_mapping", "read_deals",
]  # fmt: skip
