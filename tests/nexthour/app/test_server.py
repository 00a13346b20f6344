"""The server in front of Streamlit: who may come in, what is packed, whom it speaks to, and how it tidies up."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import json
import re
import socket
import subprocess
import sys
import threading
import tomllib
import urllib.error
import urllib.request
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import psutil
import pytest
from streamlit import config
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from nexthour.app.menu import page_address, page_names
from nexthour.app.server import POOLS, OwnPagesOnly, is_from_own_page, send_at_once
from tests import ROOT
from tests.nexthour.app import watched_server
from tests.nexthour.app.browser import memory_mb, served, server_process
from tests.nexthour.app.protocol import Visitor

Result = TypeVar("Result")
PORT = 8600
HOSTS = {
    (f"127.0.0.1:{PORT}",): True,
    (f"localhost:{PORT}",): True,
    (f"LocalHost:{PORT}",): True,
    (f"[::1]:{PORT}",): True,
    (): False,
    ("127.0.0.1",): False,
    (f"127.0.0.1:{PORT + 1}",): False,
    (f"127.0.0.2:{PORT}",): False,
    (f"evil.example:{PORT}",): False,
    (f"127.0.0.1:{PORT}.evil.example",): False,
    (f"evil.example@127.0.0.1:{PORT}",): False,
    (f"localhost.:{PORT}",): False,
    (f"127.0.0.1:{PORT}", f"evil.example:{PORT}"): False,
}
"""Host headers of a request, and whether they are this server's."""
ORIGINS = {
    (): True,
    ("http://{host}",): True,
    ("HTTP://{host}",): True,
    ("https://{host}",): False,
    ("http://{host}/",): False,
    (f"http://127.0.0.1:{PORT + 1}",): False,
    (f"http://evil.example:{PORT}",): False,
    ("null",): False,
    ("",): False,
    ("http://{host}", "http://evil.example"): False,
}
"""Origin headers, and whether they are of a page of the same server."""
SITES = {None: True, "none": True, "same-origin": True, "same-site": False, "cross-site": False, "": False}
"""What a browser says of where a request comes from, and whether that is from here or from nowhere."""
ASKS = [("http", "GET", "document"), ("http", "GET", "iframe"), ("http", "GET", None), ("http", "POST", "document"),
        ("websocket", None, None), ("websocket", None, "document")]  # fmt: skip
REFUSED = f"Next Hour answers only to pages of its own. Open http://127.0.0.1:{PORT} in a browser of this machine.\n"


def scope(kind: str, method: str | None, **headers: tuple[str, ...]) -> dict[str, Any]:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, values in headers.items() for value in values]
    return {"type": kind, "server": ("127.0.0.1", PORT), "headers": named, **({"method": method} if method else {})}


@pytest.mark.parametrize("hosts", HOSTS, ids=str)
def test_a_request_passes_if_all_its_headers_are_of_this_server(hosts: tuple[str, ...]) -> None:
    for origins, (site, (kind, method, into)) in product(ORIGINS, product(SITES, ASKS)):
        here = hosts[0] if hosts else f"127.0.0.1:{PORT}"
        asked = scope(
            kind, method, host=hosts, origin=tuple(one.format(host=here) for one in origins),
            sec_fetch_site=() if site is None else (site,), sec_fetch_dest=() if into is None else (into,),
        )  # fmt: skip
        follows_a_link = (kind, method, into) == ("http", "GET", "document")
        expected = HOSTS[hosts] and ORIGINS[origins] and (SITES[site] or follows_a_link)
        assert is_from_own_page(asked) == expected, asked


def test_another_name_of_this_machine_is_another_site() -> None:
    asked = scope("http", "POST", host=(f"localhost:{PORT}",), origin=(f"http://127.0.0.1:{PORT}",))
    assert not is_from_own_page(asked)


def test_the_usual_port_of_the_web_need_not_be_said() -> None:
    asked = scope("http", "GET", host=("localhost",))
    assert is_from_own_page({**asked, "server": ("127.0.0.1", 80)})
    assert not is_from_own_page(asked)


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """Run it in a thread of its own: where a browser is driven, a loop runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def through_the_door(asked: dict[str, Any]) -> tuple[list[str], list[dict[str, Any]]]:
    """The kinds of requests that reached what is behind the door, and what was sent back."""
    reached, sent = list[str](), list[dict[str, Any]]()

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["type"])

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    run_async(OwnPagesOnly(behind)(asked, receive, send))
    return reached, sent


def test_what_is_refused_is_told_in_a_sentence_and_gets_no_further() -> None:
    reached, sent = through_the_door(scope("http", "GET", host=("evil.example",)))
    assert reached == []
    assert [message.get("status") for message in sent] == [403, None]
    assert sent[1]["body"].decode() == REFUSED
    reached, sent = through_the_door(scope("websocket", None, host=("evil.example",)))
    assert reached == []
    assert [(message["type"], message["code"]) for message in sent] == [("websocket.close", 1008)]


def test_what_is_not_refused_passes() -> None:
    for kind in ("http", "websocket"):
        assert through_the_door(scope(kind, "GET", host=(f"localhost:{PORT}",))) == ([kind], [])
    assert through_the_door({"type": "lifespan"}) == (["lifespan"], [])


def test_streamlit_still_has_the_option_not_to_collect_garbage_after_a_rerun() -> None:
    """Streamlit does not tell of it, and would ignore it in silence if it were gone."""
    asked = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert asked["runner"] == {"postScriptGC": False}
    assert "runner.postScriptGC" in config.get_config_options()


POOLS_OF_TWENTY_THREADS = """
import ctypes, sys, threading
from nexthour.app.server import limit_memory_pools
if not limit_memory_pools():
    sys.exit("none")
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fdopen.restype = ctypes.c_void_p
together, stop = threading.Barrier(21), threading.Event()
def take():
    together.wait()
    libc.malloc(1000)
    together.wait()
    stop.wait()
threads = [threading.Thread(target=take) for _ in range(20)]
for thread in threads: thread.start()
together.wait()
together.wait()
libc.malloc_info(0, ctypes.c_void_p(libc.fdopen(1, b"w")))
libc.fflush(None)
stop.set()
"""


def test_visitors_threads_take_memory_from_few_pools() -> None:
    done = subprocess.run(
        [sys.executable, "-c", POOLS_OF_TWENTY_THREADS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.stderr == "none\n":
        pytest.skip("this C library has no such pools")
    assert 0 < done.stdout.count("<heap nr=") <= POOLS, done


@pytest.mark.parametrize("family, host", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_small_messages_go_out_at_once(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as server, socket.socket(family, socket.SOCK_STREAM) as client:
        try:
            server.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        send_at_once()  # the server has its socket before it listens
        server.listen()
        client.connect(server.getsockname())
        connection, _ = server.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


class Watched(NamedTuple):
    """A server, and the file in which it writes down what tests/nexthour/app/watched_server.py says."""

    address: str
    notes: Path

    def told(self, *events: str) -> list[list[Any]]:
        """What was written down of some events."""
        lines = map(json.loads, self.notes.read_text(encoding="utf-8").splitlines())
        return [about for event, *about in lines if event in events]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("server")
    notes = folder / "notes.txt"
    with served(folder / "library", folder / "log.txt", (watched_server.__name__, str(notes))) as found:
        yield Watched(found, notes)


@pytest.fixture(scope="module")
def address(watched: Watched) -> str:
    return watched.address


def fetched(address: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(address, headers={name.replace("_", "-"): text for name, text in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, {name.lower(): text for name, text in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, {}, refusal.read()


async def open_stream(address: str, origin: str) -> None:
    """Open the stream of a visit, as a page of this origin would, and close it."""
    async with connect(address.replace("http", "ws") + "/_stcore/stream", origin=Origin(origin)):
        pass


def test_the_front_end_comes_packed_to_who_can_unpack_it(address: str) -> None:
    _, _, start = fetched(address)
    (script,) = re.findall(r'src="\./(static/js/index\.[^"]+\.js)"', start.decode())
    _, plain_headers, plain = fetched(f"{address}/{script}")
    _, headers, packed = fetched(f"{address}/{script}", Accept_Encoding="gzip")
    assert "content-encoding" not in plain_headers
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 2


def test_a_page_of_another_site_gets_nothing(address: str) -> None:
    port = address.rpartition(":")[2]
    assert fetched(f"{address}/_stcore/health")[0] == 200
    for headers in ({"Host": f"evil.example:{port}"}, {"Origin": "http://evil.example"}, {"Origin": "http://127.0.0.1:1"},
                    {"Sec_Fetch_Site": "cross-site"}):  # fmt: skip
        status, _, said = fetched(f"{address}/_stcore/health", **headers)
        assert (status, said.decode()) == (403, REFUSED.replace(str(PORT), port)), headers

    run_async(open_stream(address, address))
    for origin in ("http://evil.example", "http://127.0.0.1:1", address.replace("127.0.0.1", "localhost"), "null"):
        with pytest.raises(InvalidStatus, match="403"):
            run_async(open_stream(address, origin))


def test_a_rerun_collects_no_garbage(watched: Watched) -> None:
    async def look() -> None:
        async with Visitor(watched.address, "method") as visitor:
            for _ in range(3):
                await visitor.ask()
                await visitor.done()
            assert not visitor.problems

    run_async(look())
    assert [thread for (thread,) in watched.told("collection") if "script" in thread] == []


class Sockets:
    """Looks again and again what a server and its processes are connected to."""

    def __init__(self, server: psutil.Process) -> None:
        self.server = server
        self.remote = set[str]()
        """the addresses at the other end"""
        self.looks, self.processes = 0, set[int]()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Sockets:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.005):
            for process in (self.server, *self.server.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    self.remote |= {one.raddr.ip for one in process.net_connections("inet") if one.raddr}
                    self.processes.add(process.pid)
            self.looks += 1


async def use_all(address: str, server: psutil.Process) -> None:
    """Open every page, come from elsewhere, and have a plan searched, in a process of its own."""
    for name in page_names():
        async with Visitor(address, page_address(name)) as visitor:
            await visitor.ask()
            await visitor.done()
            assert not visitor.problems
    port = address.rpartition(":")[2]
    for headers in (
        {"Host": f"evil.example:{port}"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost"},
    ):
        assert fetched(f"{address}/_stcore/health", **headers)[0] == 403
    with pytest.raises(InvalidStatus):
        await open_stream(address, "http://evil.example")
    async with Visitor(address, "find-plan") as visitor:
        await visitor.ask()
        await visitor.done()
        before = set(server.children(recursive=True))
        await visitor.ask(press="Find the plan")
        await visitor.done()
        async with asyncio.timeout(60):
            while set(server.children(recursive=True)) <= before:
                await asyncio.sleep(0.05)
        await asyncio.sleep(2)


def is_this_machine(host: str | None) -> bool:
    """Whether an address is of this machine; a name but localhost would have to be asked for."""
    try:
        return host in (None, "", "localhost") or ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def test_the_server_speaks_to_nobody_but_this_machine(watched: Watched) -> None:
    server = server_process(watched.address)
    with Sockets(server) as sockets:
        run_async(use_all(watched.address, server))
    assert sockets.looks > 10 and len(sockets.processes) > 1
    assert sockets.remote, "not even the visitors were seen"
    assert {ip for ip in sockets.remote if not is_this_machine(ip)} == set()
    for _, where in watched.told("socket.connect", "socket.sendto", "socket.sendmsg"):
        assert not isinstance(where, list) or is_this_machine(where[0]), where  # a text is a socket that is a file
    for host, *_ in watched.told("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        assert is_this_machine(host), host
    assert watched.told("urllib.Request") == []


RERUNS, WARM_RERUNS, GROWS_MB = 10_000, 1_000, 40
"""What is allowed is 4 kB a rerun: less than one message of the ten that a page is made of."""


@pytest.mark.long
def test_memory_stays_flat_over_ten_thousand_reruns(tmp_path: Path) -> None:
    async def rerun() -> tuple[float, float]:
        async with Visitor(address, "import") as visitor:
            await visitor.ask()
            await visitor.done()
            for count in range(RERUNS):
                if count == WARM_RERUNS:
                    warm = memory_mb(server)
                await visitor.ask()
                await visitor.done()
            assert not visitor.problems
            return warm, memory_mb(server)

    with served(tmp_path / "library", tmp_path / "log.txt") as address:
        server = server_process(address)
        warm, end = run_async(rerun())
    print(f"memory: {warm:.0f} MB after {WARM_RERUNS} reruns, {end:.0f} MB after {RERUNS}")
    assert end - warm < GROWS_MB
