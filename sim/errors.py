"""Every error Next Hour raises on purpose.

    NextHourError              one sentence a person can act on
    +-- InputError             something a person or a program handed in is wrong
    |   +-- ScenarioError      a scenario: file or object
    |   +-- PlanError          a time plan, alone or against a scenario
    |   +-- TableError         a CSV table, its mapping or one of its rows
    +-- SimulationError        the model reached a state it must never reach

The text of each says what, where, what is allowed and how to mend it. The terminal and the screens print it
as it is; nobody else catches it.
"""

from functools import partial
from typing import Any

LONGEST_PROBLEM = 370
"""Letters of one sentence; with the count of further problems the text stays within 400."""


def short_line(text: str) -> str:
    """Text on one line, without control characters, short enough to read: names in it come from anybody."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    words = " ".join(plain.split()) if plain != text else plain
    return words if len(words) <= LONGEST_PROBLEM else words[: LONGEST_PROBLEM - 3] + "..."


class NextHourError(Exception):
    """The root of all errors: catch this to catch everything Next Hour raises on purpose."""


class InputError(NextHourError):
    """Something handed in is wrong.

    `problems` holds a sentence for each thing found; the text is the first of them and says how many more
    there are, those counted in `untold` too.
    """

    def __init__(self, *problems: str, untold: int = 0) -> None:
        self.problems = tuple(short_line(problem) for problem in problems)
        self.untold = untold
        more = len(problems) - 1 + untold
        count = f" ({more:,} more problem{'s' if more > 1 else ''})" if more else ""
        super().__init__(self.problems[0] + count)

    def __reduce__(self) -> tuple[Any, ...]:
        # Workers hand errors back by pickle, which would otherwise rebuild from the joined text.
        return partial(type(self), untold=self.untold), self.problems


class ScenarioError(InputError):
    """A scenario cannot be used."""


class PlanError(InputError):
    """A time plan cannot be used, or does not fit its scenario."""


class TableError(InputError):
    """A CSV table, its column mapping or one of its rows cannot be used."""


class SimulationError(NextHourError):
    """The model reached a state it must never reach; names scenario, plan, seed and replication."""
