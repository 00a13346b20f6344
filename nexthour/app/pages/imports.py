"""Import: from a company's own data and judgement to a scenario, and the scenarios there are.

Each section has a file of its own (import_deals.py and its neighbours, scenario_library.py). Left out: calendars and
recruiting funnels, which the terminal reads (nexthour hours, nexthour recruiting).
"""

from collections.abc import Sequence
from importlib import import_module

from nexthour.app.controls import choose_part
from nexthour.app.page import PageContext, caption, draw_page
from nexthour.app.state import url_state
from nexthour.app.state.url_state import Field

PAGE = "imports"
PART = "part"
PARTS = {
    "deals": ("Deals from a CRM", "import_deals"),
    "partners": ("Partners", "import_partners"),
    "judgement": ("Judgement", "import_judgement"),
    "library": ("Scenario library", "scenario_library"),
}
"""The title of each section by its word in the address, and its module, whose `draw` draws it after its
`INTRODUCTION`."""


def show() -> None:
    """Draw the page."""
    draw_page(PAGE, "Import", _page, _fields)


def _fields(context: PageContext) -> Sequence[Field]:
    return [url_state.choice(PART, list(PARTS), next(iter(PARTS)))]


def _page(context: PageContext) -> None:
    part = choose_part("What to bring in", {word: title for word, (title, _) in PARTS.items()}, PART)
    section = import_module(f"nexthour.app.sections.{PARTS[part][1]}")
    caption(f"{section.INTRODUCTION} Nothing leaves this machine.")
    section.draw(context)
