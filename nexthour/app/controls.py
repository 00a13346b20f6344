"""Controls that several pages draw alike: a field as it is declared, an upload, a table, saving a scenario.

Labels, units and bounds come from the declarations. Tables are real ones of the page, not canvases: they can be read
aloud, wrap and scroll. Left out: what a page is about.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo
from streamlit.delta_generator import DeltaGenerator

from nexthour.app import menu
from nexthour.app.charts import tables
from nexthour.app.page import escaped
from nexthour.app.state import library, visit
from nexthour.app.state.library import LONGEST_NAME
from nexthour.jobs.uploads import Upload
from nexthour.report.calibration import TextTable
from nexthour.report.numbers import whole
from nexthour.report.text import with_capital
from sim import InputError, NextHourError, Scenario, ScenarioError
from sim.documents.messages import declaration
from sim.plan import ACTIVITY_WORDS
from sim.terms import TREATMENTS

MOST_SENTENCES = 20
SHOWN = {**TREATMENTS, **ACTIVITY_WORDS}
WORDLESS = ("none", "text", "name", "part", "list", "word or share", "1 to 5")


# A field as it is declared


def column_pairs(number: int) -> Iterator[DeltaGenerator]:
    """Places for a number of controls, two beside each other; on a phone they follow in the same order."""
    for place in range(0, number, 2):
        yield from st.columns(2, gap="medium")[: number - place]


def field_label(field: FieldInfo) -> str:
    """What a field means, with its unit. The unit of a word is the list of words, which the control shows."""
    text = str(field.description)
    unit = str(declaration(field).get("unit", "none"))
    wordless = unit in WORDLESS or unit in text or get_origin(_bare_kind(field.annotation)) is Literal
    return escaped(with_capital(text if wordless else f"{text}, {unit}"))


def field_control(field: FieldInfo, value: Any, key: str, words: Sequence[str] = (), label: str = "") -> Any:
    """The control of a field: a number within its bounds, a choice, or text. `words` are offered for a text.

    An empty one is None.
    """
    kind, label = _bare_kind(field.annotation), label or field_label(field)
    if get_origin(kind) is Literal:
        options = list(get_args(kind))
        place = options.index(value) if value in options else None if value is None else 0
        return st.selectbox(label, options, place, key=key, format_func=shown_word)
    if kind is int:
        least, most = (None if end is None else int(end) for end in _bounds(field))
        return st.number_input(label, min_value=least, max_value=most, value=value, step=1, key=key)
    if kind is float:
        low, high = _bounds(field)
        start, step = None if value is None else float(value), _step(high)
        return st.number_input(label, min_value=low, max_value=high, value=start, step=step, key=key, format="%.6g")
    if words:
        return st.selectbox(label, list(words), None, key=key, accept_new_options=True, placeholder="Choose or write")
    longest = next(
        (m.max_length for m in _metadata(field.annotation, field.metadata) if hasattr(m, "max_length")), None
    )
    text = st.text_input(label, "" if value is None else str(value), max_chars=longest, key=key)
    return text if text.strip() else None


def shown_word(word: Any) -> str:
    """A word of a file as people see it."""
    return SHOWN.get(word, str(word))


def _step(most: float | None) -> float:
    return 0.01 if most is not None and most <= 1 else 0.5 if most is not None and most <= 200 else 1.0


def _bare_kind(annotation: Any) -> Any:
    if get_origin(annotation) is Annotated:
        return _bare_kind(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return annotation
    inner = [kind for kind in get_args(annotation) if kind is not type(None)]
    return _bare_kind(inner[0]) if inner else annotation


def _metadata(annotation: Any, own: Sequence[Any] = ()) -> Iterator[Any]:
    for part in own:
        yield from getattr(part, "metadata", None) or [part]
    if get_origin(annotation) is Literal:
        return
    for part in get_args(annotation):
        if get_origin(annotation) is Annotated and part is not get_args(annotation)[0]:
            yield from getattr(part, "metadata", None) or [part]
        else:
            yield from _metadata(part)


def _bounds(field: FieldInfo) -> tuple[float | None, float | None]:
    """Least and most. What must be above a bound may be at it here, and is refused with a sentence."""
    least = most = None
    for constraint in _metadata(field.annotation, field.metadata):
        for name in ("ge", "gt"):
            least = float(getattr(constraint, name)) if getattr(constraint, name, None) is not None else least
        for name in ("le", "lt"):
            most = float(getattr(constraint, name)) if getattr(constraint, name, None) is not None else most
    return least, most


def choose_part(label: str, titles: Mapping[str, str], key: str) -> str:
    """The part of a page that is drawn, chosen by its title. Not st.tabs, which would run all parts at once."""
    st.segmented_control(
        label, list(titles), key=key, format_func=titles.__getitem__, required=True, label_visibility="collapsed"
    )
    return str(st.session_state[key])


# Uploads


def upload_control(label: str, key: str, megabytes: int) -> Upload | None:
    """A file that has just been handed over; None on every other run.

    Any kind is taken: what a file is, its bytes say, and a wrong one is answered in a sentence.
    """
    file = st.file_uploader(label, key=key, max_upload_size=megabytes)
    taken = visit.current().taken
    if file is None or taken.get(key) == file.file_id:
        return None
    taken[key] = file.file_id
    return Upload.of(file.name, file.getvalue())


# Tables and errors


def results_table(rows: TextTable, caption: str) -> None:
    """Show a table of results that the terminal prints too."""
    st.html(tables.html_table(caption, [with_capital(header.replace("\n", " ")) for header in rows.headers], rows.rows))


def bullets(lines: Sequence[str]) -> str:
    """Lines as a list in Markdown; one alone is no list."""
    return escaped(lines[0]) if len(lines) == 1 else "\n".join(f"* {escaped(line)}" for line in lines)


def draw_problems(problem: NextHourError) -> None:
    """Show everything that is wrong, a sentence each."""
    sentences = problem.problems if isinstance(problem, InputError) else (str(problem),)
    more = [f"and {whole(len(sentences) - MOST_SENTENCES)} more"] if len(sentences) > MOST_SENTENCES else []
    st.error(bullets([*sentences[:MOST_SENTENCES], *more]))


# Saving


def draw_save_form(scenario: Scenario, name: str, key: str) -> None:
    """A form that saves a scenario under a name, and the way to it."""
    with st.form(f"{key} save", border=False):
        chosen = st.text_input(
            "Save as a scenario, named", name[:LONGEST_NAME], max_chars=LONGEST_NAME, key=f"{key} name"
        )
        if st.form_submit_button("Save", type="primary"):
            save_and_tell(scenario, chosen, key)
    draw_saved(key)


def save_and_tell(scenario: Scenario, name: str, key: str) -> bool:
    """Save a scenario, or show what is wrong with that; returns whether it is saved. Nothing is overwritten."""
    try:
        if not name.strip():
            raise ScenarioError("A scenario needs a name; give it one")
        named = scenario.variant(name=name)
        library.plans_for(named)  # one whose own plans cannot be followed could not be opened again
        visit.current().saved[key] = library.save_document(named, "scenarios")
    except NextHourError as problem:
        draw_problems(problem)
        return False
    return True


def draw_saved(key: str) -> None:
    """Show what was saved here last, and where it can be looked at."""
    if scenario_id := visit.current().saved.get(key):
        st.success(escaped(f"Saved as {scenario_id}."))
        menu.page_link("lab", "Open it in the Lab", scenario_id)
