"""Every way in which Next Hour writes files, each to be done in a process that is killed or has no room.

`python -m tests.writers NAME FOLDER` gets a writer ready, with all that takes long done once, and then does what each
line on stdin says: a JSON list of a fault and a number. Each is done by a process of its own, a copy of this one, that
meets the fault while it writes:

* `["none", 0]`: none. The answer says how many steps of Python and seconds writing takes.
* `["step", n]`: it kills itself at the n-th step after it begins to write.
* `["time", s]`: it is killed so many seconds after it begins to write.
* `["room", n]`: no file may have more than n bytes.

The answer, a line on stdout, is how it ended and what it said on stderr.

Left out: what has to hold afterwards (test_nothing_is_lost.py).
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

KILL, TRACEBACK = -signal.SIGKILL, 3
PLACED = {"os.rename", "os.link", "os.remove"}
"""What Python calls the steps that end a write."""
Writer = Callable[[Path], Callable[[], None]]
"""Given a folder, what writes into it."""


def once(module: ModuleType, *names: str) -> None:
    """Have functions of a module compute only once."""
    for name in names:
        setattr(module, name, remembered(getattr(module, name)))


def remembered(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gives what it gave when it was first called."""
    found: list[Any] = []

    def call(*given: Any, **named: Any) -> Any:
        if not found:
            found.append(function(*given, **named))
        return found[0]

    return call


def command(*words: str) -> Writer:
    """A command of the terminal; FOLDER stands for the folder."""

    def ready(folder: Path) -> Callable[[], None]:
        from nexthour.terminal.main import app

        here = [word.replace("FOLDER", str(folder)) for word in words]

        def write() -> None:
            try:
                app(here, prog_name="nexthour")
            except SystemExit as end:
                if end.code:
                    raise

        return write

    return ready


def plan_command(folder: Path) -> Callable[[], None]:
    import optimize

    once(optimize, "optimize_plan")
    return command("plan", "baseline", "--effort", "quick", "--out", "FOLDER/plan.yaml")(folder)


def calibrate_command(folder: Path) -> Callable[[], None]:
    import nexthour.calibrate

    once(nexthour.calibrate, "calibrate", "check_fit")
    words = "calibrate", "made_up_closed_deals", "--mapping", "made_up_closed_deals", "--fraction", "0.01"
    return command(*words, "--out", "FOLDER/mine.yaml", "--rejects", "FOLDER/rejects.csv")(folder)


def monday_command(folder: Path) -> Callable[[], None]:
    from sim import TimePlan, load_scenario

    plan = folder.parent / "plan.yaml"
    TimePlan.constant(load_scenario(built_in("baseline")), 0.3).save(plan)
    return command("monday", "baseline", "--plan", str(plan), "--ics", "FOLDER/monday.ics")(folder)


def recruiting_command(folder: Path) -> Callable[[], None]:
    from nexthour.calibrate.people import recruiting

    once(recruiting, "fit_recruiting", "hold_out")
    words = ["recruiting", "made_up_recruiting", "--contacted", "First contact", "--signed", "Signed"]
    return command(*words, "--as-of", "2026-06-30", "--scenario", "baseline", "--out", "FOLDER/mine.yaml")(folder)


def people_command(name: str) -> Writer:
    """The command that makes partners, or judgement, of a table."""

    def ready(folder: Path) -> Callable[[], None]:
        from nexthour.calibrate.people import judgement, partner_intake

        once(partner_intake, "infer_partners")
        once(judgement, "fit_judgement")
        return command(name, f"made_up_{name}", "--out", "FOLDER/mine.yaml")(folder)

    return ready


def hours_command(folder: Path) -> Callable[[], None]:
    from nexthour.calibrate.calendar import audit

    once(audit, "audit_calendar")
    words = ["hours", "made_up_calendar", "--rules", "made_up_calendar"]
    return command(*words, "--scenario", "baseline", "--out", "FOLDER/mine.yaml")(folder)


def scenario_api(folder: Path) -> Callable[[], None]:
    from sim import load_scenario, save_scenario

    scenario = load_scenario(built_in("baseline"))
    return lambda: save_scenario(scenario, folder / "mine.yaml")


def plan_api(folder: Path) -> Callable[[], None]:
    from sim import TimePlan, load_scenario

    plan = TimePlan.constant(load_scenario(built_in("baseline")), 0.3)
    return lambda: plan.save(folder / "plan.yaml")


def saving_in_the_app(kind: str) -> Writer:
    """What the pages call to save a scenario, a plan or what was seen."""

    def ready(folder: Path) -> Callable[[], None]:
        from nexthour.app.state import actuals_store, library
        from sim import TimePlan, load_scenario

        os.environ["NEXTHOUR_LIBRARY"] = str(folder)
        scenario = load_scenario(built_in("baseline"))
        own = scenario.model_copy(update={"name": "mine"})
        plan = TimePlan.constant(scenario, 0.3)
        actuals = actuals_store.with_quarter(None, {"quarter": 1, "bookings_usd": 100_000.0}, None)
        writes: dict[str, Callable[[], object]] = {
            "scenarios": lambda: library.save_document(own, "scenarios"),
            "plans": lambda: library.save_document(plan, "plans"),
            "actuals": lambda: actuals_store.save_actuals(scenario, actuals),
        }
        return lambda: void(writes[kind]())

    return ready


def void(_: object) -> None:
    """Nothing, whatever is given."""


def built_in(name: str) -> Path:
    """A file that comes with Next Hour."""
    from nexthour.packaged import packaged

    return packaged("scenarios") / f"{name}.yaml"


WRITERS: dict[str, Writer] = {
    "plan": plan_command,
    "mapping": command("mapping", "made_up_salesforce", "--out", "FOLDER/mapping.yaml"),
    "calibrate": calibrate_command,
    "partners": people_command("partners"),
    "judgement": people_command("judgement"),
    "hours": hours_command,
    "recruiting": recruiting_command,
    "monday": monday_command,
    "save_scenario": scenario_api,
    "TimePlan.save": plan_api,
    "app scenarios": saving_in_the_app("scenarios"),
    "app plans": saving_in_the_app("plans"),
    "app actuals": saving_in_the_app("actuals"),
}


class Watch:
    """Counts the steps of a process from the moment at which it begins to write into a folder, and kills it at one."""

    def __init__(self, folder: Path, kill_at: int, begun: int) -> None:
        self.folder, self.kill_at, self.begun = str(folder), kill_at, begun
        self.steps, self.last_step, self.began, self.ended = 0, 0, 0.0, 0.0
        sys.addaudithook(self.hear)

    def hear(self, event: str, given: tuple[Any, ...]) -> None:
        """Take note of what Python is about to do."""
        if event == "open" and not self.began and given[2] & (os.O_WRONLY | os.O_RDWR) and self.is_there(given[0]):
            self.began = time.monotonic()
            os.write(self.begun, b"!")
            sys.setprofile(self.step)
        if event in PLACED and self.began:
            self.last_step, self.ended = self.steps + 20, time.monotonic()

    def is_there(self, path: Any) -> bool:
        return not isinstance(path, int) and os.fsdecode(path).startswith(self.folder)

    def step(self, _frame: FrameType, _event: str, _given: Any) -> None:
        """Called by Python before and after each function."""
        self.steps += 1
        if self.steps == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def writing_process(write: Callable[[], None], folder: Path, fault: str, number: float, begun: int, says: int) -> None:
    """Write with a fault, and end the process."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(says, 2)
    sys.stderr = os.fdopen(2, "w", closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    code = 0
    try:
        watch = Watch(folder, int(number) if fault == "step" else 0, begun)
        if fault == "room":
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(number), int(number)))
        write()
        if fault == "none":
            if not watch.ended:  # written in place: the file may be anything for some time
                watch.last_step, watch.ended = min(watch.steps, 60), watch.began + 0.005
            print(json.dumps([watch.last_step, watch.ended - watch.began]), file=sys.stderr)
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException as problem:
        code = 1 if is_sentence(problem) else TRACEBACK
        print(f"error: {problem}" if code == 1 else repr(problem), file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(code)


def is_sentence(problem: BaseException) -> bool:
    from sim.errors import NextHourError

    return isinstance(problem, NextHourError)


def end_of_process(write: Callable[[], None], folder: Path, fault: str, number: float) -> tuple[int, str]:
    """How a copy of this process ended, and what it said."""
    begun, tell_begun = os.pipe()
    heard, says = os.pipe()
    child = os.fork()
    if not child:
        writing_process(write, folder, fault, number, tell_begun, says)
    os.close(tell_begun)
    os.close(says)
    if os.read(begun, 1) and fault == "time":
        time.sleep(number)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(heard) as stream:
        said = stream.read()
    os.close(begun)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def serve_faults(name: str, folder: Path) -> None:
    """Do what stdin says until it ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what commands print is no answer
    write = WRITERS[name](folder)
    write()  # here, so that what takes long is remembered
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(end_of_process(write, folder, *json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    serve_faults(sys.argv[1], Path(sys.argv[2]))
