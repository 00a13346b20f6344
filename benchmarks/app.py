"""How fast the app is, in a real browser on this machine: python -m benchmarks.app (make bench-app)

Each row is a goal of the app's and what was measured, best read on an idle machine: from the start of the server, from
opening a page, from the press of a key to the moment the picture changes. "Markets" are those shown at once, a hundred;
a thousand follow. The other visitor's row is measured while a plan search runs.

Left out: many visitors at once.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from playwright.sync_api import Browser
from rich.console import Console
from rich.table import Table

from tests.nexthour.app.browser import browser, served, visit

PRESSES = 60
CHANGED = """(patience) => new Promise((done, fail) => {
    const picture = () => document.querySelector('[data-testid=stVegaLiteChart] svg')?.outerHTML;
    const before = picture(), from = performance.now();
    const look = () => {
        const now = picture();
        if (now && now !== before) done(performance.now() - from);
        else if (performance.now() - from > patience) fail(new Error('the picture does not change'));
        else requestAnimationFrame(look);
    };
    look();
})"""
"""Milliseconds until the first picture on the page is another."""


class Row(NamedTuple):
    """One goal and what was measured against it."""

    what: str
    goal: str
    measured: str
    met: bool


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.app", description="How fast the app is.")
    parser.add_argument("--presses", type=int, default=PRESSES, help="presses of a key in each row")
    presses = parser.parse_args().presses
    rows: list[Row] = []
    with browser() as chrome, tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        with served(Path(folder) / "library", Path(folder) / "log.txt") as address:
            rows.append(_row("server healthy", 2.0, time.perf_counter() - begun))
            first, again = _until_picture(chrome, address)
            rows.append(_row("first picture, first visitor", 3.0, first))
            rows.append(_row("first picture, warm", 1.0, again))
            rows += _slider(chrome, address, presses, "slider to picture", 0.2, 0.4)
            rows += _files(chrome, address)
            rows += _beside_a_search(chrome, address, presses)
    table = Table("what", "goal", "measured", "")
    for row in rows:
        table.add_row(row.what, row.goal, row.measured, "met" if row.met else "NOT MET")
    Console(width=110).print(table)


def _row(what: str, goal_seconds: float, seconds: float) -> Row:
    return Row(what, f"<= {goal_seconds:g} s", f"{seconds:.2f} s", seconds <= goal_seconds)


def _until_picture(chrome: Browser, address: str) -> list[float]:
    """Seconds from opening the app to its first picture: of the first visitor, and when that one comes again."""
    took = []
    with visit(chrome, address) as seen:
        for _ in range(2):
            begun = time.perf_counter()
            seen.page.goto(address)
            seen.page.wait_for_selector("[data-testid=stVegaLiteChart] :is(svg, canvas)")
            took.append(time.perf_counter() - begun)
            seen.done()
            seen.page.goto("about:blank")
    return took


def _slider(chrome: Browser, address: str, presses: int, what: str, median: float, p95: float) -> list[Row]:
    """From the press of a key on a slider to another picture, each press when the page is quiet again."""
    with visit(chrome, address) as seen:
        seen.go("lab?share=1")
        seen.page.get_by_role("slider").first.focus()
        took = []
        for _ in range(presses):
            changed = seen.page.evaluate_handle(f"() => ({{promise: ({CHANGED})(20000)}})")
            seen.page.keyboard.press("ArrowRight")
            took.append(float(seen.page.evaluate("async (change) => await change.promise", changed)) / 1000)
            seen.done()
    at = np.percentile(took, [50, 95])
    return [
        Row(f"{what}, {name}", f"<= {1000 * goal:.0f} ms", f"{1000 * seconds:.0f} ms", bool(seconds <= goal))
        for name, goal, seconds in zip(("median", "p95"), (median, p95), at, strict=True)
    ]


def _files(chrome: Browser, address: str) -> list[Row]:
    rows = []
    with visit(chrome, address) as seen:
        seen.go("compare")
        for label in ("One slide (PowerPoint)", "Workbook (Excel)", "Picture (PNG)"):
            begun = time.perf_counter()
            with seen.page.expect_download():
                seen.page.get_by_role("button", name=label).click()
            rows.append(_row(f"file: {label}", 2.0, time.perf_counter() - begun))
    return rows


def _beside_a_search(chrome: Browser, address: str, presses: int) -> list[Row]:
    """One visitor's search runs while another moves a slider."""
    with visit(chrome, address) as searching:
        searching.go("find-plan")
        searching.page.get_by_role("button", name="Find the plan").click()
        searching.page.wait_for_timeout(3000)
        return _slider(chrome, address, presses, "slider while a plan is searched", 0.5, 0.5)


if __name__ == "__main__":
    main()
