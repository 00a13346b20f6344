"""A small table that people fill in: uploaded, the made-up one, or entered a row at a time in a form.

All three end as the same CSV file, read by the same reader as in the terminal, so that the same sentences answer the
same mistakes. Left out: what the rows mean (import_partners.py, import_judgement.py).
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Generic, TypeVar

import streamlit as st

from nexthour.app import controls
from nexthour.app.controls import shown_word
from nexthour.app.page import caption, caption_rest, escaped
from nexthour.app.state import cache, library, visit
from nexthour.app.state.visit import Imported
from nexthour.jobs.uploads import Upload, on_disk
from nexthour.report.calibration import TextTable
from nexthour.report.numbers import count_of, plain_number
from sim import NextHourError, TableError
from sim.documents.declared import Declared, validate
from sim.terms import LABEL_WORDS

LARGEST_MB = 2
ROWS_SHOWN = 50
PLAIN_NUMBERS = "plain, such as 1234.5"
MARKS = {PLAIN_NUMBERS: None, 'a decimal "."': ".", 'a decimal ","': ","}
LONGEST_ENCODING = 40
T = TypeVar("T", bound=Declared)


@dataclass(frozen=True)
class TableKind(Generic[T]):
    """A kind of table that people fill in, with its reader and its files."""

    key: str
    row: type[T]
    identity: tuple[str, ...]
    """columns that differ from row to row"""
    read: Callable[[Path, Any, str | None], tuple[T, ...]]
    """reads rows from path, decimal mark and encoding"""
    blank: str
    example: str
    """files in scenarios/"""


@dataclass(frozen=True)
class FilledTable(Generic[T]):
    """A table as far as it is filled in: its name and its rows."""

    name: str
    rows: tuple[T, ...]


BY_CONTENT = cache.BY_DIGEST | {FilledTable: repr}
"""What stands for arguments of cached functions of a filled table."""


def draw(kind: TableKind[T], words: Mapping[str, Sequence[str]]) -> FilledTable[T] | None:
    """Draw the ways in, and the rows there are; `words` are offered for a column of text."""
    ways, others = st.columns([2, 1], gap="large", vertical_alignment="bottom")
    with ways:
        _draw_upload(kind)
    with others:
        if st.button("Try it with a made-up table", key=f"{kind.key} example"):
            _read_table(kind, Upload.of(kind.example, (library.BUILT_IN / kind.example).read_bytes()))
        blank = (library.BUILT_IN / kind.blank).read_bytes()
        st.download_button("Download the blank table", blank, kind.blank, "text/csv", on_click="ignore")
    given = visit.current().imports[kind.key]
    with st.expander("Enter or change a row", expanded=given.content is None):
        _draw_form(kind, given, words)
    if given.problem:
        controls.draw_problems(given.problem)
    table: FilledTable[T] | None = given.content
    if table is not None:
        with st.expander(f"{count_of(len(table.rows), 'row')} of {escaped(table.name)}"):
            _draw_rows(kind, table)
    return table


def _draw_upload(kind: TableKind[T]) -> None:
    file = controls.upload_control("A table, CSV or XLSX", f"{kind.key} file", LARGEST_MB)
    with st.expander("Numbers or letters look wrong?"):
        st.selectbox("Numbers are written", list(MARKS), key=f"{kind.key} decimal")
        st.text_input(
            "Encoding of a text file that is not UTF-8, such as cp1252", key=f"{kind.key} encoding",
            max_chars=LONGEST_ENCODING,
        )  # fmt: skip
        again = st.button("Read it again", key=f"{kind.key} again")
    given = visit.current().imports[kind.key]
    given.upload = file or given.upload
    if given.upload is not None and (file or again):
        _read_table(kind, given.upload)


def _read_table(kind: TableKind[T], upload: Upload, decimal: str | None = None) -> bool:
    """Read a table; if that cannot be done, the one there was stays."""
    state, given = st.session_state, visit.current().imports[kind.key]
    encoding = state.get(f"{kind.key} encoding") or None
    try:
        with on_disk(upload) as path:
            rows = kind.read(path, decimal or MARKS[state.get(f"{kind.key} decimal", PLAIN_NUMBERS)], encoding)
        given.content, given.problem = FilledTable(upload.name, rows), None
    except NextHourError as problem:
        given.problem = problem
        return False
    return True


def _draw_form(kind: TableKind[T], given: Imported, words: Mapping[str, Sequence[str]]) -> None:
    table: FilledTable[T] | None = given.content
    rows = () if table is None else table.rows
    named = {_row_name(kind, row): row for row in rows}
    new = "a new row"
    chosen = st.selectbox("Row", [new, *named], key=f"{kind.key} row", format_func=str) if named else new
    before = named.get(chosen)
    with st.form(f"{kind.key} form {chosen}", clear_on_submit=before is None, border=False):
        data: dict[str, Any] = {}
        fields = kind.row.model_fields
        for place, (name, field) in zip(controls.column_pairs(len(fields)), fields.items(), strict=True):
            offered = words.get(name, ())
            label = f"{name.replace('_', ' ').capitalize()}: {controls.field_label(field)}"
            value = getattr(before, name) if before is not None else None
            if value is not None and offered and value not in offered:
                offered = (value, *offered)
            with place:
                if value is not None and offered:
                    answer = st.selectbox(
                        label, list(offered), list(offered).index(value), format_func=shown_word,
                        accept_new_options=True, key=f"{kind.key} {chosen} {name}",
                    )  # fmt: skip
                else:
                    answer = controls.field_control(field, value, f"{kind.key} {chosen} {name}", offered, label)
            if answer is not None:
                data[name] = answer
        caption("Leave blank what you do not know: blank is not 0.")
        put, away = st.columns(2)
        keeps = put.form_submit_button("Put it into the table", type="primary", width="stretch")
        goes = before is not None and away.form_submit_button("Take it out of the table", width="stretch")
    if not keeps and not goes:
        return
    others = [row for row in rows if row is not before]
    try:
        if keeps:
            row = validate(kind.row, data, "this row", TableError)
            others = [other for other in others if _row_name(kind, other) != _row_name(kind, row)]
            others.append(row)
    except NextHourError as problem:
        given.problem = problem
        return
    name = f"{kind.key}.csv" if table is None else table.name
    if not others:
        given.content = None
    elif not _read_table(kind, Upload.of(name, as_csv(kind.row, others)), decimal="."):
        return
    st.rerun()


def _row_name(kind: TableKind[T], row: T) -> str:
    return ", ".join(shown_word(getattr(row, name)) for name in kind.identity)


def _draw_rows(kind: TableKind[T], table: FilledTable[T]) -> None:
    shown = [name for name in kind.row.model_fields if any(getattr(row, name) not in (None, "") for row in table.rows)]
    cells = tuple(tuple(_cell_text(getattr(row, name)) for name in shown) for row in table.rows[:ROWS_SHOWN])
    controls.results_table(TextTable(tuple(name.replace("_", " ") for name in shown), cells), "The rows of the table")
    caption_rest(len(table.rows) - ROWS_SHOWN)
    data = as_csv(kind.row, table.rows)
    st.download_button("Download this table", data, f"{kind.key}.csv", "text/csv", on_click="ignore")


def _cell_text(value: Any) -> str:
    return "" if value is None else plain_number(value) if isinstance(value, int | float) else shown_word(value)


def as_csv(model: type[Declared], rows: Sequence[Declared]) -> bytes:
    """Rows as the CSV file from which they can be read again."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(model.model_fields)
    for row in rows:
        values = [getattr(row, name) for name in model.model_fields]
        writer.writerow("" if value is None else repr(value) if isinstance(value, float) else value for value in values)
    return out.getvalue().encode()


def partners_and_kinds(partners: Sequence[str]) -> list[str]:
    """Partners by name, then the labels that stand for any partner of a kind."""
    return [*partners, *LABEL_WORDS.values()]
