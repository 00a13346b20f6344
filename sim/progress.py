"""How long work goes on: one thing that everything long calls, and one way to stop it.

Left out: showing it, which terminal and app do in their own ways.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears that `done` of `total` steps are done, and in `says` what is going on; a total of 0 is not known.

    It may raise: the exception comes through, and nothing more is begun.
    """

    def __call__(self, done: int, total: int, says: str = "", /) -> None: ...


def silent(done: int, total: int, says: str = "") -> None:
    """A progress that nobody looks at."""


def part_of(progress: Progress | None, before: int, total: int) -> Progress | None:
    """The progress of a part of the work that begins after `before` of `total` steps."""
    if progress is None:
        return None

    def hear(done: int, _: int, says: str = "") -> None:
        progress(before + done, total, says) if says else progress(before + done, total)

    return hear
