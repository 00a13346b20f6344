"""What the worker process does: one task after the other, telling how it goes, until the server is gone.

From the server comes a Task, or STOP for the one it is at; back go pairs of a word and what belongs to it:

    "says", sentence        any number of times, then one of
    "done", result
    "failed", sentence      what was asked for cannot be had
    "stopped", ""           as wanted
    "broken", (sentence, traceback)

Everything heavy is imported here and not in the server.
"""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from nexthour.jobs.uploads import on_disk
from nexthour.report.numbers import whole

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from nexthour.calibrate import Check, Fit
    from optimize import Answer, Explanation, Frontier, Solution
    from optimize.coverage.gaps import GapAnalysis
    from optimize.coverage.treatment import Treatment
    from sim import Scenario, Sensitivity
    from sim.claims.claims import Finding
    from sim.progress import Progress

JobKind = Literal[
    "plan", "reasons", "frontier", "gaps",
    "sensitivity", "fit", "claims",
]  # fmt: skip
STOP = "stop"
NICE = 10
"""Niceness of the worker: of a busy core it gets a tenth of what the server gets."""


class Task(NamedTuple):
    """One piece of work."""

    kind: JobKind
    scenario: Scenario
    arguments: Mapping[str, Any]
    """what the function that does it takes"""
    plan_key: str
    """the key of the plan search with these arguments"""


class Stopped(Exception):
    """Nobody wants the result any more."""


@dataclass(frozen=True)
class Gaps:
    """A gap analysis, and how its plan treats each partner."""

    analysis: GapAnalysis
    partners: tuple[Treatment, ...]


@dataclass(frozen=True)
class FittedScenario:
    """A scenario that was fitted to deals, and how its simulation meets them."""

    fit: Fit
    checks: tuple[Check, ...]


Kept = dict[str, "Solution"]
"""The last solution by the key of its search: reasons need all of it, some 150 MB."""


def serve(server: Connection, lifeline: Connection) -> None:
    """Do what the server sends until it is gone, which is when the other end of the lifeline is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this process
    if hasattr(os, "nice"):
        os.nice(NICE)
    _end_with(lifeline)
    with suppress(EOFError, ConnectionError):
        _serve(server)


def _end_with(lifeline: Connection) -> None:
    """End this process as soon as the server is gone: in the middle of a search nobody looks at the pipe of tasks."""
    if hasattr(os, "O_ASYNC"):
        # By a signal, which ends it at once; a thread waits until the solver lets Python go on.
        import fcntl

        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    # Also for the server that was gone before that.
    threading.Thread(target=_wait_for_end, args=(lifeline,), daemon=True).start()


def _wait_for_end(lifeline: Connection) -> None:
    with suppress(EOFError, OSError):
        lifeline.recv()  # nothing ever comes
    os._exit(1)


def _serve(server: Connection) -> None:
    # Before anybody waits for it.
    from nexthour.report.text import unexpected_error
    from optimize.coverage import gaps  # noqa: F401
    from sim.errors import NextHourError
    from sim.progress import notices_to

    def progress(done: int, total: int, says: str = "") -> None:
        server.send(("says", says))
        if server.poll():
            server.recv()  # nothing but STOP comes before the answer is sent
            raise Stopped

    kept: Kept = {}
    while True:
        task = server.recv()
        if task == STOP:
            continue  # it crossed the answer
        answer: tuple[str, Any]
        try:
            with notices_to(lambda notice: progress(0, 0, notice)):
                answer = "done", WORK[task.kind](task, kept, progress)
        except Stopped:
            answer = "stopped", ""
        except NextHourError as problem:
            answer = "failed", str(problem)
        except Exception as problem:
            answer = "broken", (unexpected_error(problem), traceback.format_exc())
        server.send(answer)


def _solution(task: Task, kept: Kept, progress: Progress) -> Solution:
    from optimize import optimize_plan

    if task.plan_key not in kept:
        kept.clear()
        kept[task.plan_key] = optimize_plan(task.scenario, progress=progress, **task.arguments)
    return kept[task.plan_key]


def _plan(task: Task, kept: Kept, progress: Progress) -> Answer:
    return _solution(task, kept, progress).answer


def _reasons(task: Task, kept: Kept, progress: Progress) -> Explanation:
    from optimize import explain

    return explain(_solution(task, kept, progress))


def _frontier(task: Task, kept: Kept, progress: Progress) -> Frontier:
    from optimize import frontier

    return frontier(task.scenario, progress=progress, **task.arguments)


def _gaps(task: Task, kept: Kept, progress: Progress) -> Gaps:
    from optimize.coverage.gaps import gap_analysis
    from optimize.coverage.treatment import treatments

    analysis = gap_analysis(task.scenario, progress=progress, **task.arguments)
    return Gaps(analysis, treatments(task.scenario, analysis.plan, analysis.seed, analysis.effort))


def _sensitivity(task: Task, kept: Kept, progress: Progress) -> Sensitivity:
    from sim.study.sensitivity import run_sensitivity

    done = _counted(progress, "{done} of about {total} runs under other assumptions")
    return run_sensitivity(task.scenario, task.arguments["request"], progress=done)


def _fit(task: Task, kept: Kept, progress: Progress) -> FittedScenario:
    """The fit of an `upload` with its `mapping`, a `fraction` of it; the scenario gives what no table can."""
    from nexthour.calibrate import calibrate, check_fit, read_deals

    arguments = task.arguments
    upload, mapping, fraction = arguments["upload"], arguments["mapping"], arguments["fraction"]
    markets, markets_again = arguments["markets"], arguments["markets_again"]
    with on_disk(upload) as path:
        deals = replace(read_deals(path, mapping), name=upload.name)
    done = _counted(progress, "fitting: {done} of {total} markets")
    fit = calibrate(
        deals, mapping, task.scenario, fraction, seed=arguments["seed"], replications=markets, progress=done
    )
    done = _counted(progress, "simulating again: {done} of {total} markets")
    return FittedScenario(fit, check_fit(fit.scenario, fit, markets_again, progress=done))


def _claims(task: Task, kept: Kept, progress: Progress) -> list[tuple[Finding, ...]]:
    """The figures of each claim: this scenario is the baseline, `others` are the further territories."""
    from sim.claims.claims import CLAIMS, Measurements, Territories

    territories = Territories(task.scenario, *task.arguments["others"])
    measured = Measurements(territories, task.arguments["markets"], task.arguments["seed"])
    found = []
    for claim in CLAIMS:
        progress(0, 0, f"measuring claim {claim.number} of {len(CLAIMS)}")
        found.append(tuple(claim.findings(measured)))
    return found


def _counted(progress: Progress, words: str) -> Progress:
    return lambda done, total, says="": progress(done, total, words.format(done=whole(done), total=whole(total)))


WORK: dict[JobKind, Callable[[Task, Kept, Progress], Any]] = {
    "plan": _plan,
    "reasons": _reasons,
    "frontier": _frontier,
    "gaps": _gaps,
    "sensitivity": _sensitivity,
    "fit": _fit,
    "claims": _claims,
}
