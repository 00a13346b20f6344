"""Import, scenario library: what there is, and ways to open, copy, edit, upload and download it.

A scenario is edited as a form with what people change most, whose labels and bounds are those of the declarations, and
as text for everything else; what is not changed keeps its text and its comments. Nothing is overwritten: what is saved
gets an id of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import streamlit as st

from nexthour.app import controls, menu
from nexthour.app.page import PageContext, caption, caption_rest, escaped, lead_text
from nexthour.app.state import cache, library, visit
from nexthour.jobs.uploads import Upload
from nexthour.report.numbers import count_of
from sim import InputError, NextHourError, Scenario
from sim.documents.declared import Declared
from sim.scenario import Partner, Quota

LARGEST_MB = 1
SHOWN = 12
LONGEST_SEARCH = 60
KEY = "library"
INTRODUCTION = "Every scenario is a file on this machine; those that come with Next Hour are never changed."


def draw(context: PageContext) -> None:
    """Draw the section."""
    files = library.scenario_files()
    st.subheader("The scenarios there are", anchor=False)
    _draw_list(files)
    if problems := cache.unreadable_plans():
        st.subheader("Saved plans that cannot be read", anchor=False)
        controls.draw_problems(InputError(*problems))
    st.subheader("Bring one in", anchor=False)
    _draw_upload()
    st.subheader(escaped(f"Copy or change: {library.scenario_title(context.scenario_id)}"), anchor=False)
    caption("Another one is chosen in the list above or in the sidebar. What you save becomes a scenario of its own.")
    _draw_form(context.scenario_id, context.scenario, files[context.scenario_id])


def _draw_list(files: Mapping[str, Path]) -> None:
    part = ""
    if len(files) > SHOWN:
        part = st.text_input("Find by name", key=f"{KEY} find", max_chars=LONGEST_SEARCH)
    # What was saved last is what is looked for first.
    saved = [scenario_id for scenario_id, path in files.items() if path.parent != library.BUILT_IN]
    saved.sort(key=lambda scenario_id: -library.changed_ns(files[scenario_id]))
    ids = [*saved, *(scenario_id for scenario_id in files if scenario_id not in saved)]
    ids = [scenario_id for scenario_id in ids if part.strip().lower().replace(" ", "-") in scenario_id]
    for scenario_id in ids[:SHOWN]:
        _draw_row(scenario_id, files, is_saved=scenario_id in saved)
    caption_rest(len(ids) - SHOWN, ": write a part of the name above")
    if not ids:
        caption("No scenario has that in its name.")


def _draw_row(scenario_id: str, files: Mapping[str, Path], is_saved: bool) -> None:
    about, edit = st.columns([7, 1], vertical_alignment="center")
    with about:
        try:
            scenario = cache.scenario(scenario_id, files)
        except NextHourError as problem:
            controls.draw_problems(problem)
            with suppress(InputError):  # told above: it is gone, or larger than any scenario
                data, name, key = library.file_data(files[scenario_id]), f"{scenario_id}.yaml", f"{KEY} {scenario_id}"
                st.download_button("Download it", data, name, "text/yaml", key, on_click="ignore")
            return
        name = escaped(library.scenario_title(scenario_id))
        menu.page_link("lab", f"**{name}**{' · saved here' if is_saved else ''}", scenario_id)
        caption(scenario.question or scenario.name)
    with edit:
        # A link to the page one is on would look like the place in the menu.
        key, chosen = f"{KEY} edit {scenario_id}", {"scenario": scenario_id}
        st.button("Edit", key, f"Edit {name}", on_click=st.session_state.update, kwargs=chosen)


def _draw_upload() -> None:
    file = controls.upload_control("A scenario, YAML", f"{KEY} file", LARGEST_MB)
    if file is not None:
        visit.current().imports.pop(KEY, None)
        _read_scenario(file)
    given = visit.current().imports[KEY]
    if given.problem:
        controls.draw_problems(given.problem)
    if given.upload is not None:
        text = text_area(given.upload.data, f"{KEY} text {given.upload.digest}", "Check this text")
        if text is not None:
            _read_scenario(Upload(given.upload.name, text.encode()))
            st.rerun()
    scenario: Scenario | None = given.content
    if scenario is not None:
        lead_text(f"{scenario.name}: {scenario.question}" if scenario.question else scenario.name)
        controls.draw_save_form(scenario, scenario.name, f"{KEY} {scenario.digest()}")


def _read_scenario(file: Upload) -> None:
    """Read a scenario; the text of one with mistakes is kept, to be mended."""
    given = visit.current().imports[KEY]
    try:
        given.content, given.upload, given.problem = library.read_upload(Scenario, file.data, file.name), None, None
    except NextHourError as problem:
        given.upload, given.problem = given.upload or file, problem


SEGMENT_FIELDS = ("opportunities_per_quarter", "growth_per_quarter", "deal_size_median_usd", "inbound_share")
PARTNER_FIELDS = ("label", "margin", "capacity_deals")
QUOTA_FIELDS = ("first_quarter_usd", "growth_per_year")
CREDITS = ("net", "gross", "a factor")
USUAL_FACTOR = 0.8
MOST_SEGMENTS, MOST_PARTNERS, MOST_CELLS = 12, 20, 160
"""What the form holds; further ones stand in the text. A cell is a partner's share of a segment."""
LONGEST_QUESTION = 2000
LONGEST_TEXT = 400_000
"""Letters of a text that a browser edits well."""
TEXT_HEIGHT = 420


def _draw_form(scenario_id: str, scenario: Scenario, path: Path) -> None:
    """Draw form and text of a scenario, and save what is made of them as another one."""
    key = f"edit {scenario_id} {scenario.digest()}"
    data = library.file_data(path)
    st.download_button("Download the file", data, f"{scenario_id}.yaml", "text/yaml", f"{key} file", on_click="ignore")
    with st.form(f"{key} form"):
        changes = _ask_fields(scenario, key)
        pressed = st.form_submit_button("Save as a scenario of its own", type="primary")
    if pressed:
        _save(lambda: scenario.variant(**changes), key)
    with st.expander("Everything else: the whole file as text"):
        text = text_area(data, f"{key} text", "Check and save this text")
        if text is not None:
            _save(lambda: library.read_upload(Scenario, text.encode(), f"{scenario_id}.yaml"), key)
    controls.draw_saved(key)


def text_area(data: bytes, key: str, button: str) -> str | None:
    """A file as text; what it has become, once that is asked for."""
    text = data.decode("utf-8-sig", errors="replace")
    if len(text) > LONGEST_TEXT or "\0" in text:
        caption("This file cannot be edited here; change it in an editor and upload it.")
        return None
    with st.form(f"{key} form", border=False):
        edited = st.text_area("The file, as YAML", text, TEXT_HEIGHT, LONGEST_TEXT, key=key)
        return edited if st.form_submit_button(button) else None


def _save(make: Callable[[], Scenario], key: str) -> None:
    try:
        scenario = make()
        controls.save_and_tell(scenario, scenario.name, key)
    except NextHourError as problem:
        controls.draw_problems(problem)


def _ask_fields(scenario: Scenario, key: str) -> dict[str, Any]:
    """Draw the form; returns what differs from the scenario, as `variant` takes it."""
    fields, changes = Scenario.model_fields, dict[str, Any]()
    name = st.text_input(
        controls.field_label(fields["name"]), scenario.name, max_chars=library.LONGEST_NAME, key=f"{key} name"
    )
    question = st.text_area(
        controls.field_label(fields["question"]), scenario.question, max_chars=LONGEST_QUESTION, key=f"{key} question"
    )
    left, right = controls.column_pairs(2)
    with left:
        horizon = controls.field_control(
            fields["horizon_quarters"], scenario.horizon_quarters, f"{key} horizon_quarters"
        )
    with right:
        manager = _ask_part(scenario.territory_manager, ("hours_per_week",), f"{key} manager")
    quota = _ask_quota(scenario.quota, f"{key} quota")
    credit = _ask_credit(scenario, f"{key} credit")
    for field, value, before in (
        ("name", name, scenario.name),
        ("question", question, scenario.question),
        ("horizon_quarters", horizon, scenario.horizon_quarters),
        ("quota_credit", credit, scenario.quota_credit),
        ("territory_manager", manager, None),
        ("quota", quota, None),
        ("market_map", _ask_segments(scenario, key), None),
        ("partners", _ask_partners(scenario, key), None),
    ):
        if value != before:
            changes[field] = value
    return changes


def _ask_part(declared: Declared, names: Sequence[str], key: str) -> dict[str, Any] | None:
    """Ask for some fields of a part; returns the part as plain data, None if nothing differs."""
    differs = {}
    places = controls.column_pairs(len(names)) if len(names) > 1 else [st.container()]
    for place, name in zip(places, names, strict=True):
        before = getattr(declared, name)
        with place:
            value = controls.field_control(type(declared).model_fields[name], before, f"{key} {name}")
        if value != before:
            differs[name] = value
    return {**declared.model_dump(exclude_unset=True), **differs} if differs else None


def _ask_quota(quota: Quota, key: str) -> dict[str, Any] | None:
    if quota.by_quarter_usd is not None:
        caption("The quota of each quarter stands in the text below.")
        return None
    return _ask_part(quota, QUOTA_FIELDS, key)


def _ask_credit(scenario: Scenario, key: str) -> Any:
    before = scenario.quota_credit
    is_word = isinstance(before, str)
    left, right = controls.column_pairs(2)
    word = left.selectbox(
        controls.field_label(Scenario.model_fields["quota_credit"]), CREDITS,
        CREDITS.index(before) if isinstance(before, str) else len(CREDITS) - 1, key=f"{key} word",
    )  # fmt: skip
    factor = right.number_input(
        "If a factor: credit of a dollar booked", 0.0, 1.0, USUAL_FACTOR if is_word else float(before), 0.01,
        key=f"{key} factor",
    )  # fmt: skip
    return word if word != CREDITS[-1] else factor


def _ask_segments(scenario: Scenario, key: str) -> list[Any] | None:
    """Ask for the numbers of each segment; returns all segments, None if nothing differs."""
    segments: list[Any] = list(scenario.market_map)
    st.markdown("**Segments**")
    for place, segment in enumerate(scenario.market_map[:MOST_SEGMENTS]):
        with st.expander(escaped(segment.name)):
            segments[place] = _ask_part(segment, SEGMENT_FIELDS, f"{key} segment {place}") or segment
    _caption_of_more(len(scenario.market_map) - MOST_SEGMENTS, "segment")
    return None if segments == list(scenario.market_map) else segments


def _ask_partners(scenario: Scenario, key: str) -> list[Any] | None:
    """Ask for each partner's numbers and share of each segment's accounts; returns all, None if nothing differs."""
    partners: list[Any] = list(scenario.partners)
    most = max(1, min(MOST_PARTNERS, MOST_CELLS // len(scenario.market_map)))
    if scenario.partners:
        st.markdown("**Partners**")
    for place, partner in enumerate(scenario.partners[:most]):
        with st.expander(escaped(f"{partner.name} ({controls.shown_word(partner.label)})")):
            partners[place] = _ask_partner(partner, scenario.segment_names, f"{key} partner {place}") or partner
    _caption_of_more(len(scenario.partners) - most, "partner")
    return None if partners == list(scenario.partners) else partners


def _ask_partner(partner: Partner, segments: Sequence[str], key: str) -> dict[str, Any] | None:
    changed = _ask_part(partner, PARTNER_FIELDS, key)
    caption(str(Partner.model_fields["base_share"].description))
    shares = dict(partner.base_share)
    for number, (place, segment) in enumerate(zip(controls.column_pairs(len(segments)), segments, strict=True)):
        before = partner.base_share.get(segment, 0.0)
        with place:
            value = st.number_input(
                escaped(segment), 0.0, 1.0, float(before), 0.01, format="%.4g", key=f"{key} share {number}"
            )
        if value != before:
            shares[segment] = value
    if changed is None and shares == dict(partner.base_share):
        return None
    return {**(changed or partner.model_dump(exclude_unset=True)), "base_share": shares}


def _caption_of_more(number: int, noun: str) -> None:
    if number > 0:
        caption(f"and {count_of(number, noun)} more, in the text below")
