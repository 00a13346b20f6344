"""The page Method, without a browser.

Claims: every section opens, by a link too; what is shown of the documents is what stands in them, with nothing that
Streamlit would take for mathematics or a broken link; the claims on screen are those of sim.claims for the seed of the
page, each with its figure, its interval and its verdict.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from nexthour import version
from nexthour.app.pages import method
from nexthour.app.state import cache, documents
from optimize import Effort
from sim import load_scenario
from sim.claims.claims import CLAIMS, Finding, Measurements, Territories
from sim.study.estimates import Estimate
from tests.nexthour.app.pages import page, press, tables, texts, wrong

SCENARIOS = Path("scenarios")
MARKETS = 6
"""Few: what is tested is what is shown of them."""


@pytest.fixture(autouse=True)
def own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTHOUR_LIBRARY", str(tmp_path))
    monkeypatch.setattr(cache, "EFFORT", Effort(claim_markets=MARKETS))


@pytest.fixture(scope="module", autouse=True)
def no_caches_left() -> Any:
    yield
    st.cache_resource.clear()


def opened(part: str, **says: Any) -> AppTest:
    return page("method", {"part": part, **says})


@pytest.mark.parametrize("part", method.PARTS)
def test_a_section_opens_by_a_link(part: str) -> None:
    test = opened(part)
    assert wrong(test) == [] and test.session_state[method.PART] == part


def test_a_bad_link_is_one_sentence() -> None:
    test = opened("glosary")
    assert wrong(test) == ["The link says part is 'glosary'; did you mean glossary?"]
    assert test.session_state[method.PART] == "short"


def test_the_documents_are_shown_whole() -> None:
    model = Path(method.MODEL).read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", model, re.MULTILINE)
    assert list(documents.document_sections(method.MODEL)) == ["", *headings]
    shown = [texts(opened(part)) for part in ("short", "equations", "limits", "sources")]
    expanders = [expander.label for expander in opened("equations").expander]
    for heading in headings:
        text = documents.document_sections(method.MODEL)[heading]
        assert any(text in page_text for page_text in shown), f"{heading} is shown nowhere"
    assert "Stocks: skill and engagement" in expanders
    shown = texts(opened("glossary"))
    assert all(text in shown for text in documents.document_sections(method.GLOSSARY).values())


def test_nothing_is_taken_for_mathematics_or_a_file() -> None:
    for name in (method.MODEL, method.GLOSSARY, method.README):
        for text in documents.document_sections(name).values():
            prose = documents.CODE.sub("", text)
            assert not re.search(r"(?<!\\)[$~]", prose), prose
            assert not re.search(r"\]\((?!https?:)", prose), prose
    assert r"(\$301M against \$351M)" in documents.document_sections(method.MODEL)[method.SOURCES]
    assert documents._for_screen("a `$b` [c](d.md#e) ~f\n\n    g = $h ~ [i](j.md)\n") == (
        "a `$b` c \\~f\n\n    g = $h ~ [i](j.md)"
    )
    # Code stays as it stands, or equations would be changed.
    model = Path(method.MODEL).read_text(encoding="utf-8")
    assert "\n".join(documents.document_sections(method.MODEL).values()).count("\n    ") == model.count("\n    ")


def test_in_short_is_in_plain_words() -> None:
    said = texts(opened("short"))
    assert "How sure" not in said and "plausible worlds" in said and "market map" in said
    assert not re.findall(r"`|\w_\w|\.(?:py|md|yaml)\b", said), "words of the code"


def test_the_glossary_has_the_words_of_the_field() -> None:
    text = documents.document_sections(method.GLOSSARY)[""]
    for word in (
        "bookings", "attainment", "quota credit", "pipeline coverage", "partner-sourced", "rules of engagement",
        "Maintain, Develop, Limit", "market", "world",
    ):  # fmt: skip
        assert f"\n| {word} |" in text, word
    words = [line.split("|")[1].strip().lower() for line in text.splitlines() if line.startswith("| ")][1:]
    assert words == sorted(words, key=lambda word: word.replace("-", ""))


def test_claims_are_measured_on_demand_and_shown_as_they_are() -> None:
    test = opened("claims", seed="11")
    assert all(claim.statement in texts(test).replace("\\", "") for claim in CLAIMS) and not tables(test)
    press(test, "Measure them now, with seed 11")
    assert wrong(test) == [] and len(tables(test)) == len(CLAIMS)
    names = ("baseline", "two-territories-partner-rich", "two-territories-direct-rich")
    measured = Measurements(Territories(*(load_scenario(SCENARIOS / f"{name}.yaml") for name in names)), MARKETS, 11)
    hold = 0
    for claim, (caption, (_, *rows)) in zip(CLAIMS, tables(test).items(), strict=True):
        assert caption.startswith(f"{claim.number}. {claim.statement} ")
        found = list(claim.findings(measured))
        hold += all(finding.holds for finding in found)
        assert [row[:3] for row in rows] == [
            [each.what, method.figure_text(each), method.claimed_range(each)] for each in found
        ]
        assert [row[3].split(" ", 1)[1] for row in rows] == [each.verdict for each in found]
    assert f"{hold} of {len(CLAIMS)} claims hold." in texts(test)
    test.number_input(key="seed").set_value(12).run()
    assert not tables(test), "figures of another seed stay on the page"


def test_a_figure_is_written_with_its_interval_and_what_is_claimed() -> None:
    def told(unit: Any, value: float, low: float, high: float, **side: float) -> tuple[str, str]:
        finding = Finding("it", Estimate(value, low, high, 100), unit, **side)
        return method.figure_text(finding), method.claimed_range(finding)

    assert told("USD", -1200, -2000, -400, below=0) == ("-$1k (-$2k to -$400)", "below $0")
    assert told("points", -0.26, -0.3, -0.2, below=0) == ("-26 points (-30 to -20)", "below 0")
    assert told("share", 0.8, 0.8, 0.8, above=0.8 - 1e-9, below=0.8 + 1e-9) == ("80.0%", "80.0%")
    assert told("share", 0.02, 0.01, 0.03, above=-0.05, below=0.05)[1] == "-5.0% to 5.0%"
    assert told("quarter", float("inf"), float("inf"), float("inf"), above=4, below=12)[0] == "never"
    assert told("skill", 0.22, 0.21, 0.23, above=0.05) == ("+0.220 (+0.210 to +0.230)", "above +0.050")


def test_a_citation_names_version_scenario_and_seed() -> None:
    scenario = load_scenario(SCENARIOS / "baseline.yaml")
    (code,) = opened("version", seed="5").code
    assert code.value == method.citation(scenario, 5)
    for word in (version(), scenario.name, scenario.digest(), "Seed: 5"):
        assert word in code.value
