"""Jobs: long work in another process gives what it gives here, can be stopped, and never takes anybody down.

Claims: a plan is the same as without the worker, and so are its reasons; progress is heard; who asks for the same thing
shares one search; a job is cancelled in the middle within two seconds, but not while another still wants it; limits
that clash are told in their sentence, mistakes of ours without traceback; a worker that is killed is replaced; the
store stays small; the server's main script is not run again; nothing is left behind at the end.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nexthour.calibrate import calibrate, check_fit, load_mapping
from nexthour.jobs import FittedScenario, Gaps, Job, Jobs, Upload, queue, worker
from nexthour.jobs.worker import Task
from optimize import explain, optimize_plan
from optimize.coverage.gaps import gap_analysis
from sim import Scenario, TimePlan, load_scenario
from sim.claims.claims import CLAIMS, Measurements, Territories
from sim.progress import Progress
from sim.study.request import ComparisonRequest
from tests import ROOT
from tests.helpers import partner, segment, territory

SCENARIOS = ROOT / "scenarios"
BASELINE = SCENARIOS / "baseline.yaml"
SEED = 11
LONG = 120.0
"""Seconds after which a test gives up."""


def tiny(name: str = "tiny", **changes: Any) -> Scenario:
    """Planned in some seconds."""
    market = [segment(opportunities_per_quarter=6, inbound_share=0.3, prospecting_yield=0.3)]
    return territory(**{"name": name, "market_map": market, "partners": [partner()], **changes})


@pytest.fixture(scope="module")
def shared() -> Iterator[Jobs]:
    jobs = Jobs()
    yield jobs
    jobs.close()


@pytest.fixture
def own() -> Iterator[Jobs]:
    jobs = Jobs(kept=3)
    yield jobs
    jobs.close()


def trial(scenario: Scenario) -> dict[str, Any]:
    """The arguments of a sensitivity that takes no time."""
    plans = {"today": TimePlan.status_quo(scenario), "more": TimePlan.constant(scenario, 0.2)}
    return {"request": ComparisonRequest(plans=plans, replications=2)}


def quick(jobs: Jobs, scenario: Scenario, **more: Any) -> Job:
    return jobs.start("sensitivity", scenario, **trial(scenario), **more)


def finished(job: Job) -> Job:
    assert job.wait(LONG), job.says
    return job


def until(true: Callable[[], Any], seconds: float = LONG) -> float:
    """How many seconds it took."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds
        time.sleep(0.01)
    return time.monotonic() - begun


def pid(jobs: Jobs) -> int:
    worker = jobs._worker
    assert worker is not None and worker.process.pid is not None
    return worker.process.pid


class NotToBeSent:
    def model_dump(self, mode: str) -> list[str]:
        return []

    def __reduce__(self) -> str:
        raise TypeError("not to be sent")


def test_plan_and_reasons_are_those_of_this_process(shared: Jobs) -> None:
    heard: set[str] = set()
    job = shared.start("plan", tiny(), seed=SEED, floors={1: 0.1})
    reasons = shared.start("reasons", tiny(), seed=SEED, floors={1: 0.1})
    assert reasons.place >= 1
    until(lambda: heard.add(job.says) or job.state == "done")
    finished(reasons)

    solution = optimize_plan(tiny(), floors={1: 0.1}, seed=SEED)
    assert job.result.plan == solution.plan
    assert job.result.certificate.realised_estimate == solution.certificate.realised_estimate
    assert job.result.changes() == solution.changes()
    assert reasons.result.as_dict() == explain(solution).as_dict()
    assert any("moving" in sentence for sentence in heard)
    assert job.seconds > 0 and job.place == 0
    assert reasons.seconds < job.seconds + 10, "reasons took the solution that was there"


def test_gaps_and_frontier_take_the_same_way(shared: Jobs) -> None:
    plan = TimePlan.constant(tiny(), 0.1)
    job = shared.start("gaps", tiny(), seed=SEED, plan=plan)
    drawn = shared.start("frontier", tiny(), seed=SEED, points=2)
    result = finished(job).result
    assert isinstance(result, Gaps) and result.analysis.as_dict() == gap_analysis(tiny(), plan, SEED).as_dict()
    assert [one.partner for one in result.partners] == ["Pine"]
    assert len(finished(drawn).result.points) == 2, drawn.problem


def test_a_fit_in_the_words_of_the_visitor(shared: Jobs) -> None:
    export, template = (
        Upload.of("ours.csv", (SCENARIOS / "made_up_salesforce.csv").read_bytes()),
        load_scenario(BASELINE),
    )
    mapping = load_mapping(SCENARIOS / "mappings" / "made_up_salesforce.yaml")
    asked: dict[str, Any] = {"mapping": mapping, "markets": 4, "markets_again": 4}
    heard: set[str] = set()
    job = shared.start("fit", template, seed=SEED, upload=export, fraction=1.0, **asked)
    small = shared.start("fit", template, seed=SEED, upload=export, fraction=0.001, **asked)
    other = shared.start("fit", template, seed=SEED, upload=Upload.of("empty.csv", b"a,b\n"), fraction=1.0, **asked)
    assert len({job.key, small.key, other.key}) == 3
    until(lambda: heard.add(job.says) or job.state == "done")
    fit = calibrate(SCENARIOS / "made_up_salesforce.csv", mapping, template, 1.0, seed=SEED, replications=4)
    result = job.result
    assert isinstance(result, FittedScenario) and result.fit.report_rows() == fit.report_rows()
    assert result.checks == check_fit(fit.scenario, fit, 4)
    assert result.fit.scenario.name == "Fitted from ours.csv"
    assert any(said.startswith("fitting: ") for said in heard)
    assert finished(small).problem.startswith("ours.csv: with a territory_fraction of 0.001")
    assert finished(other).problem.startswith("empty.csv: ")
    assert job.task.arguments == {}, "a file is kept no longer than it is needed"


def test_claims_are_those_of_this_process(shared: Jobs) -> None:
    baseline = load_scenario(BASELINE)
    others = [load_scenario(SCENARIOS / f"two-territories-{kind}-rich.yaml") for kind in ("partner", "direct")]
    result = finished(shared.start("claims", baseline, seed=SEED, others=others, markets=2)).result
    measured = Measurements(Territories(baseline, *others), 2, SEED)
    assert result == [tuple(claim.findings(measured)) for claim in CLAIMS]
    assert shared.known("claims", baseline, seed=SEED, others=others[::-1], markets=2) is None


def test_the_same_thing_is_one_search(shared: Jobs) -> None:
    known = partial(shared.known, "sensitivity", tiny("shared"), **trial(tiny("shared")))
    assert known() is None
    one = quick(shared, tiny("shared"), who="one")
    assert known(floors=None) is one is not known(seed=8)
    assert quick(shared, tiny("shared"), who="two", floors=None) is one is shared.find(one.key)
    assert quick(shared, tiny("other")) is not one is not quick(shared, tiny("shared"), seed=8)
    assert finished(one).state == "done" and quick(shared, tiny("shared")) is one
    with_plan = [shared.start("gaps", tiny(), plan=TimePlan.constant(tiny(), share)) for share in (0.1, 0.2, 0.1)]
    assert with_plan[0] is with_plan[2] is not with_plan[1]


def test_cancelling_in_the_middle_takes_effect_at_once_and_the_next_search_works(own: Jobs) -> None:
    long = own.start("plan", load_scenario(BASELINE), who="me")
    until(lambda: long.says.startswith("simulating"))
    waiting, after = own.start("plan", tiny()), quick(own, tiny())
    assert (waiting.place, after.place) == (1, 2)
    waiting.cancel()
    assert waiting.state == "cancelled" and after.place == 1
    long.cancel("me")
    assert long.state == "cancelled" and long.result is None
    assert until(lambda: after.state != "waiting") < 2
    assert finished(after).state == "done"
    assert long.state == "cancelled" and long.result is None
    assert own.start("plan", load_scenario(BASELINE)) is not long


def test_a_search_that_hears_of_it_stops_without_losing_its_process(monkeypatch: Any) -> None:
    words: list[str] = []
    end = queue._end_job
    monkeypatch.setattr(queue, "_end_job", lambda job, word, content: (words.append(word), end(job, word, content)))
    with closing(Jobs(grace_seconds=LONG)) as own:
        job = own.start("plan", tiny())
        until(lambda: job.says)
        before = pid(own)
        job.cancel()
        assert finished(quick(own, tiny())).state == "done"
        assert words == ["stopped", "done"] and pid(own) == before


def test_one_of_two_cannot_cancel_what_the_other_wants(own: Jobs) -> None:
    job = own.start("plan", tiny(), who="one")
    assert own.start("plan", tiny(), who="two") is job
    job.join("three")
    job.cancel("one")
    job.cancel("two")
    job.cancel("somebody else")
    assert finished(job).state == "done"


def test_limits_that_make_no_sense_are_told_in_their_sentence(shared: Jobs) -> None:
    job = finished(shared.start("plan", tiny(), max_partner_share=2.0))
    assert job.state == "failed" and job.result is None
    assert "max_partner_share" in job.problem and "2" in job.problem and "\n" not in job.problem
    assert not job.problem.startswith("this should not happen")
    assert shared.start("plan", tiny(), max_partner_share=2.0) is not job


def test_a_mistake_of_ours_is_a_sentence_here_and_a_traceback_in_the_log(
    shared: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        there = finished(shared.start("plan", tiny(), no_such_limit=1))
        here = finished(shared.start("plan", tiny(), followed=NotToBeSent()))
    for job, name in ((there, "TypeError"), (here, "TypeError")):
        assert job.state == "failed"
        assert job.problem.startswith(f"this should not happen ({name}: "), job.problem
        assert job.problem.endswith("please report it") and "Traceback" not in job.problem
    assert caplog.text.count("Traceback") == 2
    assert finished(quick(shared, tiny("afterwards"))).state == "done"


def test_a_worker_that_is_killed_is_told_and_replaced(own: Jobs) -> None:
    job = own.start("plan", tiny())
    until(lambda: job.says)
    killed = pid(own)
    os.kill(killed, signal.SIGKILL)
    assert finished(job).problem.startswith("the search was stopped by the system (SIGKILL")
    assert job.problem.endswith("start it again") and job.state == "failed"
    until(lambda: pid(own) != killed)  # before anybody asks
    again = own.start("plan", tiny())
    assert again is not job and finished(again).state == "done"
    idle = own._worker
    os.kill(pid(own), signal.SIGKILL)  # while it has nothing to do
    until(lambda: idle is not None and not idle.process.is_alive())
    assert finished(quick(own, tiny("later"))).state == "done"


def test_the_store_stays_small(own: Jobs) -> None:
    some = [finished(quick(own, tiny(f"number {i}"))) for i in range(4)]
    quick(own, tiny("number 1"))  # asked for again, so it stays
    last = [finished(quick(own, tiny(f"another {i}"))) for i in range(2)]
    quick(own, tiny("one more"))
    assert [own.find(job.key) is job for job in (*some, *last)] == [False, True, False, False, True, True]


def test_the_worker_does_not_run_the_servers_main_script(own: Jobs, tmp_path: Path, monkeypatch: Any) -> None:
    """Streamlit puts the script of a page where Python keeps the main module."""
    script, page = tmp_path / "page.py", ModuleType("__main__")
    script.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    page.__file__ = str(script)
    monkeypatch.setitem(sys.modules, "__main__", page)
    assert finished(quick(own, tiny())).state == "done"
    assert not (tmp_path / "ran").exists()


def serve_in_silence(server: Connection, lifeline: Connection) -> None:
    """Like a search that tells nothing for long: who tells something finds that the server is gone."""

    def search(task: Task, kept: Any, progress: Progress) -> None:
        progress(0, 0, "searching")
        time.sleep(LONG)

    worker.WORK = {"plan": search}
    worker.serve(server, lifeline)


@pytest.mark.parametrize("end", ["pass", "os.kill(os.getpid(), signal.SIGKILL)"])
@pytest.mark.parametrize("when", ["job.says", "jobs._worker is not None"])
def test_the_worker_ends_with_the_server(end: str, when: str) -> None:
    """In the middle of a job, or before it has begun to listen; whether the server ends well or not."""
    script = f"""
import os, signal, time, sim
from nexthour.jobs import Jobs, queue
from tests.nexthour.jobs.test_jobs import serve_in_silence
queue.serve = serve_in_silence
jobs = Jobs()
job = jobs.start("plan", sim.load_scenario({str(BASELINE)!r}))
while not ({when}):
    time.sleep(0.01)
print(jobs._worker.process.pid, flush=True)
{end}
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=LONG, check=False
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    number = int(ended.stdout)
    until(lambda: not _lives(number), 10)


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{number}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
