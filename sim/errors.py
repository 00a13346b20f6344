"""Every error Next Hour raises on purpose.

    NextHourError              one sentence a person can act on
    +-- InputError             something a person or a program handed in is wrong
    |   +-- ScenarioError      a scenario: file or object
    |   +-- PlanError          a time plan, alone or against a scenario
    |   +-- TableError         a CSV table, its mapping or one of its rows
    +-- SimulationError        the model reached a state it must never reach

The text of each says what, where, what is allowed and how to mend it. The terminal and the screens print it as it
is; nobody else catches it.
"""

from __future__ import annotations


class NextHourError(Exception):
    """The root: catch this to catch everything Next Hour raises on purpose."""


class InputError(NextHourError):
    """Something handed in is wrong. `problems` holds one sentence for each thing found; the text is the first of them."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        more = len(problems) - 1
        super().__init__(problems[0] + (f" ({more} more problem{'s' if more > 1 else ''})" if more else ""))

    def __reduce__(self) -> tuple[type, tuple[str, ...]]:
        # Workers hand errors back by pickle, which would otherwise rebuild from the joined text.
        return type(self), self.problems


class ScenarioError(InputError):
    """A scenario cannot be used."""


class PlanError(InputError):
    """A time plan cannot be used, or does not fit its scenario."""


class TableError(InputError):
    """A CSV table, its column mapping or one of its rows cannot be used."""


class SimulationError(NextHourError):
    """The model reached a state it must never reach; names scenario, plan, seed and replication."""
