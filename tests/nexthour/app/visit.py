"""Pages without a browser: run one as Streamlit would, and look at what it shows."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from nexthour import jobs
from nexthour.jobs import Search, State
from nexthour.jobs.queue import _given, _key
from nexthour.jobs.worker import WORK, Job
from sim import Scenario

PATIENCE_SECONDS = 120


def page(name: str, says: Mapping[str, Any] | None = None) -> AppTest:
    """A page of views/ as it is after a link that says this; several words of one parameter come as a list."""
    test = AppTest.from_string(
        f"from nexthour.app.pages import {name}\n{name}.show()", default_timeout=PATIENCE_SECONDS
    )
    for key, words in (says or {}).items():
        test.query_params[key] = words
    return test.run()


def texts(test: AppTest) -> str:
    """All that is said on a page, without markup."""
    blocks = [
        re.sub(r"<style>.*?</style>|<[^>]+>", " ", block.proto.body, flags=re.DOTALL) for block in test.get("html")
    ]
    return "\n".join([*blocks, *(markdown.value for markdown in test.markdown)])


def wrong(test: AppTest) -> list[str]:
    """What the page says is wrong, warnings and errors; an exception of the page is a failure."""
    assert not test.exception, test.exception
    return [message.value.replace("\\", "") for message in (*test.warning, *test.error)]


def metrics(test: AppTest) -> dict[str, str]:
    """Numbers under their labels."""
    return {metric.label.replace("\\", ""): metric.value for metric in test.metric}


def labels(test: AppTest) -> list[str]:
    """Of the buttons."""
    return [button.label for button in test.button]


def press(test: AppTest, label: str) -> AppTest:
    """Press the first button with this label."""
    return next(button for button in test.button if button.label == label).click().run()


def work(job: Job) -> Any:
    """Do it, as the worker of the searches would."""
    return WORK[job.kind](job, {}, lambda said: None)


class AtOnce:
    """Searches that are done here, as soon as they are asked for, or stay in another `state`; and what was asked.

    tests/nexthour/jobs/test_jobs.py has the real ones.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, made: Callable[[Job], Any] = work) -> None:
        self.made, self.asked = made, list[tuple[str, dict[str, Any]]]()
        self.by_key: dict[str, Search] = {}
        self.state: State = "done"
        self.problem = ""
        for name in ("start", "known", "find"):
            monkeypatch.setattr(jobs, name, getattr(self, name))

    def start(self, kind: Any, scenario: Scenario, seed: int = 7, *, who: str = "", **arguments: Any) -> Search:
        """As that of the searches; one that was cancelled or failed is begun anew."""
        key = _key(kind, scenario, seed, _given(arguments))
        search = self.by_key.get(key)
        if search is None or search.state in ("failed", "cancelled"):
            job = Job(kind, scenario, seed, _given(arguments), "")
            self.asked.append((kind, _given(arguments)))
            search = self.by_key[key] = Search(key, job, jobs._of_this_server)
            search.begin()
            if self.state != "running":
                search.end(self.state, self.made(job) if self.state == "done" else None, self.problem)
        search.join(who)
        return search

    def known(self, kind: Any, scenario: Scenario, seed: int = 7, **arguments: Any) -> Search | None:
        """As that of the searches."""
        return self.by_key.get(_key(kind, scenario, seed, _given(arguments)))

    def find(self, key: str) -> Search | None:
        """As that of the searches."""
        return self.by_key.get(key)


def tables(test: AppTest) -> dict[str, list[list[str]]]:
    """Rows of cells by caption, heads first."""
    found = {}
    for block in test.get("html"):
        if "nh-table" in (body := block.proto.body) and (caption := re.search("<caption>(.*?)</caption>", body)):
            rows = re.findall("<tr>(.*?)</tr>", body, re.DOTALL)
            texts_of = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>", re.DOTALL)
            cells = [[html.unescape(cell).replace("\n", " ") for cell in texts_of.findall(row)] for row in rows]
            found[html.unescape(caption[1])] = cells
    return found


def pictures(test: AppTest) -> list[dict[str, Any]]:
    """The Vega-Lite specifications of the pictures."""
    return [json.loads(chart.proto.spec) for chart in test.get("vega_lite_chart") or test.get("arrow_vega_lite_chart")]
