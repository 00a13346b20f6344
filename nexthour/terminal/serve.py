"""nexthour app: the app in a browser, served by Streamlit.

Streamlit takes its settings from the folder of the script it runs: app.py stands beside .streamlit/ in a checkout, and
in an installed package too. (A script in nexthour/app/ would make Streamlit show nexthour/app/pages/ in a menu of its
own.)

Left out: the app itself (nexthour/app/).
"""

import socket
from typing import Annotated

import typer

from nexthour.packaged import packaged

USUAL_PORT = 8501


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
