"""How fast the app is, in a real browser on this machine: python -m benchmarks.app (make bench-app)

Each row is a goal of the app's and what was measured, best read on an idle machine: from the start of the server, from
opening a page, from the press of a key to the moment the picture changes. "Markets" are those shown at once, a hundred;
a thousand follow. The other visitor's row is measured while a plan search runs; many visitors at once are those of
visitors.py, at a server of their own. The last column is what was measured as a share of the goal: 1 and less is met.
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

from benchmarks import visitors
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
    """One goal and what was measured against it: at most so much."""

    what: str
    goal: float
    measured: float
    unit: str = "s"

    def cells(self) -> tuple[str, str, str, str, str]:
        """The row as it is printed."""
        share = f"{self.measured / self.goal:.2f}" if self.goal else ""
        met = "met" if self.measured <= self.goal else "NOT MET"
        return self.what, f"<= {self.goal:g} {self.unit}", f"{self.measured:.4g} {self.unit}", met, share


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.app", description="How fast the app is.")
    parser.add_argument("--presses", type=int, default=PRESSES, help="presses of a key in each row")
    parser.add_argument("--visitors", type=int, default=visitors.VISITORS, help="visitors at once; 0 leaves them out")
    parser.add_argument("--without-browser", action="store_true", help="measure only many visitors at once")
    asked = parser.parse_args()
    rows = [] if asked.without_browser else _in_a_browser(asked.presses)
    notes = []
    if asked.visitors:
        with tempfile.TemporaryDirectory() as folder, served(Path(folder, "library"), Path(folder, "log")) as address:
            waited = visitors.measure(address, asked.visitors)
        rows += [Row(*row) for row in waited.rows()]
        notes = waited.notes()
    table = Table("what", "goal", "measured", "", "of goal")
    for row in rows:
        table.add_row(*row.cells())
    console = Console(width=110)
    console.print(table)
    for note in notes:
        console.print(note)


def _in_a_browser(presses: int) -> list[Row]:
    rows: list[Row] = []
    with browser() as chrome, tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        with served(Path(folder) / "library", Path(folder) / "log.txt") as address:
            rows.append(Row("server healthy", 2.0, time.perf_counter() - begun))
            first, again = _until_picture(chrome, address)
            rows.append(Row("first picture, first visitor", 3.0, first))
            rows.append(Row("first picture, warm", 1.0, again))
            rows += _slider(chrome, address, presses, "slider to picture", 120, 200)
            rows += _files(chrome, address)
            rows += _beside_a_search(chrome, address, presses)
    return rows


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
        Row(f"{what}, {name}", goal, 1000 * float(seconds), "ms")
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
            rows.append(Row(f"file: {label}", 2.0, time.perf_counter() - begun))
    return rows


def _beside_a_search(chrome: Browser, address: str, presses: int) -> list[Row]:
    """One visitor's search runs while another moves a slider."""
    with visit(chrome, address) as searching:
        searching.go("find-plan")
        searching.page.get_by_role("button", name="Find the plan").click()
        searching.page.wait_for_timeout(3000)
        return _slider(chrome, address, presses, "slider while a plan is searched", 500, 500)


if __name__ == "__main__":
    main()
