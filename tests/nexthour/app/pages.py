"""Pages without a browser: run one as Streamlit would, and look at what it shows."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pyarrow import ipc
from streamlit.testing.v1 import AppTest

from nexthour.app.state import visit
from nexthour.app.state.visit import Visit
from nexthour.jobs import Job, Jobs, State
from nexthour.jobs.worker import WORK, Task
from sim.progress import silent

PATIENCE_SECONDS = 120


def page(name: str, says: Mapping[str, Any] | None = None, jobs: Jobs | None = None) -> AppTest:
    """A page as it is after a link that says this; several words of one parameter come as a list.

    Without `jobs` the visitor has some of its own, done at once.
    """
    test = AppTest.from_string(
        f"from nexthour.app.pages import {name}\n{name}.show()", default_timeout=PATIENCE_SECONDS
    )
    for key, words in (says or {}).items():
        test.query_params[key] = words
    test.session_state[visit.KEY] = Visit(AtOnce() if jobs is None else jobs)
    return test.run()


def held(test: AppTest) -> Visit:
    """The visit of the session."""
    found: Visit = test.session_state[visit.KEY]
    return found


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


class AtOnce(Jobs):
    """Jobs that are done here, as soon as they are asked for, or stay in another `state`; and what was asked.

    tests/nexthour/jobs/test_jobs.py has the real ones.
    """

    def __init__(self, make: Callable[[Task], Any] | None = None) -> None:
        super().__init__()
        self.make = make or (lambda task: WORK[task.kind](task, {}, silent))
        self.asked = list[tuple[str, dict[str, Any]]]()
        self.made = list[Job]()
        self.state: State = "done"
        self.problem = ""

    def _queue(self, job: Job) -> None:
        self.asked.append((job.kind, dict(job.task.arguments)))
        self.made.append(job)
        job.begin()
        if self.state != "running":
            job.end(self.state, self.make(job.task) if self.state == "done" else None, self.problem)


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
    """The Vega-Lite specifications of the pictures, their rows put back into them."""
    found = []
    for chart in test.get("vega_lite_chart") or test.get("arrow_vega_lite_chart"):
        rows = {one.name: ipc.open_stream(one.data.data).read_all().to_pylist() for one in chart.proto.datasets}

        def put_back(part: dict[str, Any], rows: dict[str, Any] = rows) -> dict[str, Any]:
            name = part.get("data", {}).get("name")
            return part if name is None else {**part, "data": {"values": rows[name]}}

        found.append(json.loads(chart.proto.spec, object_hook=put_back))
    return found
