"""Which column of a CRM export says what, and which of its values mean what.

A `Mapping` is written by a person, or proposed from the headers (mapping_proposal.py) and then completed: what a
program cannot know (currency, date order, decimal mark, who is a partner) stands there as "?", and loading asks for it.

What the cells of a deal mean under it follows: how it ended, who sold it, its segment, amount, dates and stage.

Left out: reading the file (table_file.py), notations (notation.py), and which deals can be used (deal_table.py).
"""

import datetime
from collections import abc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from nexthour.calibrate.files import notation
from nexthour.calibrate.files.notation import DateOrder, Decimal, Question, Reason, as_text
from nexthour.calibrate.files.table_file import Layout
from sim.documents.declared import FrozenMap, Items, declare, validate
from sim.documents.messages import listed, show
from sim.documents.yaml_file import read_yaml
from sim.errors import TableError

UNANSWERED = "?"
ALL_DEALS = "all deals"
MOST_STAGES = 4
PERHAPS_NOBODY = {"-", "--", "none", "n/a", "na", "null", "nil", "no", "no partner", "direct", "(no value)", "unknown"}
"""Names of a partner that may mean that there is none."""

Column = Annotated[str, Field(min_length=1, max_length=200)]
Value = Annotated[str, Field(max_length=200)]
Values = Annotated[Items[Value], Field(max_length=500)]
Label = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", max_length=3)]

QUESTIONS = {
    "amount": "which column has the amount of a deal?",
    "currency": "in which currency are the amounts? Write its code, such as USD",
    "usd_per": "how many US dollars is one unit of this currency?",
    "decimal": 'which is the decimal mark of the numbers, "." or ","?',
    "date_order": "in which order are day, month and year: DMY, MDY or YMD?",
    "result": "which column says how a deal ended?",
    "won": "which values mean that the deal was won?",
    "lost": "which values mean that the deal was lost?",
    "route": "which column says whether a partner sold? Or name the column of the partner under partner_name instead",
    "direct": "which values mean the company's own sellers?",
    "partner": "which values mean a partner?",
    "created": "which column has the date on which a deal was opened?",
    "closed": "which column has the date on which a deal was closed?",
    "stages": "how far is a deal with this value, from 1 (begun) to 4 (about to close)? Delete what is not open",
    "as_of": "on which date was this exported? Write it as 2026-01-31",
}
"""The question that a field left open asks."""


class Mapping(Layout):
    """A mapping says which column of an export holds what, and which of its values mean what."""

    amount: Column = declare("column of the amount; 0 and empty are taken as not recorded", unit="column")
    currency: Currency | None = declare(
        "code of the currency of the amounts; with currency_column: where that is empty", unit="code", default=None
    )
    currency_column: Column | None = declare("column of each amount's currency", unit="column", default=None)
    usd_per: FrozenMap[Annotated[float, Field(gt=0, le=1e6)]] = declare(
        "US dollars for one unit of each currency but USD, by its name in the file; amounts in others are rejected",
        unit="US dollars by currency", default={}, validate_default=True,
    )  # fmt: skip
    decimal: Decimal | None = declare(
        "decimal mark of the numbers; null: they are plain, such as 1234 or 1234.5", unit="character", default=None
    )
    result: Column | None = declare("column that says how the deal ended", unit="column", default=None)
    won: Values = declare("values of it that mean won", unit="values", default=())
    lost: Values = declare("values of it that mean lost", unit="values", default=())
    open: Values = declare(
        "values of it that mean still open; empty: the keys of stages, if stage is the same column",
        unit="values", default=(),
    )  # fmt: skip
    is_won: Column | None = declare("column of true or false: won, in place of result", unit="column", default=None)
    is_closed: Column | None = declare("column of true or false: closed, with is_won", unit="column", default=None)
    route: Column | None = declare("column that says who sold", unit="column", default=None)
    direct: Values = declare(
        "values of it that mean the company's own sellers; without route: of partner_name, beside an empty one",
        unit="values", default=(),
    )  # fmt: skip
    partner: Values = declare("values of it that mean a partner", unit="values", default=())
    partner_name: Column | None = declare(
        "column of the partner's name; without route, an empty one means direct", unit="column", default=None
    )
    segment: Column | None = declare(
        "column of the segment: something known before the deal is; null: one segment", unit="column", default=None
    )
    segments: FrozenMap[Label] = declare(
        "names for values of the segment column; others are rejected. Empty: every value is its own name",
        unit="name by value", default={}, validate_default=True,
    )  # fmt: skip
    territory: Column | None = declare("column of the region or seller", unit="column", default=None)
    created: Column | None = declare("column of the date of opening", unit="column", default=None)
    closed: Column | None = declare("column of the date of closing", unit="column", default=None)
    cycle_days: Column | None = declare(
        "column of the days from opening to closing, in place of created", unit="column", default=None
    )
    closed_days_ago: Column | None = declare(
        "column of the days from closing to the export, in place of closed", unit="column", default=None
    )
    date_order: DateOrder | None = declare(
        "order of day, month and year in dates; null: they are like 2026-01-31 or typed", unit="order", default=None
    )
    as_of: datetime.date | None = declare(
        "date of the export; the age of open deals counts to it", unit="date", default=None
    )
    stage: Column | None = declare("column of the stage of open deals", unit="column", default=None)
    stages: FrozenMap[Annotated[int, Field(ge=1, le=MOST_STAGES)]] = declare(
        "stage of an open deal by value of that column; deals with others are rejected",
        unit="stage by value", default={}, validate_default=True,
    )  # fmt: skip
    id: Column | None = declare("column that must differ in every row", unit="column", default=None)
    quarters: float | None = declare(
        "length of the period in which these deals closed, for tables without a column of closings; else it is counted",
        unit="quarters", default=None, gt=0, le=80,
    )  # fmt: skip
    quarter_begins: datetime.date = declare(
        "a date on which a fiscal quarter begins", unit="date", default=datetime.date(2026, 1, 1)
    )
    source: Annotated[str, Field(max_length=300)] = declare(
        "what the file is and whether it is real; quoted in the scenario", unit="text", default=""
    )

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        for problem in (*self._money_problems(), *self._meaning_problems(), *self._time_problems()):
            raise ValueError(problem)
        return self

    def _money_problems(self) -> Iterator[str]:
        if self.currency is None and self.currency_column is None:
            yield f"currency is missing: {QUESTIONS['currency']}"
        if self.currency not in (None, "USD", *self.usd_per):
            yield f"usd_per has no rate for {self.currency}; add how many US dollars one {self.currency} is"

    def _meaning_problems(self) -> Iterator[str]:
        booleans = self.is_won is not None and self.is_closed is not None
        if (self.is_won is None) != (self.is_closed is None):
            yield "is_won and is_closed go together; give both, or result with its values"
        if booleans == (self.result is not None):
            yield "say how deals ended: give either result with won and lost, or is_won with is_closed"
        if self.route is None and self.partner_name is None:
            yield "say who sold: give route with direct and partner, or partner_name"
        needed = {"won": self.result, "lost": self.result, "direct": self.route, "partner": self.route}
        for name, column in needed.items():
            if column is not None and not getattr(self, name):
                yield f"{name} is empty: {QUESTIONS[name]} They stand in the column {show(column)}"
        if self.route is None and self.partner:
            yield "partner has values, but no column is named under route; every name in partner_name is a partner"
        if self.result is None and (self.won or self.lost or self.open):
            yield "won, lost and open are values of result, which is not given; with is_won leave them empty"
        for names in (("won", "lost", "open"), ("direct", "partner")):
            meaning: dict[str, str] = {}
            for name in names:
                for value in getattr(self, name):
                    if meaning.setdefault(value, name) != name:
                        yield f"{show(value)} stands under {meaning[value]} and under {name}; keep one"
        if len(set(self.segments.values())) != len(self.segments):
            yield "two values of segments have the same name; give each its own"

    def _time_problems(self) -> Iterator[str]:
        if (self.created is None) == (self.cycle_days is None):
            yield "say how long deals took: give either created (with closed) or cycle_days"
        if self.closed is not None and self.closed_days_ago is not None:
            yield "closed and closed_days_ago say the same; keep one"
        if self.created is not None and self.closed is None:
            yield "closed is missing: with created, give the column of the date of closing too"
        if self.quarters is None and self.closed is None and self.closed_days_ago is None:
            yield "quarters is missing: without a column of closings, give the length of the period"
        if self.open_values and not self.takes_open_deals:
            yield "open deals need stage, stages, created and as_of; give these, or leave open empty"
        if (self.stage is None) != (not self.stages):
            yield "stage and stages go together; give both or none"

    @property
    def open_values(self) -> tuple[str, ...]:
        """Values of result that mean open."""
        return self.open or (tuple(self.stages) if self.stage == self.result else ())

    @property
    def takes_open_deals(self) -> bool:
        """Whether all is known that an open deal needs."""
        return bool(self.stages) and None not in (self.stage, self.created, self.as_of)

    def columns(self) -> dict[str, str]:
        """Field to column, for the columns that are used."""
        named = {field: getattr(self, field) for field in COLUMN_FIELDS}
        return {field: column for field, column in named.items() if column is not None}


COLUMN_FIELDS = (
    "id", "result", "is_won", "is_closed", "route", "partner_name", "segment", "territory", "amount", "currency_column",
    "created", "closed", "cycle_days", "closed_days_ago", "stage",
)  # fmt: skip


def load_mapping(path: Path | str) -> Mapping:
    """The mapping in a YAML file. Raises TableError, a sentence for each thing that is wrong or still open in it."""
    data, _ = read_yaml(path, TableError)
    return make_mapping(data, str(path))


def make_mapping(data: object, where: str = "mapping") -> Mapping:
    """A mapping from plain data, as from the options of a command: {"amount": "Value", "won": ["Won"]}."""
    if not isinstance(data, dict):
        holds = "nothing" if data is None else show(data)
        raise TableError(
            f"{where}: holds {holds}, not a mapping; start from a file in scenarios/mappings/ or from nexthour mapping"
        )
    open_questions = [f"{where}: {name} is still open: {question}" for name, question in unanswered(data)]
    if open_questions:
        raise TableError(*open_questions)
    return validate(Mapping, data, where, TableError)


def unanswered(data: dict[Any, Any]) -> Iterator[tuple[str, str]]:
    """Each field that holds a "?", anywhere in it, with the question that is asked there."""
    for name, value in data.items():
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        places = [str(key) for key, content in inner if content == UNANSWERED]
        if isinstance(value, dict) and places:
            name = f"{name} ({listed([show(place) for place in places])})"
        if value == UNANSWERED or places:
            yield str(name), QUESTIONS.get(str(name).partition(" ")[0], "what stands here?")


MOST_USD = 10**9
MOST_OF_A_CURRENCY = 10**15
MOST_DAYS = 3640
REMEMBERED = 50_000
"""Different cells of a column whose meaning is remembered: most columns repeat themselves."""
IS_LOST, IS_WON, IS_OPEN, UNKNOWN = range(4)


@dataclass(frozen=True)
class Meaning:
    """How some cells of a row become one value."""

    fields: tuple[str, ...]
    """fields of the mapping; a reason is about the column of the first that the file has"""
    read: Callable[..., Any]
    """takes a cell for each of these columns that the file has, and gives their value or a Reason"""
    otherwise: Any
    """stands in for the value in a row that is rejected"""
    matters: tuple[int, ...] = (IS_LOST, IS_WON, IS_OPEN)
    """endings of the deals to which the value matters"""


def meanings(mapping: Mapping) -> dict[str, Meaning]:
    """Each value of a deal with how its cells are read. Meanings of repeated cells are remembered."""
    closed, nan = (IS_LOST, IS_WON), float("nan")
    number_of_days = partial(notation.parse_number, decimal=mapping.decimal, most=MOST_DAYS)
    date = partial(notation.parse_day, order=mapping.date_order)
    by_name = {
        "outcome": Meaning(("is_closed", "is_won", "result"), _outcome(mapping), UNKNOWN),
        "seller": Meaning(("route", "partner_name"), _seller(mapping), ("", "")),
        "segment": Meaning(("segment",), _segment(mapping), ALL_DEALS),
        "territory": Meaning(("territory",), notation.parse_label, ""),
        "amount": Meaning(("amount", "currency_column"), _usd(mapping), nan),
        "created": Meaning(("created",), date, nan),
        "closed": Meaning(("closed",), date, nan, closed),
        "cycle_days": Meaning(("cycle_days",), number_of_days, nan, closed),
        "closed_days_ago": Meaning(("closed_days_ago",), number_of_days, nan, closed),
        "stage": Meaning(("stage",), _look_up(mapping.stages, "not among the stages"), nan, (IS_OPEN,)),
    }
    remember = lru_cache(REMEMBERED, typed=True)
    return {name: replace(meaning, read=remember(meaning.read)) for name, meaning in by_name.items()}


def _look_up(values: abc.Mapping[str, Any], otherwise: str) -> Callable[[Any], Any]:
    """Reads a cell as the value that a table has for its text, else says what the text is."""
    return lambda cell: values.get(as_text(cell), Reason(f"{show(as_text(cell))} is {otherwise}"))


def _outcome(mapping: Mapping) -> Callable[..., int | Reason]:
    """Reads how a deal ended: IS_WON, IS_LOST or IS_OPEN."""
    usable = IS_OPEN if mapping.takes_open_deals else Reason("is open; to use open deals give stage, stages and as_of")
    if mapping.result is None:

        def of_booleans(is_closed: Any, is_won: Any) -> int | Reason:
            closed, won = notation.parse_bool(is_closed), notation.parse_bool(is_won)
            if isinstance(closed, Reason):
                return closed
            if isinstance(won, Reason):
                return Reason(f"is {as_text(is_closed)}, and {mapping.is_won} {won}")
            if won and not closed:
                return Reason(f"is {as_text(is_closed)}, but {mapping.is_won} is {as_text(is_won)}")
            return (IS_WON if won else IS_LOST) if closed else usable

        return of_booleans
    meaning: dict[str, int] = {
        **dict.fromkeys(mapping.won, IS_WON),
        **dict.fromkeys(mapping.lost, IS_LOST),
        **dict.fromkeys(mapping.open_values, IS_OPEN),
    }
    return _look_up(meaning, "neither won, lost nor open" if mapping.open_values else "neither won nor lost")


def _seller(mapping: Mapping) -> Callable[..., tuple[str, str] | Reason]:
    """Reads the route, and the partner's name where it has one."""

    def named(cell: Any) -> tuple[str, str] | Reason:
        name = notation.parse_label(cell)
        if isinstance(name, Reason):
            return name
        if name.lower() in PERHAPS_NOBODY and name not in mapping.direct:
            raise Question("may mean that no partner sold", "list it under direct if so, else write the name out")
        return ("direct", "") if name in ("", *mapping.direct) else ("partner", name)

    if mapping.route is None:
        return named

    def routed(cell: Any, name: Any = "") -> tuple[str, str] | Reason:
        if as_text(cell) in mapping.direct:
            return "direct", ""
        if as_text(cell) not in mapping.partner:
            return Reason(f"{show(as_text(cell))} is neither direct nor partner")
        partner = notation.parse_label(name)
        if isinstance(partner, Reason):
            return Reason(f"{show(as_text(cell))} is usable, but {mapping.partner_name} {partner}")
        return "partner", partner

    return routed


def _segment(mapping: Mapping) -> Callable[..., str | Reason]:
    if mapping.segments:
        return _look_up(mapping.segments, "not among the segments")
    return lambda cell: notation.parse_label(cell) or Reason("is empty")


def _usd(mapping: Mapping) -> Callable[..., float | Reason]:
    """Reads an amount in US dollars; 0 where none was recorded."""
    rates = {"USD": 1.0, **mapping.usd_per}

    def read(cell: Any, currency: Any = "") -> float | Reason:
        if not as_text(cell):
            return 0.0  # not recorded; to reject it would leave out lost deals, of which many have none
        value, mark = notation.parse_money(cell, mapping.decimal, MOST_OF_A_CURRENCY)
        if isinstance(value, Reason):
            return value
        code = as_text(currency) or mapping.currency
        if code is None:
            return Reason("has no currency")
        if mark and notation.is_currency(code) and code not in notation.currency_codes(mark):
            if len(notation.currency_codes(mark)) > 1:
                return Reason(f"is in {mark}, not in {code}")
            code = notation.currency_codes(mark)[0]
        if code not in rates:
            return Reason(f"is in {show(code)}, for which usd_per has no rate")
        usd = value * rates[code]
        return usd if usd <= MOST_USD else Reason(f"is out of bounds; allowed: 0 to {MOST_USD:,} US dollars")

    return read
