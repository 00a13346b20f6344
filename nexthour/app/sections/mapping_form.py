"""Which column of an export says what: the proposed mapping with its open questions, as a form.

    data = draw(upload, proposal, base, key)

`base` is plain data as `make_mapping` takes it, "?" where a person has to answer; so is what is returned. Questions
and meanings are those of the declarations. Left out: names for values of the segment column, which only a mapping file
gives; they stay as they are.
"""

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import streamlit as st

from nexthour.app.controls import column_pairs
from nexthour.app.page import caption, escaped
from nexthour.calibrate.deals.mapping import MOST_STAGES, QUESTIONS, UNANSWERED
from nexthour.calibrate.deals.mapping import Mapping as DealMapping
from nexthour.calibrate.deals.mapping_proposal import MOST_STAGES_ASKED, Counted, Proposal, count_values
from nexthour.calibrate.files.notation import FIRST_YEAR, LAST_YEAR, DateOrder, as_text
from nexthour.calibrate.files.table_file import Layout, open_table
from nexthour.jobs.uploads import Upload, on_disk
from nexthour.report.numbers import count_of, whole
from nexthour.report.text import with_capital

LAYOUT = tuple(Layout.model_fields)
FIRST_DAY, LAST_DAY = datetime.date(FIRST_YEAR, 1, 1), datetime.date(LAST_YEAR, 12, 31)
NOT_OPEN = "not open: leave out"
PLAIN_NUMBERS, PLAIN_DATES = "plain, such as 1234.5", "like 2026-01-31"
SEPARATOR_WORDS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
BY_COLUMN, BY_TRUTH = "one column", "two columns of true or false"
BY_NAME, BY_ROUTE = "a column has the partner's name", "a column says direct or partner"
LONGEST_SOURCE = 300
MOST_OFFERED = 500
"""Columns, or values of a column, that a control offers: the browser gets all of them, for each control. Mappings take
no more values of a meaning."""

MOST_READ_AT_ONCE = 60
"""Columns."""
MOST_ROWS_LOOKED_AT = 10_000
"""Of a very long file the form shows what stands in the first rows; a fit reads all of them."""


class _MappingForm:
    """A form under way: what is known, and the answers so far."""

    def __init__(self, upload: Upload, proposal: Proposal, base: Mapping[str, Any], key: str) -> None:
        self.upload, self.proposal, self.base, self.key = upload, proposal, base, key
        self.layout = Layout.model_validate({name: base[name] for name in LAYOUT if name in base})
        self.header = _column_names(upload.digest, self.layout.model_dump_json(), upload)
        self.answers: dict[str, Any] = {name: base[name] for name in (*LAYOUT, "segments") if name in base}
        self.rows: int | None = None
        """how many of the first rows were looked at, if not all"""

    def label(self, name: str) -> str:
        """The question where one is asked, else what the field means."""
        meaning, _, _ = str(DealMapping.model_fields[name].description).partition(";")
        return escaped(question(name) or with_capital(meaning))

    def known(self, name: str) -> Any:
        """What is known of a field, None if nothing is."""
        value = self.base.get(name)
        return None if value in (UNANSWERED, [UNANSWERED]) else value

    def key_of(self, name: str) -> str:
        return f"{self.key} {name}"

    def values(self, column: str | None) -> list[str]:
        """The different values of a column, the most frequent first."""
        if column not in self.header:
            return []
        # All at once, as it is reading the file that takes time; but of a very wide one only what is asked for.
        columns = tuple(self.header) if len(self.header) <= MOST_READ_AT_ONCE else (str(column),)
        found = _values_of(self.upload.digest, self.layout.model_dump_json(), columns, self.upload)
        self.rows = found.rows if not found.is_all else None
        return list(dict.fromkeys(as_text(value) for value, _ in found.by_column[str(column)].most_common()))

    def column(self, name: str, needed: bool = True) -> str | None:
        """Ask for a column."""
        known = self.known(name)
        options = list(dict.fromkeys([*self.header[:MOST_OFFERED], *([known] if known else [])]))
        chosen: str | None = st.selectbox(
            self.label(name), options, options.index(known) if known else None, key=self.key_of(name), format_func=str,
            placeholder="Choose a column" if needed else "None",
        )  # fmt: skip
        self.answers[name] = chosen if chosen is not None or not needed else UNANSWERED
        return chosen

    def meanings(self, name: str, column: str | None, needed: bool = True) -> list[str]:
        """Ask which values of a column mean this."""
        known = list(self.known(name) or ())
        values = self.values(column)
        options = list(dict.fromkeys([*values[:MOST_OFFERED], *known]))
        chosen: list[str] = st.multiselect(
            self.label(name), options, known, key=self.key_of(name), placeholder="Choose values",
            format_func=lambda value: value if value.strip() else "(empty)",
        )  # fmt: skip
        self.answers[name] = chosen or ([UNANSWERED] if needed else [])
        if len(values) > MOST_OFFERED:
            caption(f"The {whole(MOST_OFFERED)} most frequent values can be chosen here, others in a mapping file.")
        return chosen

    def show_findings(self, name: str) -> None:
        """Show what the file says about a question."""
        for line in self.proposal.found.get(name, ()):
            caption(line)


def draw(upload: Upload, proposal: Proposal, base: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Draw the form; returns the mapping as answered so far. Raises TableError if the file cannot be read."""
    asking = _MappingForm(upload, proposal, base, key)
    caption_left_out(len(asking.header), MOST_OFFERED, "column")
    left, right = st.columns(2, gap="large")
    for place, title, part in (
        (left, "How deals ended", _ask_result),
        (right, "Money", _ask_money),
        (right, "When", _ask_time),
        (left, "Who sold", _ask_route),
    ):
        with place:
            st.markdown(f"**{title}**")
            part(asking)
    with st.expander("Segments, territories and more"):
        _ask_rest(asking)
    if asking.rows is not None:
        caption(
            f"The file is long: its first {count_of(asking.rows, 'row')} were looked at for this form. Values that "
            "only later rows have can be given in a mapping file. The fit reads all rows."
        )
    # In the order of the declaration, as a file would have it, and without what is as usual.
    made = {name: asking.answers[name] for name in DealMapping.model_fields if name in asking.answers}
    return {name: value for name, value in made.items() if value not in (None, [], {}) or name == "sheet"}


def caption_left_out(number: int, shown: int, what: str) -> None:
    """Say in small print that not all columns or values can be chosen, if there are too many to offer."""
    if number > shown:
        there, first = count_of(number, what), whole(shown)
        caption(f"The file has {there}; the first {first} can be chosen here, others in a mapping file.")


def question(name: str) -> str:
    """What is asked about a field, "" if nothing is; without how a file would have to say it."""
    asked, mark, _ = QUESTIONS.get(name.partition(" ")[0], "").partition("?")
    return with_capital(asked + mark)


def draw_layout(base: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Ask how the file is laid out; returns what was said, without what is as usual."""
    usual: dict[str, Any] = {"separator": ",", "encoding": "", "header_row": 1, "sheet": ""}
    known = {name: base.get(name) or value for name, value in usual.items()}
    marks = list(SEPARATOR_WORDS)
    first, second = st.columns(2)
    says = {
        "separator": first.selectbox(
            _layout_label("separator"), marks, marks.index(known["separator"]),
            format_func=SEPARATOR_WORDS.__getitem__, key=f"{key} separator",
        ),
        "encoding": first.text_input(
            _layout_label("encoding"), known["encoding"], max_chars=40, key=f"{key} encoding",
        ),
        "header_row": second.number_input(
            _layout_label("header_row"), 1, 1000, known["header_row"], key=f"{key} header_row",
        ),
        "sheet": second.text_input(_layout_label("sheet"), known["sheet"], max_chars=100, key=f"{key} sheet"),
    }  # fmt: skip
    return {name: value for name, value in says.items() if value != usual[name]}


def _layout_label(name: str) -> str:
    return escaped(with_capital(str(Layout.model_fields[name].description).replace("null:", "empty:")))


def _ask_result(form: _MappingForm) -> None:
    ways = [BY_COLUMN, BY_TRUTH]
    place = ways.index(BY_COLUMN if form.known("is_won") is None else BY_TRUTH)
    way = st.selectbox("How it ended stands in", ways, place, key=form.key_of("ending way"))
    if way == BY_TRUTH:
        form.column("is_won")
        form.column("is_closed")
        result, ended = None, list[str]()
    else:
        result = form.column("result")
        ended = form.meanings("won", result) + form.meanings("lost", result)
    wanted = st.checkbox("Take the open deals too", "stages" in form.base, key=form.key_of("takes open"))
    if not wanted:
        return
    stage = form.column("stage")
    if result is not None and stage != result:
        form.meanings("open", result)
    _ask_stages(form, [value for value in form.values(stage) if value not in ended and value != ""])
    known = form.known("as_of")
    day = st.date_input(form.label("as_of"), known, FIRST_DAY, LAST_DAY, key=form.key_of("as_of"))
    form.answers["as_of"] = day if isinstance(day, datetime.date) else UNANSWERED


def _ask_stages(form: _MappingForm, values: Sequence[str]) -> None:
    known = form.known("stages") or {}
    caption(question("stages"))
    answers: dict[str, Any] = {}
    options: list[Any] = [*range(1, MOST_STAGES + 1), NOT_OPEN]
    asked = values[:MOST_STAGES_ASKED]
    caption_left_out(len(values), MOST_STAGES_ASKED, "stage")
    for spot, value in zip(column_pairs(len(asked)), asked, strict=True):
        before = known.get(value)
        # A mapping that was answered leaves out what is not open.
        left_out = bool(known) and UNANSWERED not in known.values() and before is None
        place = len(options) - 1 if left_out else options.index(before) if before in options else None
        with spot:
            key = form.key_of(f"stage {value}")
            chosen = st.selectbox(escaped(value), options, place, key=key, placeholder="Choose")
        if chosen != NOT_OPEN:
            answers[value] = UNANSWERED if chosen is None else chosen
    form.answers["stages"] = answers


def _ask_money(form: _MappingForm) -> None:
    form.column("amount")
    _ask_choice(form, "decimal", [".", ","], PLAIN_NUMBERS)
    column = form.column("currency_column", needed=False)
    codes = [code for code in form.values(column) if code not in ("", "USD")]
    if column is None or "" in form.values(column):
        known, key = form.known("currency") or "", form.key_of("currency")
        text = st.text_input(form.label("currency"), known, max_chars=3, key=key, placeholder="USD")
        code = text.strip().upper()
        form.answers["currency"] = code or UNANSWERED
        codes += [code] if code not in ("", "USD", *codes) else []
    rates = form.known("usd_per") or {}
    caption_left_out(len(codes), MOST_STAGES_ASKED, "currency code")
    form.answers["usd_per"] = {code: _ask_rate(form, code, rates.get(code)) for code in codes[:MOST_STAGES_ASKED]}


def _ask_rate(form: _MappingForm, code: str, known: Any) -> Any:
    value = float(known) if isinstance(known, int | float) else None
    label, key = escaped(f"US dollars for one {code}"), form.key_of(f"rate {code}")
    rate = st.number_input(label, 0.0, 1e6, value, key=key, format="%.6g")
    return UNANSWERED if rate is None else rate


def _ask_route(form: _MappingForm) -> None:
    by_route = "route" in form.base and form.known("partner_name") is None
    ways = [BY_NAME, BY_ROUTE]
    way = st.selectbox("Whether a partner sold", ways, int(by_route), key=form.key_of("route way"))
    if way == BY_ROUTE:
        route = form.column("route")
        form.meanings("direct", route)
        form.meanings("partner", route)
        form.column("partner_name", needed=False)
        return
    names = form.column("partner_name")
    caption("An empty name means your own sellers.")
    form.show_findings("direct")
    form.meanings("direct", names, needed=form.base.get("direct") == [UNANSWERED])


def _ask_time(form: _MappingForm) -> None:
    form.column("created")
    form.column("closed")
    _ask_choice(form, "date_order", list(get_args(DateOrder)), PLAIN_DATES)


def _ask_choice(form: _MappingForm, name: str, options: Sequence[str], usual: str) -> None:
    """Ask for one of some words; where nothing has to be asked, what is usual stands there."""
    known = form.known(name)
    all_options = [usual, *options]
    asked = form.base.get(name) == UNANSWERED
    place = None if asked else all_options.index(known) if known is not None else 0
    form.show_findings(name)
    chosen = st.selectbox(form.label(name), all_options, place, key=form.key_of(name), placeholder="Choose")
    form.answers[name] = UNANSWERED if chosen is None else None if chosen == usual else chosen


def _ask_rest(form: _MappingForm) -> None:
    for name in ("segment", "territory", "id"):
        form.column(name, needed=False)
    begins = form.base.get("quarter_begins")
    usual = DealMapping.model_fields["quarter_begins"].default
    label, key = form.label("quarter_begins"), form.key_of("quarter_begins")
    day = st.date_input(label, begins or usual, FIRST_DAY, LAST_DAY, key=key)
    form.answers["quarter_begins"] = day if isinstance(day, datetime.date) and day != usual else None
    source, key = form.base.get("source") or "", form.key_of("source")
    form.answers["source"] = st.text_input(form.label("source"), source, max_chars=LONGEST_SOURCE, key=key)


@st.cache_data(max_entries=100, show_spinner=False)
def _column_names(digest: str, layout: str, _upload: Upload) -> list[str]:
    with on_disk(_upload) as path:
        header = open_table(path, Layout.model_validate_json(layout)).header
    return [column for column, times in Counter(header).items() if column and times == 1]


@st.cache_resource(max_entries=3, show_spinner="Reading ...")
def _values_of(digest: str, layout: str, columns: tuple[str, ...], _upload: Upload) -> Counted:
    with on_disk(_upload) as path:
        return count_values(open_table(path, Layout.model_validate_json(layout)), columns, MOST_ROWS_LOOKED_AT)
