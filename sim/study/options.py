"""What is asked for, field by field: its meaning, default and bounds, and how people say it; here of a comparison.

request.py makes a value of them. Nothing heavy is imported here, so that the help of the terminal is instant.
"""

from typing import Any, NamedTuple

MOST_RUNS = 10**7


class Option(NamedTuple):
    """One field of a request, declared once for Python, the terminal and the app."""

    meaning: str
    unit: str
    default: Any = None
    least: int = 0
    most: int = 2**63 - 1
    kind: type = int
    """what the terminal takes: a number, a text, a file, a list of texts (may be repeated), or bool for a mere flag"""
    name: str = ""
    """of the terminal's option, where it is another than the field's"""
    in_help: str = ""
    """the sentence in the terminal's help, where it says more or less than the meaning"""
    metavar: str | None = None
    word: str = ""
    """in the address of the app's page; nothing for what it does not hold"""

    def flag(self, field: str) -> str:
        """The terminal's option for the field."""
        return f"--{self.name or field.replace('_', '-')}"

    @property
    def help(self) -> str:
        """The sentence in the terminal's help."""
        return self.in_help or f"{self.meaning[:1].upper()}{self.meaning[1:]}."

    def declare(self, **instead: Any) -> Any:
        """The field of a request; its bounds are those of a number, while what is in a list has a type of its own."""
        from sim.documents.declared import declare

        bounds = {"ge": self.least, "le": self.most} if self.kind in (int, float) else {}
        return declare(self.meaning, unit=self.unit, **{"default": self.default, **bounds, **instead})


PLANS = Option(
    "a plan named in the scenario, or a plan file; may be repeated. Default: all it names", "names or files",
    kind=list, name="plan",
)  # fmt: skip
BASELINE = Option("the plan to measure against. Default: the status quo", "name or file", kind=str)
REPLICATIONS = Option("number of markets; more give narrower intervals", "markets", 1000, 1, MOST_RUNS)
SEED = Option("which markets: the same seed gives the same ones", "none", 7, 0)
REPLICATIONS_PER_WORLD = Option("markets in which each set of assumptions is tried", "markets", 20, 1, MOST_RUNS)
WORKERS = Option("processor cores to use. Default: all of them", "cores", None, 1, MOST_RUNS)
WORLDS = Option(
    f"also try this many plausible sets of assumptions, in {REPLICATIONS_PER_WORLD.default} markets each",
    "sets of assumptions", 0, 0, MOST_RUNS,
)  # fmt: skip
WORLDS_OF_SENSITIVITY = WORLDS._replace(
    meaning=f"number of plausible sets of assumptions, in {REPLICATIONS_PER_WORLD.default} markets each", default=100
)
