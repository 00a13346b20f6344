"""What long work says as it goes on: how far it is, through one thing that everything long calls, and notices.

Notices go through the logging of Python, under the name "sim.native"; where nobody listens, logging itself prints them
on stderr. Left out: showing either, which terminal and app do in their own ways.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
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


LOG = logging.getLogger("sim.native")


@cache
def notice_once(sentence: str) -> None:
    """Say a sentence to whoever listens, the first time in this process."""
    LOG.warning(sentence)


@contextmanager
def notices_to(tell: Callable[[str], None]) -> Iterator[None]:
    """Hand each notice to `tell` for as long as this lasts. What `tell` raises comes through to whoever gave notice."""
    handler = logging.Handler()
    handler.emit = lambda record: tell(record.getMessage())  # type: ignore[method-assign]
    LOG.addHandler(handler)
    try:
        yield
    finally:
        LOG.removeHandler(handler)
