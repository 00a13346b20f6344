"""Import, scenario library: what there is, and ways to open, copy, edit, upload and download it.

Nothing is overwritten: what is saved gets an id of its own. Left out: the form of a scenario (scenario_form.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from nexthour.app import controls, menu
from nexthour.app.page import PageContext, caption, caption_rest, escaped, lead_text
from nexthour.app.sections import scenario_form
from nexthour.app.state import cache, library, visit
from nexthour.jobs.uploads import Upload
from sim import NextHourError, Scenario

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
    st.subheader("Bring one in", anchor=False)
    _draw_upload()
    st.subheader(escaped(f"Copy or change: {library.scenario_title(context.scenario_id)}"), anchor=False)
    caption("Another one is chosen in the list above or in the sidebar. What you save becomes a scenario of its own.")
    scenario_form.draw(context.scenario_id, context.scenario, files[context.scenario_id])


def _draw_list(files: Mapping[str, Path]) -> None:
    part = ""
    if len(files) > SHOWN:
        part = st.text_input("Find by name", key=f"{KEY} find", max_chars=LONGEST_SEARCH)
    # What was saved last is what is looked for first.
    saved = [scenario_id for scenario_id, path in files.items() if path.parent != library.BUILT_IN]
    saved.sort(key=lambda scenario_id: -files[scenario_id].stat().st_mtime_ns)
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
            data, name, key = files[scenario_id].read_bytes(), f"{scenario_id}.yaml", f"{KEY} {scenario_id}"
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
        text = scenario_form.text_area(given.upload.data, f"{KEY} text {given.upload.digest}", "Check this text")
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
