"""How much work a plan is worth: the numbers of markets, worlds, rounds and seconds of a search and its proof.

`quick` is for a look, `normal` for a plan that somebody lives by, `thorough` for one that is to be published. The
certificate says the same at each of them, with wider or narrower intervals. Left out: what does not trade time for
certainty, as the tolerance of a floor (search/evaluate.py).
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from sim.documents.declared import Declared, Items, declare
from sim.documents.messages import declaration, guess, show
from sim.errors import PlanError
from sim.study.request import in_sentences

Markets = Annotated[int, Field(ge=2, le=100_000)]
Rounds = Annotated[int, Field(ge=1, le=20)]


def _levels(meaning: str, quick: Any, normal: Any, thorough: Any, unit: str = "markets") -> Any:
    """A field with its value at each effort; the default is the normal one."""
    field = declare(meaning, unit=unit, default=normal)
    field.json_schema_extra |= {"quick": quick, "normal": normal, "thorough": thorough}
    return field


class Effort(Declared):
    """How much a plan is searched for, and how surely it is certified; the default is `Effort.normal`."""

    quick: ClassVar[Effort]
    normal: ClassVar[Effort]
    thorough: ClassVar[Effort]

    # Each with its value when quick, normal and thorough.
    solver_seconds: Annotated[float, Field(gt=0, le=86_400)] = _levels(
        "how long one solve of the program may take", 20.0, 60.0, 180.0, unit="seconds"
    )
    search_markets: Markets = _levels("in which the search tries its plans", 200, 600, 1800)
    first_solves: Rounds = _levels("until curves are straight at the path of the plan itself", 1, 2, 2, unit="n")
    correcting_rounds: Rounds = _levels("of simulating, correcting the program and solving again", 2, 4, 6, unit="n")
    lucky_markets: Markets = _levels("whose luck the program knows, where risk counts", 30, 60, 120)
    move_hours: Items[Annotated[float, Field(gt=0, le=10)]] = _levels(
        "hours a week that are moved between uses, a round each", (1.0,), (1.0, 0.5), (1.0, 0.5), unit="hours a week"
    )
    design_markets: Markets = _levels("in which each random set of moves is tried", 10, 50, 150)
    accepting_markets: Markets = _levels(
        "in which the best sets of moves are accepted, others in each round", 300, 1000, 3000
    )
    certificate_markets: Markets = _levels("that the search never saw, for the certificate", 1000, 4000, 12_000)
    split_markets: Markets = _levels("in which the best constant split is chosen", 50, 200, 600)
    worlds: Annotated[int, Field(ge=2, le=10_000)] = _levels(
        "sets of assumptions in which the plan is compared", 20, 100, 300, unit="worlds"
    )
    markets_a_world: Markets = _levels("in each of these worlds", 5, 20, 20)
    tested_moves: Rounds = _levels("moves of an hour that the one-hour test tries", 3, 6, 6, unit="n")
    certifying_turns: Rounds = _levels("of certifying, if a move of an hour gained and was made", 1, 3, 3, unit="n")
    like_markets: Markets = _levels("like what happened, of ten times as many, when planning again", 300, 1000, 3000)
    reason_markets: Markets = _levels("for how flat the top is and the next best plan", 300, 1000, 3000)
    flip_markets: Markets = _levels("for what would have to be true for another plan to win", 100, 300, 900)
    frontier_markets: Markets = _levels("in which the points of a frontier are tried", 200, 500, 1500)
    band_markets: Markets = _levels("for what is as planned: the runs that a comparison shows", 1000, 1000, 1000)
    remedy_markets: Markets = _levels("in which remedies are priced", 300, 1000, 3000)
    screening_markets: Markets = _levels("in which the remedies to price are chosen", 50, 200, 600)
    coverage_markets: Markets = _levels("in which it is counted who sees what of a segment", 30, 100, 300)
    spare_markets: Markets = _levels("for the selling time that a plan leaves spare", 20, 50, 150)
    results_markets: Markets = _levels("for the quota credit of each partner today", 50, 200, 600)
    claim_markets: Markets = _levels("in which the claims of the source are measured", 100, 300, 900)

    _in_sentences = model_validator(mode="wrap")(in_sentences)

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


EFFORTS = {
    name: Effort.model_validate({key: declaration(field)[name] for key, field in Effort.model_fields.items()})
    for name in ("quick", "normal", "thorough")
}
"""Efforts by name."""
Effort.quick, Effort.normal, Effort.thorough = EFFORTS.values()
