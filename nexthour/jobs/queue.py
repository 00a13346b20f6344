"""Who waits for what: searches by their key, in the order in which they were asked for, and the worker they wait for.

Calls may come from any thread. One thread of its own talks to the worker.

Left out: what the worker does (worker.py).
"""

from __future__ import annotations

import atexit
import hashlib
import json
import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from nexthour import version
from nexthour.jobs.uploads import Upload
from nexthour.jobs.worker import STOP, Job, Kind, serve
from nexthour.report.text import unexpected_error

if TYPE_CHECKING:
    from sim import Scenario

State = Literal["waiting", "running", "done", "failed", "cancelled"]
KEPT = 20
"""Finished searches that are kept."""
GRACE_SECONDS = 1.0
"""A search that nobody wants has so long to stop by itself; then its process is ended, as some steps take long."""
TICK_SECONDS = 0.1
"""How often is looked whether a search is still wanted."""
log = logging.getLogger(__name__)


class Search:
    """One piece of work that is shared by all who want it. Read it; only `join` and `cancel` change anything."""

    def __init__(self, key: str, job: Job, queue: Searches) -> None:
        self.key, self.job, self._queue = key, job, queue
        self.state: State = "waiting"
        self.says = ""
        """how it goes, in words"""
        self.result: Any = None
        """when done: what the work gives (worker.py)"""
        self.problem = ""
        """when failed: why, in one sentence"""
        self.wanted_by: set[str] = set()
        self._asked, self._begun, self._ended = time.monotonic(), 0.0, 0.0
        self._ending, self._over = threading.Lock(), threading.Event()

    @property
    def kind(self) -> Kind:
        return self.job.kind

    @property
    def place(self) -> int:
        """How many are to be done before it, the one that runs included."""
        return self._queue.before(self)

    @property
    def seconds(self) -> float:
        """How long it has been running, or did run; 0 while it waits."""
        return (self._ended or time.monotonic()) - self._begun if self._begun else 0.0

    def join(self, who: str) -> None:
        """`who` wants it too."""
        self.wanted_by.add(who)

    def cancel(self, who: str = "") -> None:
        """`who` does not want it any more. It stops when nobody does, within a second or two."""
        self._queue.not_wanted(self, who)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is over, at most so long. Whether it is."""
        return self._over.wait(seconds)

    def begin(self) -> None:
        self.state, self._begun = "running", time.monotonic()

    def forget(self) -> None:
        """What it was made of is not needed any more: an upload may be large, and the search is kept."""
        self.job = self.job._replace(arguments={})

    def end(self, state: State, result: Any = None, problem: str = "") -> None:
        """Once: what comes later is not heard."""
        with self._ending:
            if self._over.is_set():
                return
            self.result, self.problem, self._ended = result, problem, time.monotonic()
            self.state = state  # last, so that whoever sees it sees all of it
            self._over.set()


class Searches:
    """The searches of one server.

    Not functools.lru_cache, nor a cache of another library: these keep what a call returned. Here a call is shared
    while it waits and runs, can be stopped, and is not kept if it failed.
    """

    def __init__(self, kept: int = KEPT, grace_seconds: float = GRACE_SECONDS) -> None:
        self._kept, self._grace_seconds = kept, grace_seconds
        self._by_key: dict[str, Search] = {}
        self._waiting: deque[Search] = deque()
        self._running: Search | None = None
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._worker: _Worker | None = None
        self._closed = False

    def start(self, kind: Kind, scenario: Scenario, seed: int = 7, *, who: str = "", **arguments: Any) -> Search:
        """The search for this, which may be waiting, running or done since somebody else asked.

        `arguments` are those of the function that does it, but `progress`: optimize_plan for "plan" and "reasons" (the
        reasons of that plan), frontier, gap_analysis; for the others, what worker.py says of each. One that failed or
        was cancelled is begun anew. `who` is whose `cancel` counts, such as the id of a session.
        """
        given = _given(arguments)
        job = Job(kind, scenario, seed, given, _key("plan", scenario, seed, given))
        key = _key(kind, scenario, seed, given)
        with self._changed:
            search = self._by_key.pop(key, None)
            if search is None or search.state in ("failed", "cancelled"):
                search = Search(key, job, self)
                self._waiting.append(search)
                self._go()
            self._by_key[key] = search  # the last asked for is the last to be dropped
            search.wanted_by.add(who)
            self._drop()
            self._changed.notify_all()
        return search

    def find(self, key: str) -> Search | None:
        """The search with a key, as long as it is kept."""
        return self._by_key.get(key)

    def known(self, kind: Kind, scenario: Scenario, seed: int = 7, **arguments: Any) -> Search | None:
        """The search that `start` would give, if there is one already, failed or cancelled too. Begins nothing."""
        return self.find(_key(kind, scenario, seed, _given(arguments)))

    def warm(self, scenario: Scenario) -> Search:
        """Start the worker and have it ready for scenarios like this one."""
        return self.start("warm", scenario)

    def close(self) -> None:
        """End the worker, whatever it is at. Nothing can be started after that."""
        with self._changed:
            self._closed = True
            for search in (*self._waiting, *([] if self._running is None else [self._running])):
                search.end("cancelled")
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def before(self, search: Search) -> int:
        """How many come before it."""
        with self._changed:
            if search not in self._waiting:
                return 0
            return self._waiting.index(search) + (self._running is not None)

    def not_wanted(self, search: Search, who: str) -> None:
        """`who` has lost interest in it; the thread sees to the rest."""
        with self._changed:
            search.wanted_by.discard(who)
            if not search.wanted_by:
                search.end("cancelled")
                if search in self._waiting:
                    self._waiting.remove(search)
                    search.forget()

    def _drop(self) -> None:
        over = [key for key, search in self._by_key.items() if search.state not in ("waiting", "running")]
        for key in over[: max(0, len(over) - self._kept)]:
            del self._by_key[key]

    # The thread

    def _go(self) -> None:
        if self._closed:
            raise RuntimeError("these searches are closed")
        if self._thread is None:
            # Before the worker is ended by multiprocessing, which registered earlier: else it would be replaced.
            atexit.register(self.close)
            self._thread = threading.Thread(target=self._serve, name="searches", daemon=True)
            self._thread.start()

    def _serve(self) -> None:
        try:
            while (search := self._next()) is not None:
                try:
                    self._run(search)
                except Exception as problem:  # whatever it is, the next search gets its turn
                    log.exception("a search could not be handed over")
                    search.end("failed", problem=unexpected_error(problem))
                search.forget()
        finally:
            if self._worker is not None:
                self._worker.end()

    def _next(self) -> Search | None:
        """The next to be done, as soon as there is one; None at the end."""
        with self._changed:
            self._running = None
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            self._running = self._waiting.popleft()
            self._running.begin()
            return self._running

    def _run(self, search: Search) -> None:
        if self._worker is None or not self._worker.process.is_alive():
            self._worker = _Worker()
        worker, asked_to_stop = self._worker, 0.0
        try:
            worker.pipe.send(search.job)
            while True:
                if worker.pipe.poll(TICK_SECONDS):
                    word, content = worker.pipe.recv()
                    if word != "says":
                        _end(search, word, content)
                        return
                    search.says = content
                if self._closed:
                    return
                if search.state == "cancelled":
                    if not asked_to_stop:
                        worker.pipe.send(STOP)
                        asked_to_stop = time.monotonic()
                    elif time.monotonic() - asked_to_stop > self._grace_seconds:
                        worker.end()
                        break
        except (EOFError, ConnectionError):
            search.end("failed", problem=f"the search was stopped {worker.end()}; start it again")
        self._worker = _Worker()  # now, so that it is warm when it is needed


class _Worker:
    """The process and our end of the pipe to it."""

    def __init__(self) -> None:
        from joblib.externals.loky.backend.context import get_context

        context = get_context("loky")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs,), name="searches", daemon=True)
        self.process.start()
        theirs.close()

    def end(self) -> str:
        """End the process, if it has not ended. How it did, in words."""
        if self.process.is_alive():
            self.process.terminate()
        self.process.join()
        self.pipe.close()
        code = self.process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            return f"by the system ({name}{', as when memory is short' if name == 'SIGKILL' else ''})"
        return f"by the end of its process (exit code {code})"


def _end(search: Search, word: str, content: Any) -> None:
    if word == "done":
        search.end("done", result=content)
    elif word == "failed":
        search.end("failed", problem=content)
    elif word == "broken":
        sentence, trace = content
        log.error("a %s search: %s\n%s", search.kind, sentence, trace)
        search.end("failed", problem=sentence)


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """None is as good as not said."""
    return {name: value for name, value in arguments.items() if value is not None}


def _key(kind: Kind, scenario: Scenario, seed: int, arguments: Mapping[str, Any]) -> str:
    """Changes with everything that the result depends on."""
    what = [kind, version(), scenario.digest(), seed, arguments]
    return hashlib.sha256(json.dumps(what, sort_keys=True, default=_plain).encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """A value that JSON does not know: a file, a document, a mapping or a list of another kind."""
    if isinstance(value, Upload):
        return value.digest
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return dict(value) if isinstance(value, Mapping) else list(value)
