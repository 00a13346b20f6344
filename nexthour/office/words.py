"""Text of anybody's making as it may stand in a file that is sent on."""

from nexthour.report.comparison import forwardable, one_line


def outward(text: str) -> str:
    """`text` on one line, without what no file can hold, in words that a partner may read."""
    return forwardable(one_line(text))


def short(name: str, letters: int) -> str:
    """A name that leaves room for the rest of its line; wherever this is used, it stands whole somewhere else."""
    return name if len(name) <= letters else f"{name[: letters - 1]}…"
