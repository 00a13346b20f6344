"""Ctrl-C at whatever moment of a command says "stopped" and exits with 130: no traceback, and the command ends.

Left out: the first hundredths of a second, in which Python itself starts and answers in its own words.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

BEGIN = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # behind "&" it is ignored
from nexthour.__main__ import main
try:
    print("begun", file=sys.stderr, flush=True)
    main()
except KeyboardInterrupt:
    if "nexthour.terminal.main" in sys.modules:
        raise
    os._exit(77)  # it came before the first line of main
"""
TOO_EARLY = 77
COMMANDS = (
    ["--version"],
    ["check", "baseline"],
    ["compare", "baseline", "--replications", "50"],
    ["plan", "baseline", "--effort", "quick"],
    ["mapping", "made_up_salesforce", "--out", os.devnull],
)
LAST_MOMENT = 1.5
"""Seconds."""
CAP_SECONDS = 120
STOPPED, DONE = (130, "nexthour: stopped\n"), (0, "")
CLOSED = -signal.SIGINT, ""
"""Of a command that was done: at its very end Python hears nobody any more, and the system ends it."""


def stop_after(seconds: float, command: list[str]) -> tuple[int, str]:
    """Exit code and stderr of a command that gets Ctrl-C that long after its first line."""
    child = subprocess.Popen(
        [sys.executable, "-c", BEGIN, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    with child:
        try:
            assert child.stderr is not None
            assert child.stderr.readline() == "begun\n"
            time.sleep(seconds)
            child.send_signal(signal.SIGINT)
            _, said = child.communicate(timeout=CAP_SECONDS)
        finally:
            child.kill()
    return child.returncode, said


def check_moments(moments: list[float]) -> None:
    """Stop commands in turn, one at each moment; who is faster than the moment is done and has said nothing."""
    stopped = 0
    for number, seconds in enumerate(moments):
        command = COMMANDS[number % len(COMMANDS)]
        ended = stop_after(seconds, command)
        while ended[0] == TOO_EARLY:
            seconds += 0.005
            ended = stop_after(seconds, command)
        assert ended in (STOPPED, DONE, CLOSED), (command, seconds, ended)
        stopped += ended == STOPPED
    assert stopped >= len(moments) / 4  # those at the first moments at least


def test_a_command_is_stopped_in_one_word_at_a_dozen_moments() -> None:
    check_moments([number / 11 * LAST_MOMENT for number in range(12)])


@pytest.mark.long
def test_a_command_is_stopped_in_one_word_at_any_moment() -> None:
    seed = time.time_ns()
    print("seed", seed)  # shown where the test fails
    draw = random.Random(seed)
    check_moments([draw.random() * LAST_MOMENT for _ in range(200)])
