"""The app in a real browser.

Claims: every page opens, wide and narrow, light and dark, without an exception, a word in the console, a request that
leaves the machine, something wider than the screen, or a serious finding of axe; a slider moves picture and address,
and a reload and the back button bring them back; everything can be done by keyboard; files open again with the programs
they are for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Download, Page, expect

from nexthour.app import menu
from sim import Scenario, save_scenario
from tests.helpers import partner, segment, territory
from tests.nexthour.app.browser import THEMES, Visit, browser, chromium, served, visit

PAGES = menu.page_names()
SERIOUS = ("serious", "critical")


def small() -> Scenario:
    """What is searched and priced in seconds."""
    return territory(
        name="small",
        market_map=[segment("large", opportunities_per_quarter=9), segment("little", opportunities_per_quarter=20)],
        partners=[
            partner("Pine", label="believer", base_share={"large": 0.4, "little": 0.3}),
            partner("Thorn", label="deceiver", base_share={"little": 0.3}),
        ],
        horizon_quarters=4,
    )


def like_addresses() -> Scenario:
    """Whose names a browser could follow."""
    site, other = "http://evil.example/x", "www.evil.example"
    return territory(
        name="me@evil.example",
        question="Is [this](http://evil.example) at www.evil.example or evil.example?",
        market_map=[segment(site, opportunities_per_quarter=9), segment(other, opportunities_per_quarter=20)],
        partners=[
            partner("you@evil.example", label="believer", base_share={site: 0.4, other: 0.3}),
            partner("ftp://evil.example", label="deceiver", base_share={other: 0.3}),
        ],
        horizon_quarters=4,
    )


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    chromium()
    folder = tmp_path_factory.mktemp("app")
    (folder / "library" / "scenarios").mkdir(parents=True)
    save_scenario(small(), folder / "library" / "scenarios" / "small.yaml")
    save_scenario(like_addresses(), folder / "library" / "scenarios" / "like-addresses.yaml")
    with served(folder / "library", folder / "log.txt") as address:
        yield address


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    with browser() as chrome:
        yield chrome


NOTHING = {"null", "undefined", "NaN"}
"""What Vega writes where a row has no such field."""


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_keeps_to_what_every_page_must(page: str, narrow: bool, address: str, chrome: Browser) -> None:
    with visit(chrome, address, narrow) as seen:
        seen.go(menu.page_address(page))
        wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not seen.page.evaluate(wider), "something is wider than the screen"
        drawn = set(seen.page.locator("[data-testid=stVegaLiteChart] svg text").all_text_contents())
        assert not drawn & NOTHING, "a picture says that something is not there"
        nothing_serious(seen, f"{page}-{'narrow' if narrow else 'wide'}")


@pytest.mark.long
def test_names_that_look_like_addresses_become_no_links(address: str, chrome: Browser) -> None:
    sections = ("map", "gaps", "partners", "indicators", "together")
    places = ["lab", "lab?with=you@evil.example&focus=chosen", "compare", "find-plan", "import?part=library", ""]
    with visit(chrome, address) as seen:
        for place in (*places, *(f"territory?section={section}" for section in sections)):
            seen.go(f"{place}{'&' if '?' in place else '?'}scenario=like-addresses")
            assert "evil.example" in seen.page.inner_text("body").replace("\u2060", ""), place
            links = seen.page.locator("a").evaluate_all("links => links.map(link => link.href)")
            assert [link for link in links if not link.startswith(address)] == [], place


def serious(page: Page) -> list[str]:
    """What axe finds on a page."""
    return [
        f"{violation['id']}: {violation['help']} ({node['html'][:200]})"
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


BEHIND = {
    "territory": [
        ("territory?scenario=small&section=map", [], ""),
        ("territory?scenario=small&section=gaps", [], "Keep a remedy as a plan"),
        ("territory?scenario=small&section=partners", [], ""),
        ("territory?scenario=small&section=indicators", [], ""),
        ("territory?section=together&territories=hero-seller", [], ""),
    ],
    "import": [
        ("import?part=partners", ["Try it with a made-up table"], "Save as a scenario"),
        ("import?part=judgement", ["Try it with a made-up table"], "Save as a scenario"),
        ("import?part=library&scenario=small", [], ""),
    ],
    "method": [
        *((f"method?part={part}", [], "") for part in ("equations", "limits", "glossary", "sources", "version")),
        ("method?part=claims", ["Measure them now, with seed 7"], "claims hold."),
    ],
    "lab": [("lab?scenario=small&turns=yes", [], "Verdict turns"), ("lab?plan=status quo", [], "")],
    "find a plan": [
        ("find-plan?scenario=small", ["Find the plan"], "Look at"),
        *((f"find-plan?scenario=small&show={part}", [], "Look at") for part in ("good", "why", "years", "monday")),
    ],
}
"""What is behind a control of a page: addresses, the buttons that are pressed there, and what shows that it is done."""


@pytest.mark.long
@pytest.mark.parametrize("place", BEHIND)
def test_what_is_behind_a_control_has_no_serious_finding(place: str, address: str, chrome: Browser) -> None:
    with visit(chrome, address) as seen:
        for where, buttons, done in BEHIND[place]:
            seen.go(where)
            for button in buttons:
                if (by_role := seen.page.get_by_role("button", name=button)).count():  # a plan that was found is there
                    by_role.click()
                    seen.done()
            if done:
                expect(seen.page.get_by_text(done).first).to_be_attached()
                seen.done()
            open_all(seen)
            nothing_serious(seen, f"behind-{where.replace('?', '-').replace('&', '-')}")


def open_all(seen: Visit) -> None:
    """Everything that is folded away."""
    while (closed := seen.page.locator("[data-testid=stMain] details:not([open]) > summary")).count():
        closed.first.click()


def nothing_serious(seen: Visit, name: str) -> None:
    """Axe has nothing serious to say of the page in either theme; both are kept as pictures."""
    for theme in THEMES:
        seen.theme(theme)
        seen.picture(f"{name}-{theme}")
        assert serious(seen.page) == [], theme


def verdict(page: Page) -> str:
    """The sentence that matters."""
    return page.locator(".nh-said").first.inner_text()


def slider(page: Page, label: str) -> str:
    return page.locator(f"[data-testid=stSlider]:has-text('{label}') [data-testid=stSliderThumbValue]").inner_text()


def test_a_slider_moves_the_answer_and_the_address_and_a_reload_keeps_both(address: str, chrome: Browser) -> None:
    with visit(chrome, address) as seen:
        seen.go("lab?share=30")
        before = verdict(seen.page)
        thumb = seen.page.get_by_role("slider").first
        thumb.focus()
        thumb.press("ArrowRight")
        expect(seen.page).to_have_url(re.compile("share=31"))
        seen.done()
        after = verdict(seen.page)
        assert after.startswith("31% with Believers") and before.startswith("30% with Believers")
        seen.page.reload()
        seen.done()
        assert verdict(seen.page) == after
        assert slider(seen.page, "Time with partners") == "31%"
        seen.page.go_back()
        expect(seen.page.locator("[data-testid=stSliderThumbValue]").first).to_have_text("30%")


def test_a_page_that_is_left_comes_back_as_it_was(address: str, chrome: Browser) -> None:
    with visit(chrome, address) as seen:
        seen.go("lab?share=44&scenario=lunch-trap")
        seen.page.get_by_role("link", name="Compare", exact=True).click()
        expect(seen.page.get_by_role("heading", name="Compare")).to_be_visible()
        seen.done()
        assert "scenario=lunch-trap" in seen.page.evaluate("location.search")
        seen.page.get_by_role("link", name="Lab", exact=True).click()
        expect(seen.page.get_by_role("heading", name="Lab")).to_be_visible()
        seen.done()
        assert slider(seen.page, "Time with partners") == "44%"


@pytest.mark.parametrize(
    "seed", [pytest.param(7, id="usual seed"), pytest.param(12, id="another seed", marks=pytest.mark.long)]
)
def test_the_back_button_leads_back_from_every_page(seed: int, address: str, chrome: Browser) -> None:
    titles = [title for section in menu.MENU.values() for title in section.values() if title != "Start"]
    with visit(chrome, address) as seen:
        seen.go(f"?seed={seed}")
        for title in [*titles, *titles[:1], "Test a coverage strategy", "Show a team the long game"]:
            seen.page.get_by_role("link", name=title, exact=True).click()
            expect(seen.page.get_by_role("heading", name="Where should")).to_be_hidden()
            seen.done()
            assert seed == 7 or "seed=12" in seen.page.url
            seen.page.go_back()
            expect(seen.page.get_by_role("heading", name="Where should")).to_be_visible()
            seen.done()


def test_the_back_button_leads_from_what_happened_to_the_prediction(address: str, chrome: Browser) -> None:
    with visit(chrome, address) as seen:
        seen.go("long-game?story=rising-quota")
        seen.page.get_by_text("20% with Believers", exact=True).click()
        expect(seen.page).to_have_url(re.compile("best="))
        seen.done()
        seen.page.get_by_role("slider").press("ArrowRight")
        expect(seen.page).to_have_url(re.compile("by=1$"))
        seen.done()
        seen.page.get_by_role("button", name="Show what happened").click()
        expect(seen.page.get_by_text("you said +1%")).to_be_visible()
        seen.done()
        seen.page.go_back()
        expect(seen.page.get_by_text("you said +1%")).to_be_hidden()
        seen.done()
        assert slider(seen.page, "By how much") == "1%"


def test_from_start_to_a_slide_by_keyboard_alone(address: str, chrome: Browser) -> None:
    with visit(chrome, address) as seen:
        seen.go("")
        press_until(seen, "Compare time splits")
        expect(seen.page.get_by_role("heading", name="Lab")).to_be_visible()
        seen.done()
        press_until(seen, "Compare it with other plans")
        expect(seen.page.get_by_role("heading", name="Compare")).to_be_visible()
        seen.done()
        with seen.page.expect_download() as got:
            press_until(seen, "One slide (PowerPoint)")
        assert got.value.suggested_filename.endswith(".pptx")


def press_until(seen: Visit, label: str, most: int = 120) -> None:
    """Go on with Tab until something with this label has the focus, and press Enter."""
    for _ in range(most):
        seen.page.keyboard.press("Tab")
        if seen.page.evaluate("(document.activeElement.innerText || '').trim()") == label:
            seen.page.keyboard.press("Enter")
            return
    raise AssertionError(f"Tab does not come to {label!r}")


def saved(download: Download, folder: Path) -> BytesIO:
    path = folder / download.suggested_filename
    download.save_as(path)
    return BytesIO(path.read_bytes())


def test_files_open_again(address: str, chrome: Browser, tmp_path: Path) -> None:
    from openpyxl import load_workbook
    from pptx import Presentation

    with visit(chrome, address) as seen:
        seen.go("compare")
        shown = seen.text()
        files = {}
        for label in ("One slide (PowerPoint)", "Workbook (Excel)", "Picture (PNG)", "Plan (YAML)"):
            with seen.page.expect_download() as got:
                seen.page.get_by_role("button", name=label).click()
            files[label] = saved(got.value, tmp_path)
    book = load_workbook(files["Workbook (Excel)"], data_only=True)
    credit = next(row[1].value for row in book["Summary"].iter_rows(min_row=5) if row[0].value == "status quo")
    assert f"${credit / 1e6:,.2f}M" in shown
    slide = Presentation(files["One slide (PowerPoint)"]).slides[0]
    assert any(shape.has_chart for shape in slide.shapes)
    assert files["Picture (PNG)"].read(8) == b"\x89PNG\r\n\x1a\n"
    assert b"hours:" in files["Plan (YAML)"].read()


def test_it_listens_to_this_machine_only(address: str) -> None:
    import socket

    port = int(address.rpartition(":")[2])
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    for other in others:
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex((other, port)) != 0


@pytest.mark.long
def test_from_an_export_to_a_comparison(address: str, chrome: Browser) -> None:
    with visit(chrome, address) as seen:
        seen.go("import")
        seen.page.get_by_role("button", name="Try it with a made-up export").click()
        seen.page.get_by_role("button", name="Fit a scenario").click()
        expect(seen.page.get_by_role("button", name="Save")).to_be_visible()
        seen.done()
        rows = re.search(r"Rows read (\d+) = used (\d+) \+ not used (\d+)", seen.text())
        assert rows is not None
        read, used, rejected = map(int, rows.groups())
        assert read == used + rejected and used > 100
        open_all(seen)
        nothing_serious(seen, "import-fitted")
        seen.page.get_by_role("button", name="Save").click()
        expect(seen.page.get_by_text("Saved as")).to_be_visible()
        seen.page.get_by_role("link", name="Open it in the Lab").click()
        expect(seen.page.get_by_role("heading", name="Lab")).to_be_visible()
        seen.done()
        scenario_id = re.search(r"scenario=([\w-]+)", seen.page.evaluate("location.search"))
        assert scenario_id is not None
        seen.go(f"compare?scenario={scenario_id[1]}")
        assert "Plan A" in seen.text()


def test_a_slider_that_is_moved_fast_stays_where_the_hand_left_it(address: str, chrome: Browser) -> None:
    with visit(chrome, address) as seen:
        seen.go("lab?share=10")
        seen.page.get_by_role("slider").first.focus()
        for _ in range(20):
            seen.page.keyboard.press("ArrowRight")
            seen.page.wait_for_timeout(40)
        expect(seen.page).to_have_url(re.compile("share=30"))
        seen.done()
        assert verdict(seen.page).startswith("30% with Believers")
        assert slider(seen.page, "Time with partners") == "30%"


def test_on_a_phone_the_labs_answer_stands_above_its_controls_and_does_not_make_them_jump(
    address: str, chrome: Browser
) -> None:
    with visit(chrome, address, narrow=True) as seen:
        seen.go("lab?share=30")
        said, moved = (
            seen.page.locator(selector).first.bounding_box() for selector in (".nh-said", "[data-testid=stSlider]")
        )
        assert said is not None and moved is not None
        assert said["y"] + said["height"] < moved["y"] < moved["y"] + moved["height"] < 844
        seen.page.evaluate(
            """() => {
                window.seen = new Set();
                const look = () => {
                    const slider = document.querySelector('[data-testid=stSlider]').getBoundingClientRect();
                    window.seen.add(Math.round(slider.top));
                    requestAnimationFrame(look);
                };
                look();
            }"""
        )
        thumb = seen.page.get_by_role("slider").first
        thumb.focus()
        thumb.press("ArrowRight")
        expect(seen.page.locator(".nh-said").first).to_contain_text("31% with Believers")
        seen.done()
        assert min(seen.page.evaluate("[...window.seen]")) > said["y"] + 50  # a line more or less, but never none
