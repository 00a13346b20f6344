"""What a visitor's session holds.

Claims: visitors of one server have visits of their own and share its jobs, and no worker starts before somebody asks
for work; a visit is made once and goes along from page to page; jobs that are handed in are those that are used.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from nexthour.app.state import visit
from tests.nexthour.app.pages import AtOnce, held, page

SCRIPT = "from nexthour.app.pages import method\nmethod.show()"


@pytest.fixture(autouse=True)
def own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTHOUR_LIBRARY", str(tmp_path))


def test_visitors_share_the_jobs_of_their_server_and_nothing_else() -> None:
    one, two = (AppTest.from_string(SCRIPT, default_timeout=60).run() for _ in range(2))
    assert held(one) is not held(two) and held(one).jobs is held(two).jobs is visit.server_jobs()
    assert visit.server_jobs()._worker is None
    one.button_group(key="part").set_value("glossary").run()
    assert held(one).kept == {"method": {"part": ["glossary"]}} != held(two).kept


def test_a_visit_is_made_once_and_has_the_jobs_that_are_handed_in() -> None:
    jobs = AtOnce()
    test = page("method", {"part": "claims"}, jobs)
    before = held(test)
    test.run()
    assert held(test) is before and before.jobs is jobs and before.page == "method"
