"""The command nexthour, and python -m nexthour: stopped in one word by Ctrl-C from the first moment on.

It takes a third of a second to import what reads the words of a command, and some time to close at the end, and Python
answers Ctrl-C with a traceback then. So nothing that takes time is imported before it is heard here. Left out: what
stops a command that works (nexthour/terminal/common.py).
"""

import _signal  # type: ignore[import-not-found]  # what is under signal, which takes fifteen milliseconds to import
import os
import sys

STOPPED = 130
"""The exit code of what Ctrl-C stopped."""


def main() -> None:
    """Run the command line in sys.argv."""
    # Ignored it is, for one, behind "&" of a shell, and is to stay so.
    is_heard = _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler
    if is_heard:
        _signal.signal(_signal.SIGINT, _stop)
        # Some of Python's own functions cannot pass on what is raised in them: the command would go on.
        sys.unraisablehook = _stop_or_show
    from nexthour.terminal.common import interrupt
    from nexthour.terminal.main import commands

    run = commands()
    try:
        if is_heard:
            _signal.signal(_signal.SIGINT, interrupt)
        run(prog_name="nexthour")
    except KeyboardInterrupt:
        _stop()
    finally:
        if is_heard:
            _signal.signal(_signal.SIGINT, _stop)
        # Python remembers an interrupt that fell into an exec() of text until the next one, and python -m would end
        # by that signal whatever exit code was asked for.
        exec("")


def _stop_or_show(unraisable: "sys.UnraisableHookArgs") -> None:
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        _stop()
    sys.__unraisablehook__(unraisable)


def _stop(*_: object) -> None:
    """End the process at once: nothing has begun, or all is done."""
    os.write(2, b"nexthour: stopped\n")
    os._exit(STOPPED)


if __name__ == "__main__":
    main()
