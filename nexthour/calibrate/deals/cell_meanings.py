"""What the cells of a deal mean under a mapping: how it ended, who sold it, its segment, amount, dates and stage.

Left out: which deals can be used (deal_table.py), and notations (notation.py).
"""

from __future__ import annotations

from collections import abc
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

from nexthour.calibrate.deals.mapping import ALL_DEALS, PERHAPS_NOBODY, Mapping
from nexthour.calibrate.files import notation
from nexthour.calibrate.files.notation import Question, Reason, as_text
from sim.documents.messages import show

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
