"""Who waits for what: jobs by their key, in the order in which they were asked for, and the worker they wait for.

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
from nexthour.jobs.worker import STOP, JobKind, Task, serve
from nexthour.report.text import unexpected_error
from sim.documents.declared import Request

if TYPE_CHECKING:
    from sim import Scenario

State = Literal["waiting", "running", "done", "failed", "cancelled"]
KEPT = 20
"""Number of finished jobs that are kept."""
GRACE_SECONDS = 1.0
"""Time in which a job that nobody wants may stop by itself; then its process is ended, as some steps take long."""
TICK_SECONDS = 0.1
"""Time between two looks at whether a job is still wanted."""
log = logging.getLogger(__name__)


class Job:
    """One piece of work that is shared by all who want it. Read it; only `join` and `cancel` change anything."""

    def __init__(self, key: str, task: Task, jobs: Jobs) -> None:
        self.key, self.task, self._jobs = key, task, jobs
        self.state: State = "waiting"
        self.says = ""
        """how it goes, in words"""
        self.result: Any = None
        """what the work gives (worker.py), when it is done"""
        self.problem = ""
        """the reason in one sentence, when it failed"""
        self.wanted_by: set[str] = set()
        self._begun, self._ended = 0.0, 0.0
        self._ending, self._over = threading.Lock(), threading.Event()

    @property
    def kind(self) -> JobKind:
        return self.task.kind

    @property
    def place(self) -> int:
        """The number of jobs that are to be done before this one, the one that runs included."""
        return self._jobs.before(self)

    @property
    def seconds(self) -> float:
        """The time for which the job has been running, or did run; 0 while it waits."""
        return (self._ended or time.monotonic()) - self._begun if self._begun else 0.0

    def join(self, who: str) -> None:
        """Note that `who` wants the job too."""
        self.wanted_by.add(who)

    def cancel(self, who: str = "") -> None:
        """Note that `who` does not want the job any more. It stops when nobody does, within a second or two."""
        self._jobs.not_wanted(self, who)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the job is over, at most `seconds`; returns whether it is over."""
        return self._over.wait(seconds)

    def begin(self) -> None:
        """Note that the worker has the job now."""
        self.state, self._begun = "running", time.monotonic()

    def forget_arguments(self) -> None:
        """Drop what the job was made of, once it is not needed: an upload may be large, and the job is kept."""
        self.task = self.task._replace(arguments={})

    def end(self, state: State, result: Any = None, problem: str = "") -> None:
        """Note how the job ended. Only the first call counts."""
        with self._ending:
            if self._over.is_set():
                return
            self.result, self.problem, self._ended = result, problem, time.monotonic()
            self.state = state  # last, so that whoever sees it sees all of it
            self._over.set()


class Jobs:
    """The jobs of one server.

    Not functools.lru_cache, nor a cache of another library: these keep what a call returned. Here a call is shared
    while it waits and runs, can be stopped, and is not kept if it failed.
    """

    def __init__(self, kept: int = KEPT, grace_seconds: float = GRACE_SECONDS) -> None:
        self._kept, self._grace_seconds = kept, grace_seconds
        self._by_key: dict[str, Job] = {}
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._worker: _Worker | None = None
        self._closed = False

    def start(self, kind: JobKind, scenario: Scenario, *, who: str = "", **arguments: Any) -> Job:
        """The job for this, which may be waiting, running or done since somebody else asked.

        `arguments` are those of the function that does it, but `progress`: optimize_plan for "plan" and "reasons" (the
        reasons of that plan), frontier, gap_analysis; for the others, what worker.py says of each. One that failed or
        was cancelled is begun anew. `who` is whose `cancel` counts, such as the id of a session.
        """
        given = _without_none(arguments)
        task = Task(kind, scenario, given, _key("plan", scenario, given))
        key = _key(kind, scenario, given)
        with self._changed:
            job = self._by_key.pop(key, None)
            if job is None or job.state in ("failed", "cancelled"):
                job = Job(key, task, self)
                self._queue(job)
            self._by_key[key] = job  # the last asked for is the last to be dropped
            job.wanted_by.add(who)
            self._drop_oldest()
            self._changed.notify_all()
        return job

    def find(self, key: str) -> Job | None:
        """The job with a key, as long as it is kept."""
        return self._by_key.get(key)

    def known(self, kind: JobKind, scenario: Scenario, **arguments: Any) -> Job | None:
        """The job that `start` would give, if there is one already, failed or cancelled too. Begins nothing."""
        return self.find(_key(kind, scenario, _without_none(arguments)))

    def close(self) -> None:
        """End the worker, whatever it is at. Nothing can be started after that."""
        with self._changed:
            self._closed = True
            for job in (*self._waiting, *([] if self._running is None else [self._running])):
                job.end("cancelled")
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def before(self, job: Job) -> int:
        """The number of jobs that are to be done before this one."""
        with self._changed:
            if job not in self._waiting:
                return 0
            return self._waiting.index(job) + (self._running is not None)

    def not_wanted(self, job: Job, who: str) -> None:
        """Note that `who` has lost interest in a job; the thread sees to the rest."""
        with self._changed:
            job.wanted_by.discard(who)
            if not job.wanted_by:
                job.end("cancelled")
                if job in self._waiting:
                    self._waiting.remove(job)
                    job.forget_arguments()

    def _drop_oldest(self) -> None:
        over = [key for key, job in self._by_key.items() if job.state not in ("waiting", "running")]
        for key in over[: max(0, len(over) - self._kept)]:
            del self._by_key[key]

    def _queue(self, job: Job) -> None:
        if self._closed:
            raise RuntimeError("these jobs are closed")
        self._waiting.append(job)
        if self._thread is None:
            # Before the worker is ended by multiprocessing, which registered earlier: else it would be replaced.
            atexit.register(self.close)
            self._thread = threading.Thread(target=self._serve, name="jobs", daemon=True)
            self._thread.start()

    # The thread

    def _serve(self) -> None:
        try:
            while (job := self._next()) is not None:
                try:
                    self._run(job)
                except Exception as problem:  # whatever it is, the next job gets its turn
                    log.exception("a job could not be handed over")
                    job.end("failed", problem=unexpected_error(problem))
                job.forget_arguments()
        finally:
            if self._worker is not None:
                self._worker.end()

    def _next(self) -> Job | None:
        """The next to be done, as soon as there is one; None at the end."""
        with self._changed:
            self._running = None
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            self._running = self._waiting.popleft()
            self._running.begin()
            return self._running

    def _run(self, job: Job) -> None:
        if self._worker is None or not self._worker.process.is_alive():
            self._worker = _Worker()
        worker, asked_to_stop = self._worker, 0.0
        try:
            worker.pipe.send(job.task)
            while True:
                if worker.pipe.poll(TICK_SECONDS):
                    word, content = worker.pipe.recv()
                    if word != "says":
                        _end_job(job, word, content)
                        return
                    job.says = content
                if self._closed:
                    return
                if job.state == "cancelled":
                    if not asked_to_stop:
                        worker.pipe.send(STOP)
                        asked_to_stop = time.monotonic()
                    elif time.monotonic() - asked_to_stop > self._grace_seconds:
                        worker.end()
                        break
        except (EOFError, ConnectionError):
            job.end("failed", problem=f"the search was stopped {worker.end()}; start it again")
        self._worker = _Worker()  # now, so that it is warm when it is needed


class _Worker:
    """The process and our end of the pipes to it; on the lifeline nothing is sent, but it breaks when we are gone."""

    def __init__(self) -> None:
        from joblib.externals.loky.backend.context import get_context

        context = get_context("loky")
        self.pipe, far_end = context.Pipe()
        lifeline, self._lifeline = context.Pipe(duplex=False)
        self.process = context.Process(target=serve, args=(far_end, lifeline), name="jobs", daemon=True)
        self.process.start()
        far_end.close()
        lifeline.close()

    def end(self) -> str:
        """End the process, if it has not ended; returns how it did, in words."""
        if self.process.is_alive():
            self.process.terminate()
        self.process.join()
        self.pipe.close()
        self._lifeline.close()
        code = self.process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            return f"by the system ({name}{', as when memory is short' if name == 'SIGKILL' else ''})"
        return f"by the end of its process (exit code {code})"


def _end_job(job: Job, word: str, content: Any) -> None:
    if word == "done":
        job.end("done", result=content)
    elif word == "failed":
        job.end("failed", problem=content)
    elif word == "broken":
        sentence, trace = content
        log.error("a %s job: %s\n%s", job.kind, sentence, trace)
        job.end("failed", problem=sentence)


def _without_none(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that say something: None is as good as not said."""
    return {name: value for name, value in arguments.items() if value is not None}


def _key(kind: JobKind, scenario: Scenario, arguments: Mapping[str, Any]) -> str:
    """A digest that changes with everything that the result depends on."""
    what = [kind, version(), scenario.digest(), arguments]
    return hashlib.sha256(json.dumps(what, sort_keys=True, default=_as_plain_data).encode()).hexdigest()[:32]


def _as_plain_data(value: Any) -> Any:
    """A value that JSON does not know: a file, a document, a mapping or a list of another kind."""
    if isinstance(value, Upload):
        return value.digest
    if isinstance(value, Request):
        return value.digest()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return dict(value) if isinstance(value, Mapping) else list(value)
