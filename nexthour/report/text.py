"""Words as sentences want them: names and sentences of anybody's making, made fit for a line, a sentence, a file.

Left out: numbers (numbers.py), and sentences about results (comparison.py, plan.py, gaps.py, calibration.py).
"""

import re
from textwrap import shorten

CAVEAT = (
    "No public data identifies what a manager's hour does to a partner; these effects are the scenario's assumptions."
)
LONGEST_REASON = 300
"""Letters of what is shown of an unexpected error."""


def one_line(text: str) -> str:
    """Text of anybody's making on one line, without control characters."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.splitlines()))


def with_capital(text: str) -> str:
    """Text as a sentence begins; all but the first letter stays as it is."""
    return text[:1].upper() + text[1:]


def with_article(plan_name: str) -> str:
    """A plan's name as it stands inside a sentence: the status quo takes an article, other names do not."""
    return f"the {plan_name}" if plan_name == "status quo" else plan_name


def shorten_name(name: str, letters: int) -> str:
    """A name that leaves room for the rest of its line; wherever this is used, it stands whole somewhere else."""
    return name if len(name) <= letters else f"{name[: letters - 1]}…"


def unexpected_error(problem: Exception) -> str:
    """Say in a sentence what people see of a mistake of ours; the traceback is for the log."""
    what = shorten(one_line(f"{type(problem).__name__}: {problem}"), LONGEST_REASON, placeholder=" ...")
    return f"this should not happen ({what}); please report it"


def forwardable(text: str) -> str:
    """Text in which a partner reads of itself as Maintain, Develop and Limit, not as the model's label for it."""
    from sim.terms import TREATMENTS

    return re.sub(
        rf"({'|'.join(TREATMENTS)})(s?)",
        lambda found: f"{TREATMENTS[found[1].lower()]} partner{found[2].lower()}",
        text,
        flags=re.IGNORECASE,
    )


def forwardable_line(text: str) -> str:
    """Text on one line, without what no file can hold, in words that a partner may read."""
    return forwardable(one_line(text))
