"""The app in a real browser: a server and a Chromium of our own, and what every page must keep to.

Without Chromium the tests that need it are skipped and say so; with NEXTHOUR_BROWSER=required, as in CI, they fail.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args
from urllib.error import URLError

import psutil
import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests import ROOT

PICTURES = Path(os.environ.get("NEXTHOUR_SCREENSHOTS", ROOT / "build" / "screenshots"))
PATIENCE_MS = 90_000
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)
expect.set_options(timeout=PATIENCE_MS)
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run"]  # fmt: skip
PROBES = ("/_stcore/health", "/_stcore/host-config")
"""Streamlit's front end asks for these below a page's own address first, and is told 404."""


def chromium() -> str:
    """The path of Chromium; without one the test is skipped, or fails where a browser is required."""
    found = os.environ.get("NEXTHOUR_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    missing = "no chromium on this machine: install it (Debian: apt-get install chromium) or set NEXTHOUR_CHROMIUM"
    if os.environ.get("NEXTHOUR_BROWSER") == "required":
        pytest.fail(missing)
    pytest.skip(missing)


@contextmanager
def served(library: Path, log: Path, program: Sequence[str] = ("nexthour",)) -> Iterator[str]:
    """The app on a free port of this machine, with a library of its own; its address.

    `program` is a module that is run as the program, and words before the program's own.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "NEXTHOUR_LIBRARY": str(library)}
    words = [sys.executable, "-m", *program, "app", "--port", str(port), "--no-browser"]
    with log.open("wb") as out, subprocess.Popen(words, cwd=ROOT, env=environment, stdout=out, stderr=out) as server:
        try:
            _wait(f"http://127.0.0.1:{port}/_stcore/health", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the app does not answer at {address}")


def server_process(address: str) -> psutil.Process:
    """The server that this process began and that listens at an address."""
    port = int(address.rpartition(":")[2])
    for process in psutil.Process().children(recursive=True):
        if any(one.laddr.port == port for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN):
            return process
    raise RuntimeError(f"no server of this process listens at {address}")


def memory_mb(server: psutil.Process) -> float:
    """What a server and its processes hold in memory, in MB."""
    return sum(process.memory_info().rss for process in (server, *server.children(recursive=True))) / 1e6


@contextmanager
def browser() -> Iterator[Browser]:
    """A Chromium."""
    path = chromium()
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield chrome
        chrome.close()


@dataclass
class Visit:
    """A page that is looked at, and what went wrong meanwhile."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def go(self, where: str) -> None:
        """Open a page of the app and wait until it is done."""
        self.page.goto(f"{self.address}/{where}")
        self.done()

    def done(self) -> None:
        """Wait until the page is drawn and nothing runs any more."""
        self.page.wait_for_selector("h1", timeout=PATIENCE_MS)
        self.page.wait_for_timeout(300)
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=PATIENCE_MS)
        self.page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')", timeout=PATIENCE_MS)
        self.page.wait_for_timeout(300)

    def theme(self, theme: Theme) -> None:
        """What the machine of the visitor prefers from now on. The page follows at once, text in pictures when it is
        drawn again, as by the key R.
        """
        self.page.emulate_media(color_scheme=theme)
        self.page.evaluate("document.activeElement.blur()")
        self.page.keyboard.press("r")
        self.done()

    def picture(self, name: str) -> None:
        """A screenshot of the whole page, kept as output of the tests."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        height = self.page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        size = self.page.viewport_size
        assert size is not None
        self.page.set_viewport_size({"width": size["width"], "height": min(int(height) + 20, 6000)})
        self.page.wait_for_timeout(500)
        self.page.screenshot(path=PICTURES / f"{name}.png")
        self.page.set_viewport_size(size)

    def text(self) -> str:
        """All that is written on the page."""
        return self.page.inner_text("[data-testid=stMain]")


@contextmanager
def visit(chrome: Browser, address: str, narrow: bool = False) -> Iterator[Visit]:
    """A visitor. It must not see an exception, a complaint in the console, or a request that leaves the machine."""
    context = chrome.new_context(viewport=NARROW if narrow else WIDE, color_scheme="light", accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    seen = Visit(page, address)

    def asked(request: Request) -> None:
        if not request.url.startswith((address, address.replace("http", "ws"), "data:", "blob:")):
            seen.complaints.append(f"a request left the machine: {request.url}")

    def answered(status: int, url: str) -> None:
        if status >= 400 and not url.endswith(PROBES):
            seen.complaints.append(f"{status}: {url}")

    page.on("request", asked)
    page.on("response", lambda response: answered(response.status, response.url))
    page.on("pageerror", lambda problem: seen.complaints.append(f"page error: {problem}"))
    page.on("console", lambda said: seen.complaints.append(f"{said.type}: {said.text}")
            if said.type in ("error", "warning") and "404 (Not Found)" not in said.text else None)  # fmt: skip
    yield seen
    assert page.locator("[data-testid=stException]").count() == 0, page.inner_text("body")
    context.close()
    assert not seen.complaints, "\n".join(seen.complaints)
