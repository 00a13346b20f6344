"""The auditor: a second telling of docs/model.md that shares no rule with the engines.

From scenario, plan and tape it tells the territory forward in plain Python and compares every record with the ledger's,
in order (`audit`); from the scenario and the marks it works out what must be on the tape (`audit_market`). It imports
types and data of sim only: no rule, coefficient, engine or indicator. So a mistake that both engines share shows.

Where docs/model.md cannot be followed to the record, docs/model.md is what needs mending.
"""

from __future__ import annotations

from sim.ledger import Ledger
from sim.market import Market
from sim.plan import TimePlan
from sim.scenario import Scenario
from tests.auditor import weeks
from tests.auditor.reader import Reader
from tests.auditor.state import Story


def audit(
    scenario: Scenario, plan: TimePlan, market: Market, ledger: Ledger, planned_in: Scenario | None = None
) -> Story:
    """Compare every record of a ledger with what docs/model.md says. Raises AssertionError at the first that differs.

    `planned_in` is the scenario in which the plan was made, where it is run in a drawn world of it. Gives the auditor's
    own story at its end, which knows what was met on the way.
    """
    known = scenario if planned_in is None else planned_in
    reader = Reader(ledger)
    story = Story(scenario, plan.table(known), TimePlan.status_quo(known).table(known), market, reader)
    weeks.begin(story)
    story.tell()
    reader.ends()
    return story
