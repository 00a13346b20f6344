"""Pages without a browser: run one as Streamlit would, and look at what it shows."""

from __future__ import annotations

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
    html = [re.sub(r"<style>.*?</style>|<[^>]+>", " ", its.proto.body, flags=re.DOTALL) for its in test.get("html")]
    return "\n".join([*html, *(its.value for its in test.markdown)])


def wrong(test: AppTest) -> list[str]:
    """What the page says is wrong, warnings and errors; an exception of the page is a failure."""
    assert not test.exception, test.exception
    return [its.value.replace("\\", "") for its in (*test.warning, *test.error)]


def metrics(test: AppTest) -> dict[str, str]:
    """Numbers under their labels."""
    return {its.label.replace("\\", ""): its.value for its in test.metric}
