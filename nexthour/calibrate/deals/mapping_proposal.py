"""A first mapping for an export, from its headers and values, for a person to complete.

Columns are proposed where their names are those of a CRM (crm.py), meanings of values only where the CRM's own words
say so ("Closed Won"). All else stays a question: the currency, the order of dates, the decimal mark where numbers are
not plain, who is a partner, how far a stage is. The file's own values stand beside the question as comments.

Left out: guessing.
"""

import re
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any, NamedTuple, get_args

from nexthour.calibrate.deals.crm import CRMS, Crm, CrmName, column_of, count_known_columns, recognise_crm
from nexthour.calibrate.deals.mapping import COLUMN_FIELDS, PERHAPS_NOBODY, QUESTIONS, UNANSWERED, Mapping, unanswered
from nexthour.calibrate.files import table_file
from nexthour.calibrate.files.notation import DateOrder, Question, Reason, as_text, parse_bool, parse_day, parse_money
from nexthour.calibrate.files.table_file import PLAIN, SEPARATORS, Layout, TableFile, open_table
from sim.documents.files import write_whole
from sim.documents.messages import listed, show
from sim.documents.yaml_file import marked_whole
from sim.errors import TableError, short_line

MOST_DISTINCT = 2_000
"""Different values of a column that are counted."""
ROWS_AT_A_TIME = 1_000
"""Rows between two looks at how many there were, where not all have to be looked at."""
LOOK_SECONDS = 2.0
"""Time of the processor after which no more rows are looked at, where not all have to be."""
VALUES_SHOWN = 12
MOST_STAGES_ASKED = 40
"""Stages, and currencies, that are asked about."""
MOST_HINTS = 3
"""Columns that may say who sold, whose values are shown."""
ROUTE_HINT = re.compile(
    r"partner|reseller|channel|route|indirect|distribut|alliance|lead source|leadsource|^type$|deal type"
)
COLUMN_WIDTH = 110
MEANINGS = ("won", "lost", "open")


@dataclass(frozen=True)
class Proposal:
    """A mapping to be completed."""

    file: str
    """name of the export, without its folder"""
    crm: CrmName | None
    mapping: dict[str, Any]
    """"?" where a person has to answer"""
    questions: tuple[str, ...]
    found: dict[str, list[str]]
    """sentences on what the file says, by field of the mapping"""

    def columns(self) -> dict[str, str]:
        """Field of the mapping to the column that is proposed for it."""
        named = {name: self.mapping.get(name) for name in COLUMN_FIELDS}
        return {name: column for name, column in named.items() if column not in (None, UNANSWERED)}

    def as_dict(self) -> dict[str, Any]:
        """The proposal as plain data, for JSON."""
        return asdict(self)


def propose_mapping(path: Path | str, layout: Layout = PLAIN, most_rows: int | None = None) -> Proposal:
    """Propose a mapping for an export, as far as it can be known. Raises TableError if the file cannot be read.

    The separator and the header's row are found; encoding and sheet are taken from `layout`. With `most_rows` only the
    first rows are looked at, as in `count_values`.
    """
    table = open_table(path, _find_layout(path, layout))
    crm = recognise_crm(table.header)
    draft = _Draft(table, crm, most_rows)
    for fields_of in (_money_fields, _result_fields, _route_fields, _time_fields, _other_fields):
        draft.mapping.update(fields_of(draft))
    mapping = {name: draft.mapping[name] for name in Mapping.model_fields if name in draft.mapping}
    questions = tuple(f"{name}: {question}" for name, question in unanswered(mapping))
    return Proposal(table.name, None if crm is None else crm.name, mapping, questions, draft.found)


def save_proposal(proposal: Proposal, path: Path | str) -> None:
    """Write the proposal as an editable YAML file. Raises TableError."""
    write_whole(path, proposal_text(proposal), TableError)


def proposal_text(proposal: Proposal) -> str:
    """The proposal as an editable YAML document, with a comment for each field."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 1000
    recognised = f"recognised as an export of {proposal.crm}" if proposal.crm else "an export of no CRM that is known"
    out = StringIO()
    _comment(out, f'Mapping of {proposal.file}, {recognised}. Answer every "?", then run nexthour calibrate.')
    for name, value in proposal.mapping.items():
        out.write("\n")
        _comment(out, f"{Mapping.model_fields[name].description}")
        for line in proposal.found.get(name, ()):
            _comment(out, f"  {line}")
        if any(name == asked for asked, _ in unanswered({name: value})) or (isinstance(value, dict) and value):
            _comment(out, f"  QUESTION: {QUESTIONS[name]}")
        yaml.dump({name: value}, out)
    return marked_whole(out.getvalue())


def _comment(out: StringIO, text: str) -> None:
    indent = "#   " if text.startswith("  ") else "# "
    for line in textwrap.wrap(short_line(text.strip()), COLUMN_WIDTH, break_long_words=False, break_on_hyphens=False):
        out.write(f"{indent}{line}\n")


class _Draft:
    """A proposal that is being made: the columns that were recognised, and the values that stand in them."""

    def __init__(self, table: TableFile, crm: Crm | None, most_rows: int | None) -> None:
        self.table, self.crm = table, crm
        crms = CRMS if crm is None else (crm,)
        self.columns = {field: column_of(field, table.header, crms) for field in COLUMN_FIELDS}
        times = Counter(table.header)
        hints = (column for column in times if column and times[column] == 1 and ROUTE_HINT.search(column.casefold()))
        self.hints = list(islice(hints, MOST_HINTS))
        wanted = list(dict.fromkeys(column for column in (*self.columns.values(), *self.hints) if column))
        self.values = count_values(table, wanted, most_rows).by_column
        self.mapping: dict[str, Any] = {}
        self.found: dict[str, list[str]] = {}

    def values_of(self, field: str) -> Counter[Any]:
        """How often each value of a field's column occurs; empty if there is no such column."""
        return self.values.get(self.columns[field] or "", Counter())

    def note(self, field: str, text: str) -> None:
        """Write beside a field what the file says about it."""
        self.found.setdefault(field, []).append(text)

    def note_columns(self, field: str) -> None:
        """Write beside a field which columns there are."""
        self.note(field, f"columns of the file: {listed([column for column in self.table.header if column])}")


class Counted(NamedTuple):
    """How often each value stands in some columns."""

    by_column: dict[str, Counter[Any]]
    rows: int
    """rows that were looked at"""
    is_all: bool
    """whether there are no others"""


def count_values(table: TableFile, columns: Sequence[str], most_rows: int | None = None) -> Counted:
    """Count the values of some columns; of one with over MOST_DISTINCT, the first. Raises TableError.

    With `most_rows` all values of about that number of the first rows are counted, or of fewer where reading takes
    LOOK_SECONDS of the processor.
    """
    values: dict[str, Counter[Any]] = {column: Counter() for column in columns}
    rows, deadline = 0, time.thread_time() + LOOK_SECONDS
    at_a_time = {} if most_rows is None else {"rows": ROWS_AT_A_TIME}
    for block in table.blocks(columns, **at_a_time) if columns else ():
        if most_rows is not None and (rows >= most_rows or time.thread_time() > deadline):
            return Counted(values, rows, False)
        rows += len(block)
        for column, counter in values.items():
            if most_rows is not None or len(counter) < MOST_DISTINCT:
                counter.update(block[column].tolist())
    return Counted(values, rows, True)


def _find_layout(path: Path | str, layout: Layout) -> Layout:
    """The layout under which the header has the most columns that are known; if none is, the most columns."""
    found: dict[tuple[int, int, int, int], tuple[str, int]] = {}
    problem = None
    for place, separator in enumerate(SEPARATORS[:1] if table_file.is_workbook(path) else SEPARATORS):
        try:
            rows = table_file.first_rows(path, layout.model_copy(update={"separator": separator}))
        except TableError as refusal:
            problem = problem or refusal
            continue
        for number, cells in enumerate(rows, 1):
            found.setdefault((count_known_columns(cells), sum(map(bool, cells)), -number, -place), (separator, number))
    if not found:
        raise problem or TableError(f"{path}: the file is empty; give a CSV or XLSX file with a header")
    best = dict(zip(("separator", "header_row"), found[max(found)], strict=True))
    return Layout.model_validate({**best, **layout.model_dump(exclude_unset=True)})


def _list_values(counter: Counter[Any]) -> str:
    shown = [f"{show(as_text(value))} ({rows:,})" for value, rows in counter.most_common(VALUES_SHOWN)]
    more = f" and {len(counter) - VALUES_SHOWN:,} more" if len(counter) > VALUES_SHOWN else ""
    return ", ".join(shown) + more


def _money_fields(draft: _Draft) -> Iterator[tuple[str, Any]]:
    yield "amount", draft.columns["amount"] or UNANSWERED
    if draft.columns["amount"] is None:
        draft.note_columns("amount")
    yield "decimal", None
    for cell in draft.values_of("amount"):
        try:
            parse_money(cell, None, inf)
        except Question as question:
            draft.note("decimal", f"{draft.columns['amount']} is {show(cell)}, which {question.text}")
            yield "decimal", UNANSWERED
            break
    currencies = [as_text(value) for value in draft.values_of("currency_column")]
    if currencies:
        yield "currency_column", draft.columns["currency_column"]
        draft.note("currency_column", f"values: {_list_values(draft.values_of('currency_column'))}")
        codes = [code for code in currencies if code not in ("", "USD")]
        yield "usd_per", dict.fromkeys(codes[:MOST_STAGES_ASKED], UNANSWERED)
        if len(codes) > MOST_STAGES_ASKED:
            draft.note("usd_per", f"and {len(codes) - MOST_STAGES_ASKED:,} more values, which will be rejected")
    if not currencies or "" in currencies:
        yield "currency", UNANSWERED


def _result_fields(draft: _Draft) -> Iterator[tuple[str, Any]]:
    """Fields that say how deals ended, and how far those are that have not."""
    columns, ended, stages = draft.columns, draft.values_of("result"), draft.values_of("stage")
    meant = {name: [value for value in map(as_text, ended) if _is_word(value, name, draft.crm)] for name in MEANINGS}
    all_words = [value for values in meant.values() for value in values]
    if columns["is_won"] and columns["is_closed"]:
        yield "is_won", columns["is_won"]
        yield "is_closed", columns["is_closed"]
        some_open = any(parse_bool(value) is False for value in draft.values_of("is_closed"))
    else:
        yield "result", columns["result"] or UNANSWERED
        draft.note("result", f"values: {_list_values(ended)}") if ended else draft.note_columns("result")
        yield "won", meant["won"] or [UNANSWERED]
        yield "lost", meant["lost"] or [UNANSWERED]
        same = columns["result"] == columns["stage"]
        some_open = bool(set(map(as_text, ended)) - {*all_words, ""}) if same else bool(meant["open"])
        if meant["open"] and stages:
            yield "open", meant["open"]
    if some_open and stages:
        yield "stage", columns["stage"]
        draft.note("stage", f"values: {_list_values(stages)}")
        draft.note("stage", "to leave open deals out, delete open, stage, stages and as_of")
        asked = [as_text(value) for value, _ in stages.most_common(MOST_STAGES_ASKED)]
        yield "stages", {value: UNANSWERED for value in asked if value not in (*all_words, "")}
        yield "as_of", UNANSWERED


def _is_word(value: str, name: str, crm: Crm | None) -> bool:
    """Whether a value is the CRM's own word, perhaps with the pipeline's name in brackets, for won, lost or open."""
    own_words = [word.casefold() for each in (CRMS if crm is None else (crm,)) for word in each.words[name]]
    return re.sub(r" \(.*\)$", "", value.casefold()) in own_words


def _route_fields(draft: _Draft) -> Iterator[tuple[str, Any]]:
    names = draft.values_of("partner_name")
    if names:
        yield "partner_name", draft.columns["partner_name"]
        draft.note("partner_name", f"values: {_list_values(names)}")
        perhaps = [as_text(value) for value in names if as_text(value).lower() in PERHAPS_NOBODY]
        if perhaps:
            yield "direct", [UNANSWERED]
            draft.note("direct", f"perhaps no partner: {listed(perhaps)}")
        return
    yield from {"route": UNANSWERED, "direct": [UNANSWERED], "partner": [UNANSWERED]}.items()
    for column in draft.hints:
        draft.note("route", f"values of {column}: {_list_values(draft.values[column])}")
    draft.note_columns("route")


def _time_fields(draft: _Draft) -> Iterator[tuple[str, Any]]:
    for field in ("created", "closed"):
        yield field, draft.columns[field] or UNANSWERED
        if draft.columns[field] is None:
            draft.note_columns(field)
    dates = [cell for field in ("created", "closed") for cell in draft.values_of(field) if cell != ""]
    yield "date_order", None
    if not all(_is_day(cell, None) for cell in dates):
        yield "date_order", UNANSWERED
        draft.note("date_order", f"such as {', '.join(show(cell) for cell in dates[:4])}")
        for order in get_args(DateOrder):
            count = sum(_is_day(cell, order) for cell in dates)
            if count:
                draft.note("date_order", f"read as {order}, {count:,} of {len(dates):,} different dates exist")


def _is_day(cell: Any, order: DateOrder | None) -> bool:
    try:
        return not isinstance(parse_day(cell, order), Reason)
    except Question:
        return False


def _other_fields(draft: _Draft) -> Iterator[tuple[str, Any]]:
    yield "segment", None
    draft.note_columns("segment")
    yield "territory", None
    if draft.columns["id"] is not None:
        yield "id", draft.columns["id"]
    yield "quarters", None
    yield "source", short_line(f"export {draft.table.name}")[:300]
    layout = draft.table.layout.model_dump()
    yield from ((name, layout[name]) for name, value in PLAIN.model_dump().items() if layout[name] != value)
