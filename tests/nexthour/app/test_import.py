"""The page Import, without a browser.

Claims: every section opens, by a link too; an export goes all the way to a saved scenario, with the numbers of
`calibrate`; what is not used is listed with its reason; a scenario that is copied, edited, uploaded or downloaded keeps
its comments; whatever somebody uploads or writes is answered in sentences that name their file, and nothing saved is
lost.
"""

from __future__ import annotations

import csv
import gzip
import os
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import nexthour.report.calibration as report
from nexthour.app import controls
from nexthour.app.pages import imports
from nexthour.app.sections import entry, import_deals, mapping_form
from nexthour.app.state import actuals_store, library
from nexthour.calibrate import calibrate, load_mapping
from nexthour.calibrate.deals.deal_table import rejected_text
from nexthour.calibrate.people.judgement import fit_judgement, read_judgement, with_judgement
from nexthour.calibrate.people.partner_intake import infer_partners, with_intake
from nexthour.calibrate.people.partner_posterior import PartnerRow, read_partners
from nexthour.jobs import Jobs
from nexthour.jobs.uploads import Upload, on_disk
from sim import InputError, ScenarioError, TimePlan, load_scenario
from sim.documents.yaml_file import LAST_LINE, PROMISE
from sim.scenario import Scenario, Segment
from tests.helpers import territory
from tests.nexthour.app.pages import AtOnce, held, labels, page, press, tables, texts, wrong

ROOT = Path("scenarios")
EXPORT, ITS_MAPPING = ROOT / "made_up_salesforce.csv", ROOT / "mappings" / "made_up_salesforce.yaml"
BASELINE = ROOT / "baseline.yaml"
NASTY = "<script>x</script> \"q\" 'q' [l](u) :red[z] $a$ `c` 🦄 =1+1"
MARKETS = 8
"""Few, so that a fit is quick."""


@pytest.fixture(autouse=True)
def own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEXTHOUR_LIBRARY", str(tmp_path))
    monkeypatch.setattr(import_deals, "MARKETS", MARKETS)
    monkeypatch.setattr(import_deals, "MARKETS_AGAIN", MARKETS)
    return tmp_path


@pytest.fixture
def at_once() -> AtOnce:
    return AtOnce()


@pytest.fixture(scope="module", autouse=True)
def no_caches_left() -> Any:
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


def opened(part: str, jobs: Jobs | None = None, **says: Any) -> AppTest:
    return page("imports", {"part": part, **says}, jobs)


def upload(test: AppTest, key: str, name: str, data: bytes) -> AppTest:
    test.file_uploader(key=key).upload(name, data)
    return test.run()


def _plain(text: str) -> str:
    return text.replace("\\", "")


def test_a_very_wide_export_is_offered_in_part() -> None:
    """100,000 columns once kept the page for two minutes: each was counted among all, and sent for every control."""
    columns = ["Amount", *(f"partner {number}" for number in range(50_000))]
    test = upload(opened("deals"), "deals file", "wide.csv", f"{','.join(columns)}\n".encode())
    assert wrong(test) == []
    offered = [len(box.options) for box in test.selectbox]
    assert max(offered) == mapping_form.MOST_OFFERED
    assert "The file has 50,001 columns; the first 500 can be chosen here, others in a mapping file." in texts(test)


def test_of_very_many_values_the_most_frequent_are_offered() -> None:
    rows = "".join(f"{number},value {number}\n" for number in range(5_000))
    test = upload(opened("deals"), "deals file", "deals.csv", f"Amount,Stage\n{rows}".encode())
    assert wrong(test) == []
    assert {len(box.options) for box in test.multiselect} >= {mapping_form.MOST_OFFERED}
    assert max(len(box.options) for box in test.multiselect) == mapping_form.MOST_OFFERED
    assert "The 500 most frequent values can be chosen here, others in a mapping file." in texts(test)


def test_of_a_very_long_export_the_first_rows_are_looked_at() -> None:
    """A workbook of 7 MB once held up everybody for a minute: all of it was read again for each column asked about."""
    rows = "".join(f"{number},{'late' if number > 20_000 else 'early'}\n" for number in range(40_000))
    test = upload(opened("deals"), "deals file", "deals.csv", f"Amount,Stage\n{rows}".encode())
    assert wrong(test) == []
    assert re.search("its first 10,[0-9]{3} rows were looked at for this form", texts(test))
    assert any("early" in box.options for box in test.multiselect)
    assert not any("late" in box.options for box in test.multiselect)
    short = upload(opened("deals"), "deals file", "deals.csv", b"Amount,Stage\n1,early\n2,late\n")
    assert "were looked at" not in texts(short) and any("late" in box.options for box in short.multiselect)


def successes(test: AppTest) -> list[str]:
    return [_plain(success.value) for success in test.success]


# The page


@pytest.mark.parametrize("part", imports.PARTS)
def test_a_section_opens_by_a_link(part: str) -> None:
    test = opened(part)
    assert wrong(test) == []
    assert test.session_state[imports.PART] == part
    assert "Nothing leaves this machine." in texts(test)


def test_the_page_opens_with_deals_and_a_bad_link_is_one_sentence() -> None:
    assert page("imports").session_state[imports.PART] == "deals"
    test = opened("partner")
    assert wrong(test) == ["The link says part is 'partner'; did you mean partners?"]
    assert test.session_state[imports.PART] == "deals"


def test_sections_are_changed_and_stand_in_the_address() -> None:
    test = page("imports")
    test.button_group(key=imports.PART).set_value("library").run()
    assert wrong(test) == [] and test.query_params["part"] in ("library", ["library"])


# Deals


def test_an_export_becomes_a_scenario_with_the_numbers_of_calibrate(own_library: Path) -> None:
    test = upload(opened("deals"), "deals file", "our deals.csv", EXPORT.read_bytes())
    assert wrong(test) == []
    (still_open,) = test.info
    assert still_open.value.count("\n*") == 5 and "In which currency are the amounts?" in _plain(still_open.value)
    assert next(button for button in test.button if button.label == "Fit a scenario").disabled

    key = f"map{held(test).imports['deals'].content.number}"
    answers = load_mapping(ITS_MAPPING)
    test.text_input(key=f"{key} currency").set_value("usd")
    test.selectbox(key=f"{key} decimal").set_value(".")
    test.selectbox(key=f"{key} date_order").set_value("MDY")
    test.selectbox(key=f"{key} segment").set_value("Customer Size")
    test.selectbox(key=f"{key} territory").set_value("Region")
    test.date_input(key=f"{key} as_of").set_value(answers.as_of)
    test.text_input(key=f"{key} source").set_value(answers.source)
    for value, stage in answers.stages.items():
        test.selectbox(key=f"{key} stage {value}").set_value(stage)
    test.selectbox(key=f"{key} stage On Hold").set_value(mapping_form.NOT_OPEN)
    test.run()
    assert not test.info

    press(test, "Fit a scenario")
    assert wrong(test) == []
    fit = calibrate(EXPORT, answers, load_scenario(BASELINE), 1.0, replications=MARKETS)
    assert report.rows_read(fit) == "Rows read 522 = used 518 + not used 4." and report.rows_read(fit) in texts(test)
    shown = [rows for _, *rows in tables(test).values()]
    assert shown[0] == [list(row) for row in report.fit_table(fit.report_rows()).rows]
    assert shown[1] == [list(row) for row in import_deals.intervals(fit).rows]
    rejects = [[f"{reject.row}", reject.reason] for reject in fit.rejected.itertuples()]
    assert len(rejects) == 4 and shown[2] == rejects
    assert all(_plain(sentence) in _plain(texts(test)) for sentence in fit.silent)

    press(test, "Save")
    assert successes(test) == ["Saved as fitted-from-our-deals-csv."]
    saved = load_scenario(own_library / "scenarios" / "fitted-from-our-deals-csv.yaml")
    assert saved.name == "Fitted from our deals.csv"
    # All but what names the file is as the terminal has it.
    assert saved.open_pipeline == fit.scenario.open_pipeline and saved.quota == fit.scenario.quota
    assert [segment.stages for segment in saved.market_map] == [segment.stages for segment in fit.scenario.market_map]


def test_the_made_up_export_is_answered_already_and_a_changed_answer_asks_for_another_fit(at_once: AtOnce) -> None:
    test = press(opened("deals", jobs=at_once), "Try it with a made-up export")
    assert wrong(test) == [] and not test.info
    press(test, "Fit a scenario")
    job = at_once.made[-1]
    assert report.rows_read(job.result.fit) in texts(test) and "Fit a scenario" not in labels(test)
    test.number_input(key="seed").set_value(12).run()
    assert tables(test), "a fit is the same with every seed of the page"
    test.number_input(key="deals fraction").set_value(0.5).run()
    assert "With these answers nothing has been fitted yet." in texts(test)
    assert not tables(test) and "Fit a scenario" in labels(test)
    test.number_input(key="deals fraction").set_value(1.0).run()
    assert tables(test) and len(at_once.asked) == 1


def test_a_fit_goes_on_elsewhere_and_what_is_wrong_with_it_is_one_sentence(at_once: AtOnce) -> None:
    at_once.state = "running"
    test = press(opened("deals", jobs=at_once), "Try it with a made-up export")
    press(test, "Fit a scenario")
    job = at_once.made[-1]
    assert "Cancel" in labels(test) and "Fitting: 0 seconds so far." in texts(test)
    test.number_input(key="deals fraction").set_value(0.001).run()
    assert "Another fit of yours still goes on." in texts(test)
    press(test, "Cancel that one")
    assert job.state == "cancelled" and "Cancel that one" not in labels(test)
    at_once.state, at_once.problem = "failed", "deals.csv: too few to fit; give a larger territory_fraction"
    press(test, "Fit a scenario")
    assert wrong(test) == [at_once.problem]
    assert "Fit a scenario" in labels(test) and not tables(test)


def test_a_mapping_is_used_again() -> None:
    test = upload(opened("deals"), "deals file", "deals.csv", EXPORT.read_bytes())
    upload(test, "deals mapping", "mapping.yaml", ITS_MAPPING.read_bytes())
    assert wrong(test) == [] and not test.info
    draft = held(test).imports["deals"].content
    again = import_deals._yaml_text({name: value for name, value in draft.base.items()})
    with on_disk(Upload("mapping.yaml", again.encode())) as path:
        assert load_mapping(path) == load_mapping(ITS_MAPPING)
    for data, said in (
        (b"- 1\n", "the mapping holds no fields"),
        (b"a: [", "my.yaml: line 2 not YAML"),
        (ITS_MAPPING.read_bytes().replace(b"currency: USD", b"currency: dollars"), "my.yaml: currency is 'dollars'"),
    ):
        upload(test, "deals mapping", "my.yaml", data)
        assert len(wrong(test)) == 1 and said in wrong(test)[0], wrong(test)
        assert held(test).imports["deals"].content == draft


BAD_UPLOADS = {
    "empty": (b"", "is empty"),
    "binary": (bytes(range(256)) * 40, ""),
    "old workbook": (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "an old .xls workbook"),
    "web page": (b"<html><table></table></html>", "a web page"),
    "broken workbook": (b"PK\x03\x04" + b"\1" * 600, ""),
    "broken gzip": (gzip.compress(b"a,b\n1,2\n" * 100)[:-20], ""),
    "no UTF-8": ("Wért;Größe\n1;2\n".encode("cp1252"), "UTF-8"),
}


@pytest.mark.parametrize("part, key", [("deals", "deals file"), ("partners", "partners file")])
@pytest.mark.parametrize("kind", BAD_UPLOADS)
def test_a_bad_upload_is_told_in_sentences_that_name_the_file(part: str, key: str, kind: str) -> None:
    data, about = BAD_UPLOADS[kind]
    said = wrong(upload(opened(part), key, "ours.csv", data))
    assert len(said) == 1 and said[0].startswith("ours.csv: ") and about in said[0], said
    assert "/tmp" not in said[0] and "--" not in said[0]


def test_no_file_stays_behind_and_no_name_is_a_path(tmp_path: Path) -> None:
    for name in ("../../evil.csv", "a\nb\0c.csv", "x" * 10_000, "", "C:\\x.csv"):
        upload = Upload.of(name, b"1")
        assert 0 < len(upload.name) <= 60 and upload.name.isprintable()
        with on_disk(upload) as path:
            assert path.name == "upload" and path.read_bytes() == b"1"
        assert not path.exists() and not path.parent.exists()
        with pytest.raises(InputError) as caught, on_disk(upload) as path:
            raise ScenarioError(f"{path}: is wrong", f"{path}: and more; give --decimal '.'")
        assert caught.value.problems == (
            f"{upload.name}: is wrong",
            f"{upload.name}: and more; set the decimal mark to '.'",
        )


def test_rejects_are_no_formulas() -> None:
    import pandas as pd

    rejected = pd.DataFrame({"row": [2, 3], "reason": ["=HYPERLINK(1) is not a number", "+1 is empty"]})
    rows = list(csv.reader(StringIO(rejected_text(rejected))))
    assert rows == [["row", "reason"], ["2", "'=HYPERLINK(1) is not a number"], ["3", "'+1 is empty"]]


# Partners and judgement


def test_partners_are_those_of_the_terminal(own_library: Path) -> None:
    table, before = ROOT / "made_up_partners.csv", load_scenario(BASELINE)
    test = upload(opened("partners"), "partners file", table.name, table.read_bytes())
    assert wrong(test) == []
    intake = infer_partners(read_partners(table), before, 52, table.name)
    assert [list(row) for row in report.intake_table(intake, before).rows] in [
        rows for _, *rows in tables(test).values()
    ]
    assert f"{report.label_accuracy(intake)}." in texts(test)
    test.text_input(key="partners name").set_value("Ours")
    press(test, "Save")
    assert successes(test) == ["Saved as ours."]
    made = with_intake(before, intake).variant(name="Ours")
    assert load_scenario(own_library / "scenarios" / "ours.yaml") == made


def test_a_row_is_entered_changed_and_taken_away(own_library: Path) -> None:
    test = opened("partners")
    test.selectbox(key="partners a new row partner").set_value("Birch IT")
    test.number_input(key="partners a new row registered_deals").set_value(27)
    test.number_input(key="partners a new row help_hours_per_week").set_value(1.125)
    press(test, "Put it into the table")
    assert all(said.startswith("Left out, as these partners do not allow it: ") for said in wrong(test))
    (row,) = held(test).imports["partners"].content.rows
    assert row == PartnerRow(partner="Birch IT", registered_deals=27, help_hours_per_week=1.125)

    test.selectbox(key="partners row").set_value("Birch IT").run()
    test.number_input(key="partners Birch IT wins").set_value(30)
    press(test, "Put it into the table")
    assert "this row: wins: 30 of 27 registered deals; allowed: at most all of them" in wrong(test)
    assert held(test).imports["partners"].content.rows == (row,)
    test.number_input(key="partners Birch IT wins").set_value(4)
    press(test, "Put it into the table")
    assert not test.error and held(test).imports["partners"].content.rows[0].wins == 4
    press(test, "Save")  # without the plans that need other partners
    saved = load_scenario(next(own_library.rglob("*own-partners.yaml")))
    assert len(saved.plans) == len(load_scenario(BASELINE).plans) - len(wrong(test))
    press(test, "Take it out of the table")
    assert held(test).imports["partners"].content is None and wrong(test) == []


def test_a_bad_table_leaves_the_one_there_was() -> None:
    test = press(opened("partners"), "Try it with a made-up table")
    before = held(test).imports["partners"].content
    upload(test, "partners file", "new.csv", b"partner,wins\nX,3\n")
    assert len(wrong(test)) == 1 and wrong(test)[0].startswith("new.csv: row 2: wins is given without")
    assert held(test).imports["partners"].content == before


def test_a_decimal_comma_is_told_of_and_then_read() -> None:
    test = upload(opened("partners"), "partners file", "ours.csv", b"partner;help_hours_per_week\nX;0,5\n")
    assert "set the decimal mark to" in wrong(test)[0]
    test.selectbox(key="partners decimal").set_value('a decimal ","')
    press(test, "Read it again")
    assert not test.error and held(test).imports["partners"].content.rows[0].help_hours_per_week == 0.5


def test_judgement_is_that_of_the_terminal(own_library: Path) -> None:
    table, before = ROOT / "made_up_judgement.csv", load_scenario(BASELINE)
    test = press(opened("judgement"), "Try it with a made-up table")
    assert wrong(test) == []
    judgement = fit_judgement(read_judgement(table), before, table.name)
    shown = [rows for _, *rows in tables(test).values()]
    for rows in (*report.opinion_tables(judgement, before), report.answer_table(judgement)):
        assert [list(row) for row in rows.rows] in shown
    press(test, "Save")
    (path,) = (own_library / "scenarios").glob("*.yaml")
    assert load_scenario(path).assumptions == with_judgement(before, judgement).assumptions


def test_a_table_is_read_again_from_its_download() -> None:
    rows = read_partners(ROOT / "made_up_partners.csv")
    with on_disk(Upload("x", entry.as_csv(PartnerRow, rows))) as path:
        assert read_partners(path, ".") == rows


# The library


def test_a_copy_keeps_the_comments_and_never_overwrites(own_library: Path) -> None:
    test = opened("library", scenario="baseline")
    key = next(
        widget.key
        for widget in test.text_input
        if widget.key and widget.key.startswith("edit") and widget.key.endswith(" name")
    )
    key = key.removesuffix(" name")
    test.text_input(key=key + " name").set_value("My own")
    test.number_input(key=key + " manager hours_per_week").set_value(30.0)
    test.number_input(key=key + " segment 0 deal_size_median_usd").set_value(160_000.0)
    test.number_input(key=key + " partner 1 share 1").set_value(0.12)
    press(test, "Save as a scenario of its own")
    assert wrong(test) == [] and successes(test) == ["Saved as my-own."]
    path = own_library / "scenarios" / "my-own.yaml"
    made, before = load_scenario(path), load_scenario(BASELINE)
    birch = {**before.partners[1].base_share, before.segment_names[1]: 0.12}
    assert made.name == "My own" and made.territory_manager.hours_per_week == 30
    assert made.market_map[0] == before.market_map[0].model_copy(update={"deal_size_median_usd": 160_000.0})
    assert dict(made.partners[1].base_share) == birch
    assert made.variant(
        name=before.name, territory_manager=before.territory_manager, market_map=before.market_map,
        partners=before.partners,
    ) == before  # fmt: skip
    text, original = path.read_text(encoding="utf-8"), BASELINE.read_text(encoding="utf-8")
    marks = {PROMISE, LAST_LINE}
    assert [line for line in original.splitlines() if line.startswith("#")][1:] == [
        line for line in text.splitlines() if line.startswith("#") and line not in marks
    ][1:]
    assert len(set(original.splitlines()) - set(text.splitlines())) <= 5

    first = path.read_bytes()
    test.number_input(key=key + " manager hours_per_week").set_value(31.0)
    press(test, "Save as a scenario of its own")
    assert successes(test) == ["Saved as my-own-2."] and path.read_bytes() == first


def test_a_download_uploaded_is_the_same_file(own_library: Path) -> None:
    data = BASELINE.read_bytes() + b"# my remark\n"
    test = upload(opened("library"), "library file", "x.yaml", data.replace(b"name: Baseline", b"name: Copied"))
    assert wrong(test) == []
    press(test, "Save")
    (saved,) = (own_library / "scenarios").glob("*.yaml")
    assert "# my remark" in saved.read_text(encoding="utf-8")
    assert library.read_upload(Scenario, saved.read_bytes(), "again") == load_scenario(saved)


def test_a_draft_with_mistakes_stays_and_every_sentence_is_shown(own_library: Path) -> None:
    library.save_document(territory(name="Kept"), "scenarios")
    before = {path: path.read_bytes() for path in own_library.rglob("*.yaml")}
    test = opened("library", scenario="baseline")
    key = next(widget.key for widget in test.text_area if widget.key and widget.key.endswith(" text"))
    draft = test.text_area(key=key).value.replace("horizon_quarters: 12", "horizon_quarters: 99")
    draft = draft.replace("quota_credit: net", "quota_credit: all")
    test.text_area(key=key).set_value(draft)
    press(test, "Check and save this text")
    (said,) = wrong(test)
    assert said.count("baseline.yaml: ") == 2 and "99" in said and "quota_credit" in said
    assert test.text_area(key=key).value == draft
    assert {path: path.read_bytes() for path in own_library.rglob("*.yaml")} == before


def test_a_form_that_makes_no_scenario_says_why(own_library: Path) -> None:
    test = opened("library", scenario="baseline")
    share = next(widget.key for widget in test.number_input if widget.key and widget.key.endswith(" partner 1 share 1"))
    test.number_input(key=share).set_value(1.0)
    press(test, "Save as a scenario of its own")
    assert len(wrong(test)) == 1 and "base shares of mid-market sum to" in wrong(test)[0]
    assert test.number_input(key=share).value == 1.0
    assert not list(own_library.rglob("*.yaml"))


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n".encode() for i in range(8)
)
BAD_SCENARIOS = {
    "empty": b"",
    "no scenario": b"- 1\n- 2\n",
    "binary": bytes(range(256)) * 10,
    "bomb": BOMB,
    "nested": b"[" * 50_000,
    "tag": b"name: !!python/object/apply:os.system ['true']\n",
    "too long": b"# " + b"x" * 1_000_001,
    "unknown": b"nam: x\n",
    "nasty": f"name: {NASTY!r}\nbogus<b>: '{'x' * 10_000}'\n".encode(),
}


@pytest.mark.parametrize("kind", BAD_SCENARIOS)
def test_a_bad_scenario_is_told_and_can_be_mended(kind: str, own_library: Path) -> None:
    test = upload(opened("library"), "library file", "ours.yaml", BAD_SCENARIOS[kind])
    assert wrong(test) and all("ours.yaml: " in said and "/tmp" not in said for said in wrong(test))
    assert not list(own_library.rglob("*.yaml"))
    if kind in ("unknown", "no scenario"):
        key = next(widget.key for widget in test.text_area if widget.key and widget.key.startswith("library text"))
        test.text_area(key=key).set_value(BASELINE.read_text(encoding="utf-8").replace("name: Baseline", "name: Now"))
        press(test, "Check this text")
        assert wrong(test) == []
        press(test, "Save")
        assert len(list(own_library.rglob("*.yaml"))) == 1


def test_nasty_names_do_no_harm(own_library: Path) -> None:
    name = NASTY[:80]
    scenario_id = library.save_document(territory(name=name, question="<img src=x onerror=alert(1)>" * 60), "scenarios")
    for part in imports.PARTS:
        test = opened(part, scenario=scenario_id)
        assert wrong(test) == []
        assert not any("<script>" in block.proto.body or "<img" in block.proto.body for block in test.get("html"))
    test = upload(
        opened("partners", scenario=scenario_id), "partners file", NASTY * 200, f"partner\n{'x' * 10_000}\n".encode()
    )
    assert len(wrong(test)) == 1 and len(wrong(test)[0]) < 500


def test_a_name_in_a_table_is_no_markdown() -> None:
    name = "[l](u) :red[z] `c` $a$"
    test = upload(opened("partners"), "partners file", "ours.csv", f"partner\n{name}\n".encode())
    assert {row[0] for _, *rows in tables(test).values() for row in rows} == {name}


def test_a_saved_file_that_is_broken_is_told_in_its_row(own_library: Path) -> None:
    (own_library / "scenarios").mkdir()
    (own_library / "scenarios" / "broken.yaml").write_text("name: [", encoding="utf-8")
    test = opened("library")
    assert len(wrong(test)) == 1 and "broken.yaml" in wrong(test)[0]


def test_the_words_of_a_control_are_those_of_the_declaration() -> None:
    field = Segment.model_fields["deal_size_median_usd"]
    assert _plain(controls.field_label(field)) == "Median deal size, US dollars"
    assert controls._bounds(field) == (0.0, 1e9)
    assert controls._bounds(PartnerRow.model_fields["registered_deals"]) == (0.0, 100_000.0)
    assert controls._bounds(PartnerRow.model_fields["account_share"]) == (0.0, 1.0)


def test_a_file_in_the_library_that_is_far_too_large_is_told_and_not_read(own_library: Path) -> None:
    (own_library / "scenarios").mkdir()
    (own_library / "scenarios" / "huge.yaml").touch()
    os.truncate(own_library / "scenarios" / "huge.yaml", 3 * 2**30)
    test = opened("library")
    assert any("huge.yaml: the file has 3,221,225,472 bytes" in problem for problem in wrong(test))
    with pytest.raises(InputError, match="has 3,221,225,472 bytes"):
        library.file_data(own_library / "scenarios" / "huge.yaml")


def test_links_to_nowhere_in_the_library_are_passed_over(own_library: Path) -> None:
    scenario = load_scenario(library.BUILT_IN / "baseline.yaml")
    for place in ("scenarios/gone.yaml", "plans/gone.yaml", f"actuals/{scenario.digest()}-1.yaml"):
        (own_library / place).parent.mkdir()
        (own_library / place).symlink_to("/nowhere")
    assert wrong(opened("library")) == []
    assert actuals_store.versions(scenario) == {} and actuals_store.read_actuals(scenario) is None
    with pytest.raises(InputError, match="is not there any more"):
        actuals_store.read_actuals(scenario, 1)


NOBODY = dict.fromkeys("abc", "none")
"""A link to Compare with no plan chosen."""


def test_a_saved_plan_that_cannot_be_read_is_told(own_library: Path) -> None:
    scenario = load_scenario(library.BUILT_IN / "baseline.yaml")
    plan = TimePlan.constant(scenario, 0.3)
    saved = own_library / "plans" / f"{library.save_document(plan, 'plans')}.yaml"
    assert wrong(opened("library")) == [] and "cannot be read" not in texts(page("compare", NOBODY))
    saved.write_bytes(saved.read_bytes()[:-30])
    (problem,) = wrong(opened("library"))
    assert f"{saved.name}: is cut off" in problem
    assert "1 saved plan cannot be read; Import, Scenario library, says why." in texts(page("compare", NOBODY))


def test_names_whose_files_would_be_one_stay_as_they_are(own_library: Path) -> None:
    scenario = load_scenario(library.BUILT_IN / "baseline.yaml")
    one, other = (TimePlan.constant(scenario, share) for share in (0.3, 0.4))
    for plan, name in ((one, "a/b"), (one, "a\\b"), (one, "🚀"), (one, "עברית"), (other, "a/b"), (one, "a/b")):
        library.save_document(plan.model_copy(update={"name": name}), "plans")
    names = {path.stem: TimePlan.load(path).name for path in library.plan_files().values()}
    assert names == {"a-b": "a/b", "a-b-2": "a\\b", "unnamed": "🚀", "unnamed-2": "עברית", "a-b-3": "a/b 3"}


def test_of_two_plans_of_one_name_the_one_that_no_page_shows_is_told(own_library: Path) -> None:
    scenario = load_scenario(library.BUILT_IN / "baseline.yaml")
    one, other, third = (
        TimePlan.constant(scenario, share).model_copy(update={"name": "x"}) for share in (0.3, 0.4, 0.5)
    )
    library.save_document(one.model_copy(update={"name": "X"}), "plans")
    assert [library.save_document(plan, "plans") for plan in (one, one)] == ["x-2", "x-2"]
    (own_library / "plans" / "x.yaml").unlink()
    assert library.save_document(other, "plans") == "x-3"
    assert {plan.name for plan in library.plans_for(scenario).values()} >= {"x", "x 3"}
    third.save(own_library / "plans" / "y.yaml")
    (problem,) = wrong(opened("library"))
    assert "y.yaml: has the name of the plan in x-2.yaml, x; give it another" in problem
    assert library.plans_for(scenario)["x"] == one


@pytest.mark.parametrize("data", ["BEGIN:VCALENDAR\n", TimePlan.constant(load_scenario(BASELINE), 0.1).text()])
def test_what_is_no_table_of_deals_is_told(data: str) -> None:
    (problem,) = wrong(upload(opened("deals"), "deals file", "deals.csv", data.encode()))
    assert "deals.csv: is a " in problem and "CSV or XLSX" in problem
