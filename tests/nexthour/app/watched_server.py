"""Run the program, and write down what it would speak to and when it collects garbage, a JSON list in each line.

    python -m tests.nexthour.app.watched_server FILE app --no-browser

A line is ["socket.connect", address] and the like, as Python itself tells of it; or ["collection", name of the thread].
Nothing is collected but where somebody asks for it. Left out: processes that the server begins.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
from typing import Any

EVENTS = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname",
          "socket.gethostbyaddr", "socket.getnameinfo", "urllib.Request")  # fmt: skip


def main() -> None:
    """Take the name of the file and the words of the program from the command line."""
    notes = open(sys.argv[1], "a", encoding="utf-8", buffering=1)  # noqa: SIM115  # open as long as the program runs

    def hear(event: str, about: tuple[Any, ...]) -> None:
        if event in EVENTS:
            notes.write(json.dumps([event, *map(_plain, about)]) + "\n")

    def collected(phase: str, about: dict[str, int]) -> None:
        if phase == "start":
            notes.write(json.dumps(["collection", threading.current_thread().name]) + "\n")

    sys.addaudithook(hear)
    gc.disable()
    gc.callbacks.append(collected)
    sys.argv = ["nexthour", *sys.argv[2:]]
    from nexthour.__main__ import main as run

    run()


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | float | None) else type(value).__name__


if __name__ == "__main__":
    main()
