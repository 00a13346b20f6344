"""nexthour app: the app in a browser, served by Streamlit.

Streamlit takes its settings from the folder of the script it runs: app.py stands beside .streamlit/ in a checkout, and
in an installed package too. (A script in nexthour/app/ would make Streamlit show nexthour/app/pages/ in a menu of its
own.)

Left out: the app itself (nexthour/app/).
"""

import socket
import threading
import time
from contextlib import suppress
from typing import Annotated

import typer

from nexthour.packaged import BASELINE_SCENARIO, packaged, scenario_path

USUAL_PORT = 8501
PATIENCE_SECONDS = 30.0
FIRST_VISIT_SECONDS = 4.0
"""Time for the first page alone, before the others are loaded."""


def command(
    port: Annotated[int, typer.Option(help="Where it listens on this machine.", min=1, max=65535)] = USUAL_PORT,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
) -> None:
    """Open the app in a browser. It listens to this machine only, and sends nothing anywhere.

    \b
    Examples:
      nexthour app
      nexthour app --port 8600 --no-browser
    """
    from streamlit.web.cli import main

    if not _free(port):
        raise typer.BadParameter(f"--port {port} is taken by another program; choose another, as in --port {port + 1}")
    threading.Thread(target=_warm_quietly, args=(port,), daemon=True).start()
    flags = ["--server.port", str(port), "--server.headless", "true"] if no_browser else ["--server.port", str(port)]
    main(["run", str(packaged("app.py")), *flags], prog_name="streamlit", standalone_mode=False)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _warm_quietly(port: int) -> None:
    with suppress(RuntimeError):  # in a server that is being stopped nothing new can begin
        _warm(port)


def _warm(port: int) -> None:
    """Load and compile what a first visitor needs, once the server answers: neither waits for the other."""
    until = time.monotonic() + PATIENCE_SECONDS
    while _free(port) and time.monotonic() < until:
        time.sleep(0.05)
    from nexthour.app import menu
    from sim import TimePlan, load_scenario, replicate

    scenario = load_scenario(scenario_path(BASELINE_SCENARIO))
    replicate(scenario, TimePlan.status_quo(scenario), replications=2)
    time.sleep(FIRST_VISIT_SECONDS)
    for page in menu.page_names():
        menu.load_page(page)
