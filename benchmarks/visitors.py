"""Many visitors at once on the Lab: what they wait for, and what the server takes.

Visitors without a browser come one after another and move a slider every ten seconds, each to a split that nobody else
asks for. Measured is the time from the question to the message that answers it: to the first answer (a hundred
markets), and to the whole (a thousand). Where the server cannot keep up, an answer that follows may be given up for the
newer question of the same visitor; how often is told.

Left out: the browser, and what visitors do elsewhere.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil

from nexthour.app.state.cache import FIRST_MARKETS
from nexthour.report.numbers import whole
from tests.nexthour.app.browser import memory_mb, server_process
from tests.nexthour.app.protocol import Visitor, is_end, metric

VISITORS, EVERY_SECONDS, SECONDS = 30, 10.0, 120.0
WARM_SECONDS = 8.0
"""The server loads the other pages a while after the first was opened."""
LEAST_SHARE, MOST_SHARE = 5, 60
FIRST, WHOLE, WORLDS = "first", "whole", "worlds"
"""The parts of an answer: a hundred markets, a thousand, and plausible worlds."""


@dataclass
class Waited:
    """Seconds that visitors waited, and what went wrong."""

    joined: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    answers: list[_Answer] = field(default_factory=list)
    """to each move"""
    problems: list[str] = field(default_factory=list)
    grown_mb: float = 0.0
    """the server's memory at the end beyond that with one visitor, its processes together"""

    def rows(self) -> list[tuple[str, float, float, str]]:
        """What was measured beside its goal: what, at most, measured, unit."""
        p50, p95 = np.percentile(self.joined or [np.inf], [50, 95])
        first, wholes = self.first or [np.inf], self._took(WHOLE) or [np.inf]
        return [
            ("joining, median", 3.0, float(p50), "s"),
            ("joining, p95", 3.0, float(p95), "s"),
            ("first answer to a move, p95", 500.0, 1000 * float(np.percentile(first, 95)), "ms"),
            ("whole answer, p95 of those given", 5.0, float(np.percentile(wholes, 95)), "s"),
            ("errors", 0.0, float(len(self.problems)), ""),
            ("memory beyond one visitor's", 150.0, self.grown_mb, "MB"),
        ]

    def notes(self) -> list[str]:
        """What the rows leave out, a sentence each."""
        given, worlds, moves = len(self._took(WHOLE)), len(self._took(WORLDS)), len(self.answers)
        return [
            f"Of {moves} moves {len(self.first)} had a first answer, {given} the whole and {worlds} plausible worlds, "
            "the others were given up for the next move.",
            *dict.fromkeys(self.problems),
        ]

    def _took(self, part: str) -> list[float]:
        return [answer.took[part] for answer in self.answers if part in answer.took]


def measure(address: str, visitors: int = VISITORS, seconds: float = SECONDS, every: float = EVERY_SECONDS) -> Waited:
    """Let visitors come to a server that this process began, and move a slider for a while."""
    return asyncio.run(_measure(address, server_process(address), visitors, seconds, every))


async def _measure(address: str, server: psutil.Process, visitors: int, seconds: float, every: float) -> Waited:
    waited = Waited()
    async with Visitor(address, "lab") as alone:  # what one visitor takes is not what many add
        await alone.ask()
        await alone.done()
        await asyncio.sleep(WARM_SECONDS)
    before = memory_mb(server)
    async with AsyncExitStack() as rooms:
        stays = [
            asyncio.create_task(_stay(waited, address, number, number * every / visitors, seconds, every, rooms))
            for number in range(visitors)
        ]
        for done in await asyncio.gather(*stays, return_exceptions=True):
            if isinstance(done, BaseException):
                waited.problems.append(f"{type(done).__name__}: {done}")
        waited.grown_mb = memory_mb(server) - before
    return waited


async def _stay(
    waited: Waited, address: str, number: int, begins: float, seconds: float, every: float, rooms: AsyncExitStack
) -> None:
    """One visitor: comes, and moves a slider again and again, whether or not all of the last answer was there."""
    await asyncio.sleep(begins)
    moves = int(seconds / every)
    shares = random.Random(number).sample(range(LEAST_SHARE, MOST_SHARE + 1), moves)
    begun = time.perf_counter()
    visitor = await rooms.enter_async_context(Visitor(address, "lab", f"prospect={number}"))
    await visitor.ask()
    answer = _Answer(begun)
    waited.joined.append(await visitor.until(answer.has_begun) - begun)
    following = asyncio.create_task(visitor.until(answer.is_whole))
    for move, share in enumerate(shares, 1):
        await asyncio.sleep(max(0.0, begun + move * every - time.perf_counter()))
        await _stop(following)
        answer = _Answer(time.perf_counter())
        await visitor.ask(share=share)
        waited.first.append(await visitor.until(answer.has_begun) - answer.asked)
        following = asyncio.create_task(visitor.until(answer.is_whole))
        waited.answers.append(answer)
    with suppress(TimeoutError):  # nobody asks any more, so all that is left is done now, in a line
        async with asyncio.timeout(every):
            await following
    waited.problems += visitor.problems


async def _stop(following: asyncio.Task[float]) -> None:
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


class _Answer:
    """What came of the answer to one question. What still comes of an earlier one does not count."""

    def __init__(self, asked: float) -> None:
        self.asked = asked
        self.took: dict[str, float] = {}
        """seconds until each part of the answer"""
        self._is_of_this_question = False
        self._messages = 0

    def has_begun(self, message: Any) -> bool:
        """Whether a message, or one before it, is the first answer."""
        if message.WhichOneof("type") == "new_session":
            self._messages = 0
            self._is_of_this_question = True
        if not self._is_of_this_question:
            return False
        self._messages += 1
        if is_end(message) and not self.took:
            raise RuntimeError(f"the page ended without an answer, after {self._messages} messages")
        seconds = time.perf_counter() - self.asked
        if found := metric(message, "Markets ahead"):
            markets = FIRST if found.help.endswith(f" {whole(FIRST_MARKETS)} markets.") else WHOLE
            self.took.setdefault(FIRST, seconds)  # the server leaves out what is out of date before it could be sent
            self.took.setdefault(markets, seconds)
        if (found := metric(message, "Worlds better")) and found.body != "…":
            self.took.setdefault(WORLDS, seconds)
        return FIRST in self.took

    def is_whole(self, message: Any) -> bool:
        """Whether a message, or one before it, is the end of the answer."""
        self.has_begun(message)
        return is_end(message)
