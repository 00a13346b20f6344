"""What all commands of the terminal share: failing in one sentence, options, progress, JSON.

Left out: the commands themselves (a file each), and how tables are written (tables.py).
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from nexthour.packaged import scenario_path
from nexthour.report.text import one_line, unexpected_error
from nexthour.terminal.tables import plain_console
from optimize.options import OPTIONS
from sim.study.options import SEED

if TYPE_CHECKING:
    from sim import Scenario
    from sim.progress import Progress

NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC))
"""What the system says when what is printed has no room."""
STOPPED = 130
"""The exit code that Typer makes of Ctrl-C, wherever it strikes: while a command is read, or while it works."""
interrupted = Event()
"""Set once Ctrl-C was heard."""
QUIET_SECONDS = 1.0
"""Work shorter than this shows no progress bar."""

ScenarioFile = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A scenario file, or the name of one that comes with Next Hour.")
]
EffortName = Annotated[str, typer.Option("--effort", help=OPTIONS["effort"].help)]
Seed = Annotated[int, typer.Option(help=SEED.help)]
AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON.")]


class Commands(TyperGroup):
    """The group of commands, with every way to fail turned into one line and an exit code.

    0 done, 1 the input is wrong, 2 the command is wrong, 130 stopped by Ctrl-C.
    """

    def main(self, *args: Any, **extra: Any) -> Any:
        for name in ("stdout", "stderr"):
            if getattr(sys, name) is None:  # closed by who called
                setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - for as long as the process lives
            if hasattr(stream := getattr(sys, name), "reconfigure"):
                stream.reconfigure(errors="replace")
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
            if code == STOPPED:
                fail("stopped", STOPPED, label="nexthour")
            code = _flush() or code
        except typer.TyperException as problem:
            where = getattr(problem, "ctx", None)
            hint = f" (see {where.command_path} --help)" if where is not None else ""
            code = fail(problem.format_message().rstrip(".") + hint, problem.exit_code)
        except OSError as problem:  # while help is printed
            if problem.errno not in NO_ROOM:
                raise
            code = _fail_to_print(problem)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.TyperException, typer.Exit):
            raise
        except BrokenPipeError:
            _print_no_more()  # the reader has seen enough
            raise typer.Exit(0) from None
        except Exception as problem:
            if interrupted.is_set():  # some libraries make an error of their own of it
                raise KeyboardInterrupt from None
            if isinstance(problem, OSError) and problem.errno in NO_ROOM and problem.filename is None:
                raise typer.Exit(_fail_to_print(problem)) from None
            # Not imported here: sim itself may be what cannot be imported.
            errors = sys.modules.get("sim.errors")
            if errors is not None and isinstance(problem, errors.NextHourError):
                raise typer.Exit(fail(str(problem), 1)) from None
            if "NEXTHOUR_TRACEBACK" in os.environ:
                raise
            raise typer.Exit(fail(f"{unexpected_error(problem)}, with NEXTHOUR_TRACEBACK=1 set", 1)) from None


def _flush() -> int:
    """Print what is still to be printed; returns the exit code."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _print_no_more()
    except OSError as problem:
        return _fail_to_print(problem)
    return 0


def _fail_to_print(problem: OSError) -> int:
    _print_no_more()
    return fail(f"what is printed cannot be written ({problem.strerror}); print it somewhere else", 1)


def _print_no_more() -> None:
    """Python would complain once more when it closes stdout."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def interrupt(*_: object) -> None:
    """Answer Ctrl-C as Python does, and remember it."""
    interrupted.set()
    raise KeyboardInterrupt


def read_scenario(word: str) -> Scenario:
    """The scenario of a file, or of a name that comes with the product. Raises ScenarioError."""
    from sim import load_scenario

    return load_scenario(scenario_path(word))


@contextmanager
def progress(what: str) -> Iterator[Progress | None]:
    """Show a bar on stderr, for people only, once work has taken QUIET_SECONDS; above it, what the library tells."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from sim.progress import notices_to

    console = plain_console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    bar = Progress(TextColumn(what), BarColumn(), TimeRemainingColumn(), console=console, transient=True)
    task, begun = bar.add_task(what, total=None), time.monotonic()

    def show(done: int, total: int, says: str = "") -> None:
        bar.update(task, completed=done, total=total)
        if time.monotonic() - begun > QUIET_SECONDS:
            bar.start()

    def tell(text: str) -> None:
        console.print(text)
        bar.start()

    try:
        with notices_to(tell):
            yield show
    finally:
        bar.stop()


@contextmanager
def status_line() -> Iterator[Progress | None]:
    """Show how far the work is on stderr, for people only, in one line that changes."""
    console = plain_console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with console.status("reading") as status:
        yield lambda done, total, says="": status.update(says)


def print_json(data: object) -> None:
    """Print what a command found as JSON. Raises ValueError for a number that JSON does not have."""
    print(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False))


def fail(sentence: str, code: int, label: str = "error") -> int:
    """Print one sentence on stderr and return the exit code."""
    print(f"{label}: {one_line(sentence)}", file=sys.stderr)
    return code


def check_out(out: Path | str, *others: Path | str, option: str = "--out") -> None:
    """Raise TableError if the file to write cannot be written: found now, not after minutes of work."""
    from sim import TableError

    if not str(out):
        raise TableError(f"{option} is empty; give the path of a file to write")
    # Not by Path, which raises for names that are too long and for a link to itself; who writes says what is wrong.
    path = os.path.realpath(out)
    if os.path.isdir(path):
        raise TableError(f"{option} {out} is a folder; give the path of a file to write")
    for other in map(os.path.realpath, others):
        if path == other or (os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)):
            raise TableError(f"{option} {out} would overwrite another file of this command; choose another path")
    if not os.path.isdir(os.path.dirname(path)):
        raise TableError(f"{out}: cannot be written (no such folder); choose another path")
