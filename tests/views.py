"""Pages without a browser: run one as Streamlit would, and look at what it shows."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from streamlit.testing.v1 import AppTest

PATIENCE_SECONDS = 120


def page(name: str, says: Mapping[str, Any] | None = None) -> AppTest:
    """A page of views/ as it is after a link that says this; several words of one parameter come as a list."""
    test = AppTest.from_string(f"from views import {name}\n{name}.show()", default_timeout=PATIENCE_SECONDS)
    for key, words in (says or {}).items():
        test.query_params[key] = words
    return test.run()


def texts(test: AppTest) -> str:
    """All that is said on a page, without markup."""
    blocks = [re.sub(r"<style>.*?</style>|<[^>]+>", " ", its.proto.body, flags=re.DOTALL) for its in test.get("html")]
    return "\n".join([*blocks, *(its.value for its in test.markdown)])


def wrong(test: AppTest) -> list[str]:
    """What the page says is wrong, warnings and errors; an exception of the page is a failure."""
    assert not test.exception, test.exception
    return [its.value.replace("\\", "") for its in (*test.warning, *test.error)]


def metrics(test: AppTest) -> dict[str, str]:
    """Numbers under their labels."""
    return {its.label.replace("\\", ""): its.value for its in test.metric}


def tables(test: AppTest) -> dict[str, list[list[str]]]:
    """Rows of cells by caption, heads first."""
    found = {}
    for block in test.get("html"):
        if "nh-table" in (body := block.proto.body) and (caption := re.search("<caption>(.*?)</caption>", body)):
            rows = re.findall("<tr>(.*?)</tr>", body)
            cells = [[html.unescape(its) for its in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]
            found[html.unescape(caption[1])] = cells
    return found


def pictures(test: AppTest) -> list[dict[str, Any]]:
    """The Vega-Lite specifications of the pictures."""
    return [json.loads(its.proto.spec) for its in test.get("vega_lite_chart") or test.get("arrow_vega_lite_chart")]
