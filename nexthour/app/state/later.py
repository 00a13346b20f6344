"""Answers that a page can wait for: one is worked out at a time, those asked for last first.

    later.result((scenario.digest(), markets), lambda progress: replicate(..., progress=progress), later.SOON)

The first answer to a question is worked out where the page is drawn, at once. What follows takes ten times as long and
more, and would take the processors from the first answers of others. Here the work of all visitors stands in one line.
Who asks something newer meanwhile is not kept waiting: the page is left, and work that nobody waits for any more is
stopped, or never begun. What was worked out is kept for a while.

Left out: long work, which people watch and cancel (nexthour/jobs/).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from sim.progress import Progress

T = TypeVar("T")
SOON, LAST = 0, 1
"""How urgent a question is: many markets come before plausible worlds, whoever asks."""
LOOKS_SECONDS = 0.02
"""A page that waits looks this often whether its visitor has asked something newer."""
KEPT = 12
"""Answers that are kept of each urgency, some 35 MB together."""
Make = Callable[[Progress], Any]


class NotWanted(Exception):
    """Nobody waits for this answer any more."""


@dataclass(eq=False)
class OpenQuestion:
    """Something to be worked out, and who waits for it."""

    key: Hashable
    make: Make
    urgency: int
    number: int = 0
    """the higher, the later it was asked for"""
    waiting: int = 0
    """how many pages wait for it"""
    answer: Any = None
    problem: BaseException | None = None
    is_over: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        """Work the answer out, unless everybody who asked leaves meanwhile."""

        def go_on(done: int, total: int, says: str = "") -> None:
            if not self.waiting:
                raise NotWanted

        try:
            self.answer = self.make(go_on)
        except BaseException as problem:  # it is raised where somebody waits
            self.problem = problem


class AnswerLine:
    """The questions of all visitors, and the last answers."""

    def __init__(self, kept: int = KEPT) -> None:
        self.kept = kept
        self._changed = threading.Condition()
        self._asked: dict[Hashable, OpenQuestion] = {}
        """what somebody waits for, and what is worked out now"""
        self._now: OpenQuestion | None = None
        self._answers: dict[int, OrderedDict[Hashable, Any]] = defaultdict(OrderedDict)
        self._count = 0
        self._worker: threading.Thread | None = None

    def result(self, key: Hashable, make: Make, urgency: int, look_up: Callable[[], Any]) -> Any:
        """The answer to a question. Raises what `make` raises, and what `look_up` does, which is called meanwhile."""
        while True:
            with self._changed:
                answers = self._answers[urgency]
                if key in answers:
                    answers.move_to_end(key)
                    return answers[key]
                question = self._join(key, make, urgency)
            try:
                while not question.is_over.wait(LOOKS_SECONDS):
                    look_up()
            finally:
                self._leave(question)
            if question.problem is None:
                return question.answer
            if not isinstance(question.problem, NotWanted):
                raise question.problem
            # All others had left, and it was being given up, when this one came.

    def _join(self, key: Hashable, make: Make, urgency: int) -> OpenQuestion:
        self._count += 1
        question = self._asked.setdefault(key, OpenQuestion(key, make, urgency))
        question.number = self._count
        question.waiting += 1
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="later answers", daemon=True)
            self._worker.start()
        self._changed.notify()
        return question

    def _leave(self, question: OpenQuestion) -> None:
        with self._changed:
            question.waiting -= 1
            if not question.waiting and question is not self._now and not question.is_over.is_set():
                del self._asked[question.key]

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._asked:
                    self._changed.wait()
                self._now = question = min(self._asked.values(), key=lambda one: (one.urgency, -one.number))
            question.work()
            with self._changed:
                self._now = None
                del self._asked[question.key]
                if question.problem is None:
                    answers = self._answers[question.urgency]
                    answers[question.key] = question.answer
                    while len(answers) > self.kept:
                        answers.popitem(last=False)
                question.is_over.set()


@st.cache_resource(show_spinner=False)
def line() -> AnswerLine:
    """The line of this server process."""
    return AnswerLine()


def result(key: Hashable, make: Callable[[Progress], T], urgency: int) -> T:
    """The answer to a question, from whoever asked it first; the page is left when its visitor asks something newer."""
    answer: T = line().result(key, make, urgency, leave_for_newer)
    return answer


def rest(seconds: float) -> None:
    """Wait a moment; the page is left when its visitor asks something newer."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(LOOKS_SECONDS, left))
        leave_for_newer()


def leave_for_newer() -> None:
    """Leave the page if its visitor has asked something newer, or is gone.

    Streamlit looks for that whenever the state of the session is read.
    """
    if get_script_run_ctx(suppress_warning=True) is not None:
        _ = "newer" in st.session_state
