"""What has to be said while the engine works: in Python's logging, under the name "sim.native".

Where nobody listens, logging itself prints it on stderr.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

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
