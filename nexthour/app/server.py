"""The server of the app, in front of Streamlit: who may come in, what is packed or sent at once, how memory is kept.

The app has no passwords: whoever reaches it may read and save. It listens to this machine only, so what is left to keep
out are pages of other sites in the browser of whoever uses it. They come under a foreign name for this machine (Host),
from a foreign page (Origin), or ask for a part of the app as a part of theirs (Sec-Fetch-Site), and none of them gets
as far as Streamlit, which to judge them would ask the network for this machine's own address.

Left out: other programs of the same user, who can do all that the user can.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import socket
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocketClose

from nexthour.packaged import BASELINE_SCENARIO, scenario_path

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
PACKED_FROM_BYTES, PACKING_LEVEL = 1000, 4
"""A middle level: half as many bytes as unpacked at a quarter of the time of the best."""
TIDY_SECONDS = 60.0
FIRST_VISIT_SECONDS = 4.0
"""Time for the first page alone, before the others are loaded."""
OPEN_FILES = "/dev/fd"
ARENA_MAX, POOLS = -8, 2
"""The number of glibc's option M_ARENA_MAX, and how many threads can ask for memory without waiting for each other."""
REFUSED = "Next Hour answers only to pages of its own. Open http://{name} in a browser of this machine.\n"


class OwnPagesOnly:
    """Lets requests pass that come from pages of this app, or from no page at all."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it in a sentence."""
        if scope["type"] in ("http", "websocket") and not is_from_own_page(scope):
            if scope["type"] == "websocket":
                await WebSocketClose(1008)(scope, receive, send)
            else:
                name = f"{OWN_NAMES[0]}:{scope['server'][1]}"
                await PlainTextResponse(REFUSED.format(name=name), 403)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def is_from_own_page(scope: Scope) -> bool:
    """Whether the headers of a request are those of a page of this server, of a link to it, or of no browser."""
    headers = Headers(scope=scope)
    port = scope["server"][1]
    hosts = [name for own in OWN_NAMES for name in (f"{own}:{port}", *([own] if port == 80 else []))]
    host = headers.getlist("host")
    if len(host) != 1 or host[0].lower() not in hosts:
        return False
    if any(origin.lower() != f"http://{host[0].lower()}" for origin in headers.getlist("origin")):
        return False
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return True
    return scope["type"] == "http" and scope["method"] == "GET" and headers.get("sec-fetch-dest") == "document"


MIDDLEWARE = [
    Middleware(OwnPagesOnly),
    Middleware(GZipMiddleware, minimum_size=PACKED_FROM_BYTES, compresslevel=PACKING_LEVEL),
]


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Warm up once the server answers, and tidy up memory while it runs."""
    limit_memory_pools()
    send_at_once()
    threading.Thread(target=_warm_quietly, daemon=True).start()
    tidying = asyncio.create_task(_tidy())
    yield
    tidying.cancel()
    with suppress(asyncio.CancelledError):
        await tidying


def limit_memory_pools() -> bool:
    """Have all threads take memory from few pools; whether that can be had, which is in glibc only.

    Each visitor's thread would get a pool of its own and keep it after a single use: with thirty, 80 MB more.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(ARENA_MAX, POOLS))
    except (AttributeError, OSError, TypeError):  # another C library, another system
        return False


def send_at_once() -> None:
    """Have small messages go out at once, of all connections that come to the sockets that are open now.

    Asyncio does so by itself, but not for the socket that Streamlit makes for it. Then every second message waits until
    the browser has said that it had the first, which takes it .04 s.
    """
    for name in os.listdir(OPEN_FILES) if os.path.isdir(OPEN_FILES) else ():
        with suppress(OSError):  # it was closed meanwhile
            if not stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            with socket.socket(fileno=os.dup(int(name))) as found:
                if found.family in (socket.AF_INET, socket.AF_INET6) and found.type == socket.SOCK_STREAM:
                    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _warm_quietly() -> None:
    with suppress(RuntimeError):  # in a server that is being stopped nothing new can begin
        _warm()


def _warm() -> None:
    """Load and compile what a first visitor needs; after that no collection needs to look at it any more."""
    import time

    from nexthour.app import menu
    from sim import TimePlan, load_scenario, replicate

    scenario = load_scenario(scenario_path(BASELINE_SCENARIO))
    replicate(scenario, TimePlan.status_quo(scenario), replications=2)
    time.sleep(FIRST_VISIT_SECONDS)
    for page in menu.page_names():
        menu.load_page(page)
    gc.collect()
    gc.freeze()


async def _tidy() -> None:
    """Collect garbage once a minute, as Streamlit is told not to do it after every rerun (.streamlit/config.toml)."""
    while True:
        await asyncio.sleep(TIDY_SECONDS)
        gc.collect()
