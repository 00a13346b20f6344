"""How much work a plan is worth: the numbers of markets, worlds, rounds and seconds of a search and its proof.

`quick` is for a look, `normal` for a plan that somebody lives by, `thorough` for one that is to be published. The
certificate says the same at each of them, with wider or narrower intervals. Left out: what does not trade time for
certainty, as the tolerance of a floor (search/evaluate.py).
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from sim.documents.declared import Declared, Items, declare
from sim.documents.messages import guess, show
from sim.errors import PlanError

Markets = Annotated[int, Field(ge=2, le=100_000)]
Rounds = Annotated[int, Field(ge=1, le=20)]


def _markets(meaning: str, default: int) -> Any:
    return declare(meaning, unit="markets", default=default)


class Effort(Declared):
    """How much a plan is searched for, and how surely it is certified; the default is `Effort.normal`."""

    quick: ClassVar[Effort]
    normal: ClassVar[Effort]
    thorough: ClassVar[Effort]

    solver_seconds: Annotated[float, Field(gt=0, le=86_400)] = declare(
        "how long one solve of the program may take", unit="seconds", default=60.0
    )
    search_markets: Markets = _markets("in which the search tries its plans", 600)
    first_solves: Rounds = declare("until curves are straight at the path of the plan itself", unit="n", default=2)
    correcting_rounds: Rounds = declare("of simulating, correcting the program and solving again", unit="n", default=4)
    lucky_markets: Markets = _markets("whose luck the program knows, where risk counts", 60)
    move_hours: Items[Annotated[float, Field(gt=0, le=10)]] = declare(
        "hours a week that are moved between uses, a round each", unit="hours a week", default=(1.0, 0.5)
    )
    design_markets: Markets = _markets("in which each random set of moves is tried", 50)
    accepting_markets: Markets = _markets("in which the best sets of moves are accepted, others in each round", 1000)
    certificate_markets: Markets = _markets("that the search never saw, for the certificate", 4000)
    split_markets: Markets = _markets("in which the best constant split is chosen", 200)
    worlds: Annotated[int, Field(ge=2, le=10_000)] = declare(
        "sets of assumptions in which the plan is compared", unit="worlds", default=100
    )
    markets_a_world: Markets = _markets("in each of these worlds", 20)
    tested_moves: Rounds = declare("moves of an hour that the one-hour test tries", unit="n", default=6)
    certifying_turns: Rounds = declare("of certifying, if a move of an hour gained and was made", unit="n", default=3)
    like_markets: Markets = _markets("like what happened, of ten times as many, when planning again", 1000)
    reason_markets: Markets = _markets("for how flat the top is and the next best plan", 1000)
    flip_markets: Markets = _markets("for what would have to be true for another plan to win", 300)
    frontier_markets: Markets = _markets("in which the points of a frontier are tried", 500)

    @classmethod
    def of(cls, effort: Effort | str) -> Effort:
        """An effort, or the one of a name. Raises PlanError for a name that is none."""
        if isinstance(effort, Effort):
            return effort
        if not isinstance(effort, str) or effort not in EFFORTS:
            raise PlanError(f"effort is {show(effort)}; {guess(str(effort), list(EFFORTS))}")
        return EFFORTS[effort]

    @property
    def name(self) -> str:
        """The name of this effort; nothing if it has none."""
        return next((name for name, effort in EFFORTS.items() if effort == self), "")


Effort.normal = Effort()
Effort.quick = Effort(
    solver_seconds=20.0,
    search_markets=200,
    first_solves=1,
    correcting_rounds=2,
    lucky_markets=30,
    move_hours=(1.0,),
    design_markets=10,
    accepting_markets=300,
    certificate_markets=1000,
    split_markets=50,
    worlds=20,
    markets_a_world=5,
    tested_moves=3,
    certifying_turns=1,
    like_markets=300,
    reason_markets=300,
    flip_markets=100,
    frontier_markets=200,
)
Effort.thorough = Effort(
    solver_seconds=180.0,
    search_markets=1800,
    correcting_rounds=6,
    lucky_markets=120,
    design_markets=150,
    accepting_markets=3000,
    certificate_markets=12_000,
    split_markets=600,
    worlds=300,
    like_markets=3000,
    reason_markets=3000,
    flip_markets=900,
    frontier_markets=1500,
)
EFFORTS = {"quick": Effort.quick, "normal": Effort.normal, "thorough": Effort.thorough}
"""Efforts by name."""
