"""The line in which answers that follow are worked out: whose turn it is, what is given up, and what is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from nexthour.app.state import later
from nexthour.app.state.later import LAST, SOON, AnswerLine
from sim.progress import Progress

PATIENCE_SECONDS = 60
"""Against hanging only: whatever is waited for comes at once."""


class Left(BaseException):
    """The visitor has asked something newer."""


class Visitors:
    """Visitors who ask a line, each in a thread of its own; and the order in which it worked."""

    def __init__(self, line: AnswerLine) -> None:
        self.line, self.began = line, list[str]()
        self._threads = ThreadPoolExecutor(20)
        self._leaving = set[str]()

    def ask(self, key: str, urgency: int = SOON, make: Callable[[Progress], Any] | None = None) -> Future[Any]:
        """Ask, and wait until the question stands in the line."""

        def work(progress: Progress) -> Any:
            self.began.append(key)
            return key.upper() if make is None else make(progress)

        def look_up() -> None:
            if key in self._leaving:
                raise Left

        before = self._waiting()
        answer = self._threads.submit(self.line.result, key, work, urgency, look_up)
        wait_until(lambda: self._waiting() > before or answer.done())
        return answer

    def leave(self, key: str, answer: Future[Any]) -> None:
        """Have the one who asked this leave."""
        self._leaving.add(key)
        with pytest.raises(Left):
            answer.result(PATIENCE_SECONDS)
        self._leaving.remove(key)

    def end(self) -> None:
        """Wait for all threads."""
        self._threads.shutdown()

    def _waiting(self) -> int:
        return sum(question.waiting for question in list(self.line._asked.values()))


class Gate:
    """Work that begins and goes on until it is let go."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self, progress: Progress) -> str:
        self.begun.set()
        for _ in range(PATIENCE_SECONDS * 1000):
            progress(0, 1)
            if self.open.wait(0.001):
                break
        return "through"


def wait_until(is_so: Callable[[], bool]) -> None:
    moment = threading.Event()
    for _ in range(PATIENCE_SECONDS * 1000):
        if is_so():
            return
        moment.wait(0.001)
    raise TimeoutError


@pytest.fixture
def visitors() -> Iterator[Visitors]:
    found = Visitors(AnswerLine(kept=2))
    yield found
    found.end()


def held_up(visitors: Visitors) -> Gate:
    """The line is busy with one question until the gate is opened."""
    gate = Gate()
    visitors.ask("first of all", make=gate)
    assert gate.begun.wait(PATIENCE_SECONDS)
    return gate


def test_one_is_worked_out_at_a_time_the_newest_first_and_worlds_last(visitors: Visitors) -> None:
    gate = held_up(visitors)
    asked = [visitors.ask("a"), visitors.ask("worlds", LAST), visitors.ask("b"), visitors.ask("more", LAST)]
    assert visitors.began == ["first of all"]
    gate.open.set()
    assert [one.result(PATIENCE_SECONDS) for one in asked] == ["A", "WORLDS", "B", "MORE"]
    assert visitors.began == ["first of all", "b", "a", "more", "worlds"]


def test_what_somebody_else_asks_again_is_as_new_as_that_and_worked_out_once(visitors: Visitors) -> None:
    gate = held_up(visitors)
    asked = [visitors.ask(key) for key in ("a", "b", "a")]
    gate.open.set()
    assert [one.result(PATIENCE_SECONDS) for one in asked] == ["A", "B", "A"]
    assert visitors.began == ["first of all", "a", "b"]


def test_what_nobody_waits_for_is_never_begun(visitors: Visitors) -> None:
    gate = held_up(visitors)
    left, kept = visitors.ask("left"), visitors.ask("kept")
    visitors.leave("left", left)
    assert "left" not in visitors.line._asked
    gate.open.set()
    assert kept.result(PATIENCE_SECONDS) == "KEPT"
    assert visitors.began == ["first of all", "kept"]


def test_what_nobody_waits_for_any_more_is_stopped_and_another_still_gets_it(visitors: Visitors) -> None:
    gate = Gate()
    one = visitors.ask("a", make=gate)
    assert gate.begun.wait(PATIENCE_SECONDS)
    other = visitors.ask("a", make=gate)
    visitors._leaving.add("a")
    for answer in (one, other):
        with pytest.raises(Left):
            answer.result(PATIENCE_SECONDS)
    visitors._leaving.clear()
    wait_until(lambda: not visitors.line._asked)  # though the gate was never opened
    again = visitors.ask("a", make=lambda progress: "done")
    assert again.result(PATIENCE_SECONDS) == "done"


def test_one_who_comes_while_it_is_given_up_gets_it_all_the_same(visitors: Visitors) -> None:
    gives_up, goes_on = threading.Event(), threading.Event()

    def slow_to_stop(progress: Progress) -> str:
        gives_up.wait(PATIENCE_SECONDS)
        try:
            progress(0, 1)
        except later.NotWanted:
            goes_on.wait(PATIENCE_SECONDS)
            raise
        return "through"

    first = visitors.ask("a", make=slow_to_stop)
    wait_until(lambda: visitors.began == ["a"])
    visitors.leave("a", first)
    gives_up.set()
    second = visitors.ask("a", make=lambda progress: "through")
    goes_on.set()
    assert second.result(PATIENCE_SECONDS) == "through"


def test_a_failure_is_told_to_who_asked_and_the_line_goes_on(visitors: Visitors) -> None:
    def fail(progress: Progress) -> None:
        raise ArithmeticError("no such market")

    with pytest.raises(ArithmeticError, match="no such market"):
        visitors.ask("a", make=fail).result(PATIENCE_SECONDS)
    assert visitors.ask("a").result(PATIENCE_SECONDS) == "A"


def test_the_last_answers_of_each_urgency_are_kept(visitors: Visitors) -> None:
    asked = [("a", SOON), ("worlds", LAST), ("b", SOON), ("a", SOON), ("c", SOON), ("a", SOON), ("b", SOON)]
    for key, urgency in (*asked, ("worlds", LAST)):
        assert visitors.ask(key, urgency).result(PATIENCE_SECONDS) == key.upper()
    assert visitors.began == ["a", "worlds", "b", "c", "b"]


def test_a_page_leaves_the_line_when_its_visitor_has_asked_something_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    class State:
        """Streamlit's, which ends the run of a page that reads it when there is a newer question."""

        def __contains__(self, key: object) -> bool:
            raise Left

    monkeypatch.setattr(later, "get_script_run_ctx", lambda suppress_warning: object())
    monkeypatch.setattr(later, "st", SimpleNamespace(session_state=State()))
    monkeypatch.setattr(later, "line", AnswerLine)
    gate = Gate()
    with pytest.raises(Left):
        later.result("a", gate, SOON)
    with pytest.raises(Left):
        later.rest(PATIENCE_SECONDS)
