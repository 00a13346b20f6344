"""Numbers, amounts of money, dates and labels as people and their programs write them, one cell at a time.

A cell that says nothing usable gives a `Reason`. One that can be read in two ways, or that shows that its whole column
is written otherwise, raises a `Question`: to reject only such cells would lose the large amounts (1.234) and misread
the rest of the dates (13/02). Nothing is guessed.

Left out: names of months, words, percentages.
"""

import datetime
import re
from functools import cache
from math import isfinite
from typing import Any, Literal

from sim.documents.messages import show
from sim.errors import TableError

Decimal = Literal[".", ","]
DateOrder = Literal["YMD", "DMY", "MDY"]

FIRST_YEAR, LAST_YEAR = 1990, 2100
EPOCH = datetime.date(1970, 1, 1)
LONGEST_LABEL = 60
SPACES = " \u00a0\u2009\u202f"
APOSTROPHES = "'\u2019"
SIGNS = "-+\u2212"
SHORTENED = ("k", "m", "mm", "mn", "mio", "b", "bn", "mrd", "tsd")
CODES_BY_SYMBOL = {
    "$": "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP", "US$": "USD", "C$": "CAD", "CA$": "CAD", "A$": "AUD",
    "AU$": "AUD", "NZ$": "NZD", "S$": "SGD", "HK$": "HKD", "MX$": "MXN", "R$": "BRL", "€": "EUR", "£": "GBP",
    "¥": "JPY CNY", "₹": "INR", "₩": "KRW", "₪": "ILS", "₺": "TRY", "₽": "RUB", "₴": "UAH", "฿": "THB",
    "kr": "SEK NOK DKK ISK", "kr.": "DKK", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "lei": "RON", "R": "ZAR",
    "Fr.": "CHF",
}  # fmt: skip
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Reason(str):
    """Why a cell cannot be used: what follows the name of its column."""

    __slots__ = ()


class Question(Exception):
    """What has to be said before any cell of the column can be read.

    `text` follows column and cell, `answer` says what to do.
    """

    def __init__(self, text: str, answer: str) -> None:
        super().__init__(text, answer)
        self.text, self.answer = text, answer

    def about(self, where: str, cell: Any) -> TableError:
        """The error that asks this about a cell; `where` names file, row and column."""
        return TableError(f"{where} {show(cell)} {self.text}; {self.answer}")


# Numbers

_PLAIN = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")
_TWO_WAYS = re.compile(r"[-+]?[1-9][0-9]{0,2}\.[0-9]{3}")
_NUMBER_LIKE = re.compile(
    rf"([^0-9]*?)([.,]?[0-9](?:[0-9.,{APOSTROPHES}{SPACES}]*[0-9])?(?:[eE][-+]?[0-9]{{1,3}})?)([^0-9]*)"
)


@cache
def _number_pattern(decimal: Decimal) -> re.Pattern[str]:
    """Matches a number without sign: grouped by threes, or as in India, by one mark that is not the decimal one."""
    other = "," if decimal == "." else "."
    groups = rf"[1-9][0-9]{{0,2}}(?P<mark>[{other}{APOSTROPHES}{SPACES}])[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*"
    in_india = rf"[1-9][0-9]?(?:[{other}][0-9]{{2}})*[{other}][0-9]{{3}}"
    return re.compile(rf"(?:{groups}|{in_india}|[0-9]+)?(?:[{decimal}][0-9]+)?(?:[eE][-+]?[0-9]{{1,3}})?")


def parse_number(cell: Any, decimal: Decimal | None, most: float) -> float | Reason:
    """Read a number from 0 to `most`, in the unit of its column. Raises Question."""
    value, currency = parse_money(cell, decimal, most)
    return Reason("is not a number") if currency and not isinstance(value, Reason) else value


def parse_money(cell: Any, decimal: Decimal | None, most: float) -> tuple[float | Reason, str]:
    """Read an amount from 0 to `most`, and the currency's symbol or code if one is written. Raises Question.

    `decimal` is the mark of the column, None if only plain numbers such as 1234.5 stand in it.

    >>> parse_money("1.234,50 €", ",", 1e9)
    (1234.5, '€')
    """
    if isinstance(cell, str):
        value, currency = _money_of_text(cell, decimal)
    elif isinstance(cell, int | float) and not isinstance(cell, bool):
        value, currency = _as_float(cell), ""
    else:
        value, currency = Reason("is not a number"), ""
    if not isinstance(value, Reason):
        if value < 0:
            value = Reason("is negative")
        elif value > most:
            value = Reason(f"is out of bounds; allowed: 0 to {most:,.0f}")
    return value, currency


def _as_float(value: float | str) -> float | Reason:
    try:
        number = float(value)
    except (OverflowError, ValueError):
        number = float("inf")
    return number if isfinite(number) else Reason("is out of bounds, not a finite number")


def _money_of_text(text: str, decimal: Decimal | None) -> tuple[float | Reason, str]:
    if _PLAIN.fullmatch(text) and not _TWO_WAYS.fullmatch(text) and decimal != ",":
        return _as_float(text), ""
    match = _NUMBER_LIKE.fullmatch(text)
    if match is None or text.startswith(("=", "#")):
        return Reason(_why_no_number(text)), ""
    head, core, tail = (part.strip(SPACES) for part in match.groups())
    around = head + tail
    sign, currency = _sign_and_currency(around)
    if currency.lower() in SHORTENED:
        raise Question("is shortened", "export whole numbers")
    if sign is None or not (currency == "" or is_currency(currency)):
        return Reason("is not a number"), ""
    if decimal is None:
        two_ways = "can be read in two ways" if _TWO_WAYS.fullmatch(core) or "," in core else "is no plain number"
        raise Question(two_ways, 'set decimal to "." or ","')
    if not _number_pattern(decimal).fullmatch(core):
        raise Question(f"has not {decimal!r} as its decimal mark", "correct decimal, or export plain numbers")
    for mark in {",", ".", *APOSTROPHES, *SPACES} - {decimal}:
        core = core.replace(mark, "")
    value = _as_float(core.replace(decimal, "."))
    return value if isinstance(value, Reason) else sign * value, currency


def _why_no_number(text: str) -> str:
    if not text:
        return "is empty"
    if text.startswith("="):
        return "is a formula, not a number"
    return "is an error of the spreadsheet, not a number" if text.startswith("#") else "is not a number"


def _sign_and_currency(around: str) -> tuple[int | None, str]:
    """What stands around the digits of a number: 1 or -1, None if that makes no sense, and the rest."""
    bracketed = around.startswith("(") and around.endswith(")")
    inside = around[1:-1] if bracketed else around
    signs = [letter for letter in inside if letter in SIGNS]
    rest = "".join(letter for letter in inside if letter not in SIGNS).strip(SPACES)
    if len(signs) + bracketed > 1:
        return None, rest
    return (-1 if bracketed or (signs and signs[0] != "+") else 1), rest


def is_currency(mark: str) -> bool:
    """Whether this is a currency's symbol or has the form of a code."""
    return mark in CODES_BY_SYMBOL or re.fullmatch("[A-Z]{3}", mark) is not None


def currency_codes(mark: str) -> list[str]:
    """The currencies that a symbol or code can mean."""
    return CODES_BY_SYMBOL.get(mark, mark).split()


# Dates

_TIME = (
    r"(?:(?:T|[ ,]+)[0-9]{1,2}[:.][0-9]{2}[0-9:.]*[ ]?(?:[AaPp]\.?[Mm]\.?)?[ ]?(?:Z|UTC|GMT|[-+][0-9]{2}:?[0-9]{2})?)?"
)
_ISO = re.compile(rf"([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}}){_TIME}")
_DATE = re.compile(rf"([0-9]{{1,4}})([-/. ])([0-9]{{1,2}})\2([0-9]{{1,4}}){_TIME}")


def parse_day(cell: Any, order: DateOrder | None) -> float | Reason:
    """Read a date as days from 1970-01-01, its time and zone left out. Raises Question.

    `order` is that of the column, None if only dates such as 2026-01-31 stand in it.

    >>> parse_day("31/01/2026", "DMY") == parse_day("2026-01-31T23:59:59Z", None)
    True
    """
    if isinstance(cell, datetime.date):
        return _days_of_date(cell.year, cell.month, cell.day)
    if not isinstance(cell, str):
        return Reason("is a number, not a date; format the cells as dates")
    if iso := _ISO.fullmatch(cell):
        return _days_of_date(*map(int, iso.groups()))
    match = _DATE.fullmatch(cell)
    if match is None:
        return Reason("is not a date" if cell else "is empty")
    if order is None:
        raise Question("can be read in several ways", "set date_order to DMY, MDY or YMD")
    parts = dict(zip(order, match.group(1, 3, 4), strict=True))
    if len(parts["D"]) > 2 or len(parts["M"]) > 2:
        raise Question(f"is not in the order {order}", "correct date_order")
    if len(parts["Y"]) != 4:
        return Reason("has no year of four digits; export it so")
    year, month, day_of_month = (int(parts[part]) for part in "YMD")
    if month > 12 and day_of_month <= 12 and order != "YMD":
        raise Question(f"is not in the order {order}", "correct date_order")
    return _days_of_date(year, month, day_of_month)


def _days_of_date(year: int, month: int, day_of_month: int) -> float | Reason:
    try:
        date = datetime.date(year, month, day_of_month)
    except ValueError:
        return Reason("is a day that does not exist")
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return Reason(f"is a day before {FIRST_YEAR} or after {LAST_YEAR}")
    return float((date - EPOCH).days)


# Words


def as_text(cell: Any) -> str:
    """A cell as the text a mapping names: whole numbers without a point, true and false."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")


def parse_label(cell: Any) -> str | Reason:
    """Read a short name on one line, perhaps an empty one."""
    text = as_text(cell)
    if len(text) > LONGEST_LABEL or _CONTROL.search(text):
        return Reason(f"is long or not plain text; allowed: at most {LONGEST_LABEL} characters on one line")
    return text


def parse_bool(cell: Any) -> bool | Reason:
    """Read true, yes or 1 as true; false, no or 0 as false."""
    return TRUTH.get(as_text(cell).lower(), Reason("is neither true nor false"))
