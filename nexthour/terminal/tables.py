"""How the terminal writes: tables, lists and the console, readable at 80 columns and without colour."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from textwrap import fill
from typing import TYPE_CHECKING, Any

from nexthour import version
from nexthour.report.calibration import ALL_OF_THEM, TextTable
from optimize.options import OPTIONS

if TYPE_CHECKING:
    from rich.console import Console

    from sim import Scenario


def make_table(first: str, *others: str, right: bool = True) -> Any:
    """An empty table with these column heads; all columns but the first are set right, or left."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(first, vertical="bottom", overflow="fold")
    for other in others:
        table.add_column(other, justify="right" if right else "left", overflow="fold", min_width=3, vertical="bottom")
    return table


def table_of(text: TextTable) -> Any:
    """A table in words as the terminal shows it, its row of all in bold."""
    table = make_table(*text.headers)
    for row in text.rows:
        table.add_row(*row, style="bold" if row[0] == ALL_OF_THEM else None)
    return table


def plain_console(stderr: bool = False) -> Console:
    """A console that takes text as it is, and tells when nobody reads any more."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Plain(stderr=stderr, markup=False, highlight=False, emoji=False)


def print_block(console: Console, *parts: Any) -> None:
    """Print parts, texts or tables, one below the other and all of them below an empty line."""
    console.print()
    for part in parts:
        console.print(part)


def print_items(console: Console, lines: Iterable[str]) -> None:
    """Print lines below a heading, each indented, and what does not fit on it a little more."""
    for line in lines:
        filled = fill(
            line, console.width, initial_indent="  ", subsequent_indent="    ", break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
        console.print(filled, soft_wrap=True)


def print_next(*words: str, after: str = "") -> None:
    """Print the command to go on with."""
    print(f"\n{after}Next:\n  {shlex.join(['nexthour', *words])}")


def effort_words(effort: str) -> list[str]:
    """The words of a command that ask for an effort; none for the usual one."""
    return [] if effort == OPTIONS["effort"].default else ["--effort", effort]


def print_again(scenario: Scenario, words: list[Any], *others: Scenario) -> None:
    """Print the command that gives the numbers above again, and the digest of every scenario in it."""
    print("\nTo get this again:")
    print("  " + shlex.join(["nexthour", *map(str, words)]))
    digests = ", ".join(one.digest() for one in (scenario, *others))
    print(f"  nexthour {version()}, scenario digest{'s' if others else ''} {digests}")
